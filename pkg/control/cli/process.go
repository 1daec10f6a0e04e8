package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
)

func (a *App) runCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Start the gateway, as root",
		Long: `Becomes citygate-launch, which lies beside this program: it reads the config in a sandbox, puts the data path on the
bridge ports and starts the gateway's processes, each as a user of its own. SIGTERM ends the processes; the kernel goes
on forwarding what the policy allows and dropping the rest. To take the data path off the ports: citygate detach.`,
		Example: `  citygate doctor && citygate run
  citygate run -c ./citygate.yaml`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.become("citygate-launch", "-c", a.config) },
	}
}

// become replaces this process, so that signals and the exit code are the other program's own.
func (a *App) become(program string, args ...string) error {
	path := filepath.Join(a.Tools, program)
	return fmt.Errorf("start %s: %w", path, syscall.Exec(path, append([]string{program}, args...), os.Environ()))
}

func (a *App) detachCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "detach",
		Short: "Take the data path off the bridge ports, as root",
		Long: `Removes the XDP programs and everything else that a gateway left in the kernel, and gives the ports their settings
back. Nothing is forwarded between the ports from then on. The gateway has to be stopped first, else it would put the
data path back.`,
		Example: `  systemctl stop citygate && citygate detach`,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return a.become("citygate-launch", "-c", a.config, "detach") },
	}
}

func (a *App) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "The version of this program",
		Example: "  citygate version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version string `json:"version"`
			}{a.Version}
			return a.show(v, func(w io.Writer) { fmt.Fprintln(w, "citygate", a.Version) })
		},
	}
}
