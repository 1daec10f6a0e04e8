// Command citygate-lab raises a city of cameras, video servers and attackers around a gateway, in namespaces of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"citygate/testlab/city"
	"citygate/testlab/enclave"
	"citygate/testlab/gateway"
)

func main() {
	if city.IsHost(os.Args) {
		os.Exit(city.HostMain(os.Args))
	}
	if enclave.Starting() {
		os.Exit(enclave.Init())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := root().ExecuteContext(ctx)
	var code exitCode
	switch {
	case errors.As(err, &code):
		os.Exit(int(code))
	case err != nil:
		fmt.Fprintln(os.Stderr, "citygate-lab:", err)
		os.Exit(1)
	}
}

// exitCode is the exit code of a command that ran in the city.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

func root() *cobra.Command {
	var remote city.Remote
	cmd := &cobra.Command{
		Use:           "citygate-lab",
		Short:         "A city of cameras, video servers and attackers in network namespaces",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.PersistentFlags().StringVar(&remote.Dir, "dir", "/run/citygate-lab", "folder of the city's control socket and log")
	cmd.AddCommand(upCommand(&remote), superviseCommand(), downCommand(&remote), statusCommand(&remote),
		execCommand(&remote), attackCommand(&remote), scoreCommand(&remote))
	cmd.AddCommand(demoCommands()...)
	return cmd
}

func upCommand(remote *city.Remote) *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the city in the background",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return remote.Up("supervise", "--gateway", kind)
		},
	}
	cmd.Flags().StringVar(&kind, "gateway", "none", "what connects the gateway's ports: citygate, none, or bridge (a plain Linux bridge)")
	return cmd
}

// superviseCommand is what up starts inside the enclave; descriptor 3 is the control socket.
func superviseCommand() *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use:    "supervise",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			socket := os.NewFile(3, "control socket")
			listener, err := net.FileListener(socket)
			if err != nil {
				return fmt.Errorf("open the control socket: %w", err)
			}
			socket.Close()
			c, err := city.Up(func(c *city.City) error { return connect(cmd.Context(), c, kind) })
			if err != nil {
				return err
			}
			defer c.Down()
			return city.Serve(cmd.Context(), c, kind, listener)
		},
	}
	cmd.Flags().StringVar(&kind, "gateway", "none", "")
	return cmd
}

// connect joins the gateway's ports as the user wants it.
func connect(ctx context.Context, c *city.City, kind string) error {
	switch kind {
	case "bridge":
		return c.Network.PlainBridge()
	case "citygate":
		g, err := gateway.New(c, "enforce")
		if err != nil {
			return err
		}
		return g.Start(ctx)
	case "none":
		return gateway.WriteFiles("enforce")
	}
	return fmt.Errorf("--gateway %s is not citygate, none or bridge", kind)
}

func downCommand(remote *city.Remote) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "End the city, with everything that runs in it",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return remote.Down() },
	}
}

func execCommand(remote *city.Remote) *cobra.Command {
	return &cobra.Command{
		Use:     "exec HOST -- COMMAND...",
		Short:   "Run a command on a host of the city, with this terminal",
		Example: "  citygate-lab exec attacker-cam -- nmap -Pn 10.0.0.2",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			code, err := remote.Exec(args[0], args[1:])
			if err == nil && code != 0 {
				err = exitCode(code)
			}
			return err
		},
	}
}
