// Package cli is the citygate command: words in, a running gateway's answers out, as tables for people or as the API's
// JSON. It links no parser: what has to be parsed goes to citygate-control, which does it in a sandbox.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"citygate/pkg/control/api"
	"citygate/pkg/detect/offline/job"

	"github.com/spf13/cobra"
)

// DefaultConfig is the config that a command reads without -c.
const DefaultConfig = "/etc/citygate/citygate.yaml"

// The exit codes.
const (
	ExitOK    = 0
	ExitNo    = 1 // the answer is no: dropped, unhealthy, not verified, refused
	ExitError = 2 // usage, or no answer at all
)

// errNo ends a command with ExitNo; what there is to say has been printed.
var errNo = errors.New("no")

// App is one run of the command.
type App struct {
	Out, Err io.Writer
	In       io.Reader
	Version  string
	Tools    string // the folder with the other executables
	// Paths finds the gateway of a config file.
	Paths func(ctx context.Context, config string) (api.Paths, error)
	// Control runs citygate-control with the arguments, and gives what it prints. Its complaint is the error.
	Control func(ctx context.Context, in io.Reader, args ...string) ([]byte, error)
	// Inspect lets citygate-inspect do a job with open files.
	Inspect func(ctx context.Context, j *job.Job, in io.Reader, files []*os.File) (*job.Answer, error)

	config string
	json   bool
	now    func() time.Time
}

// New is the command as a shell runs it; its helpers lie beside its own executable.
func New(version string) *App {
	a := &App{Out: os.Stdout, Err: os.Stderr, In: os.Stdin, Version: version, now: time.Now}
	if exe, err := os.Executable(); err == nil {
		a.Tools = filepath.Dir(exe)
	}
	a.Paths, a.Control, a.Inspect = a.controlPaths, a.control, a.inspect
	return a
}

// Run runs the command and gives its exit code.
func (a *App) Run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	err := root.ExecuteContext(ctx)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, errNo):
		return ExitNo
	case errors.As(err, &exit) && exit.ExitCode() == ExitNo:
		return ExitNo
	}
	a.printError(err)
	var p *api.Problem
	if errors.As(err, &p) && p.Status == 422 {
		return ExitNo
	}
	return ExitError
}

func (a *App) printError(err error) {
	fmt.Fprintln(a.Err, "citygate:", err)
	switch {
	case errors.Is(err, api.ErrNotRunning):
		fmt.Fprintln(a.Err, "  start it: systemctl start citygate, or: citygate run -c", a.config)
	case errors.Is(err, os.ErrPermission):
		fmt.Fprintln(a.Err, "  be root, or a member of the group citygate")
	}
	var p *api.Problem
	if errors.As(err, &p) {
		printPolicyErrors(a.Err, p.Errors)
	}
}

// client finds the running gateway.
func (a *App) client(ctx context.Context) (*api.Client, error) {
	p, err := a.Paths(ctx, a.config)
	if err != nil {
		return nil, err
	}
	return api.NewClient(filepath.Join(p.RunDir, api.Socket)), nil
}

// ask sends one request to the running gateway.
func (a *App) ask(ctx context.Context, method, path string, in, out any) error {
	c, err := a.client(ctx)
	if err != nil {
		return err
	}
	return c.Do(ctx, method, path, in, out)
}

// controlPaths lets citygate-control read the config.
func (a *App) controlPaths(ctx context.Context, config string) (api.Paths, error) {
	var p api.Paths
	out, err := a.Control(ctx, nil, "paths", "-c", config)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(out, &p); err != nil {
		return p, fmt.Errorf("read what citygate-control says of %s: %w", config, err)
	}
	return p, nil
}

// show prints v as JSON with --json, else by the table function.
func (a *App) show(v any, table func(io.Writer)) error {
	if !a.json {
		table(a.Out)
		return nil
	}
	enc := json.NewEncoder(a.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func (a *App) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "citygate",
		Short: "A gateway between cameras and their video server: it forwards only what the policy allows",
		Long: `CityGate sits in line between cameras and their video server. The kernel forwards what the policy
allows and drops everything else, and goes on doing so when all of CityGate's processes are dead.

A first look:
  citygate doctor                     what this machine has, and what is missing
  citygate policy check policy.yaml   is the policy right?
  citygate run                        start the gateway
  citygate status                     is it well?
  citygate events -f                  what happens now
  citygate why flow 10.0.0.11:554 10.0.0.2:40000 tcp

Exit codes: 0 yes or done, 1 no (dropped, unhealthy, not verified, refused), 2 wrong usage or no answer.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVarP(&a.config, "config", "c", DefaultConfig, "the gateway's `FILE`: a command finds the running gateway by it")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON")
	root.AddCommand(
		a.runCommand(), a.statusCommand(), a.devicesCommand(), a.flowsCommand(), a.eventsCommand(), a.countersCommand(),
		a.blocksCommand(), a.policyCommand(), a.whyCommand(), a.logCommand(), a.doctorCommand(), a.detachCommand(),
		a.replayCommand(), a.rulesCommand(), a.versionCommand(),
	)
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}
