package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/control/api"
	"citygate/testlab/city"
	"citygate/testlab/topology"
)

// Where the enclave's gateway has its files: the product's own places.
const (
	configDir  = "/etc/citygate"
	configFile = configDir + "/citygate.yaml"
	// PolicyFile is the city's policy.
	PolicyFile = configDir + "/policy.yaml"
	// Socket is where its API answers.
	Socket    = "/run/citygate/" + api.Socket
	outputLog = "/run/citygate-output.log"
)

// BinVar names the folder of the product's programs; without it the folder of the own program is meant.
const BinVar = "CITYGATE_BIN"

// Gateway is the product on the city's gateway host.
type Gateway struct {
	City *city.City
	bin  string
}

// New finds the product's programs and writes the city's config and policy.
func New(c *city.City, mode string) (*Gateway, error) {
	bin := os.Getenv(BinVar)
	if bin == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find the own program: %w", err)
		}
		bin = filepath.Dir(self)
	}
	bin, err := filepath.EvalSymlinks(bin)
	if err != nil {
		return nil, fmt.Errorf("find the gateway's programs: %w", err)
	}
	if _, err := os.Stat(filepath.Join(bin, "citygate")); err != nil {
		return nil, fmt.Errorf("the gateway's programs are not in %s (make build; %s names their folder): %w", bin, BinVar, err)
	}
	return &Gateway{City: c, bin: bin}, WriteFiles(mode)
}

// WriteFiles writes the city's config and policy where the product looks for them.
func WriteFiles(mode string) error {
	if err := os.MkdirAll(configDir, 0o755); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(configFile, []byte(Config(mode)), 0o644), WritePolicy(Policy()))
}

// WritePolicy writes policy.yaml; a running gateway takes it with citygate policy apply.
func WritePolicy(text string) error { return os.WriteFile(PolicyFile, []byte(text), 0o644) }

// startTime is how long a gateway may take to be ready.
const startTime = 30 * time.Second

// Start starts the gateway by its command and waits until it is ready: a policy is in the kernel, both ports have XDP.
func (g *Gateway) Start(ctx context.Context) error {
	log, err := os.OpenFile(outputLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(g.bin, "citygate"), "run")
	cmd.Stdout, cmd.Stderr = log, log
	if err := g.City.Start(topology.GatewayHost, cmd); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		problem := g.Ready(ctx)
		if problem == nil {
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("the gateway ended: %w\n%s", errors.Join(err, problem), g.Output())
		case <-ctx.Done():
			return fmt.Errorf("the gateway is not ready: %w\n%s", problem, g.Output())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Ready says what is missing, nil for nothing: all processes answer, a policy is in the kernel, both ports have XDP.
// It asks the API's socket: the command line would start two processes for each look.
func (g *Gateway) Ready(ctx context.Context) error {
	var s api.Status
	if err := api.NewClient(Socket).Do(ctx, "GET", "/v1/status", nil, &s); err != nil {
		return err
	}
	if s.Policy.Generation == 0 || len(s.Bridges) == 0 {
		return fmt.Errorf("state %s, policy generation %d, %v", s.State, s.Policy.Generation, s.Degraded)
	}
	for _, p := range s.Bridges[0].Ports {
		if !p.Up || p.XDP == "none" {
			return fmt.Errorf("port %s: up %v, XDP %s", p.Name, p.Up, p.XDP)
		}
	}
	return nil
}

// Output is what the gateway's processes wrote so far.
func (g *Gateway) Output() string {
	b, err := os.ReadFile(outputLog)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// PIDs lists the gateway's living processes, the launcher first: it must not restart the others while they are killed.
func (g *Gateway) PIDs() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var first, rest []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		exe, err := os.Readlink(filepath.Join("/proc", e.Name(), "exe"))
		if err != nil || filepath.Dir(exe) != g.bin {
			continue // a kernel thread, a zombie, or somebody else
		}
		switch name := filepath.Base(exe); {
		case name == "citygate-lab" || name == "citygate":
		case name == "citygate-launch":
			first = append(first, pid)
		case strings.HasPrefix(name, "citygate-"):
			rest = append(rest, pid)
		}
	}
	return append(first, rest...), nil
}

// Kill kills all processes of the gateway with SIGKILL, and waits until none lives.
func (g *Gateway) Kill(ctx context.Context) error { return g.end(ctx, unix.SIGKILL) }

// Stop asks the launcher to end, and waits until no process lives. The kernel goes on forwarding.
func (g *Gateway) Stop(ctx context.Context) error { return g.end(ctx, unix.SIGTERM) }

func (g *Gateway) end(ctx context.Context, s unix.Signal) error {
	for {
		pids, err := g.PIDs()
		if err != nil || len(pids) == 0 {
			return err
		}
		if s == unix.SIGTERM {
			pids = pids[:1]
		}
		for _, pid := range pids {
			if err := unix.Kill(pid, s); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("signal process %d: %w", pid, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("processes %v do not end: %w", pids, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// CLI runs the citygate command on the gateway.
func (g *Gateway) CLI(ctx context.Context, args ...string) (city.Output, error) {
	return g.City.Run(ctx, topology.GatewayHost, append([]string{filepath.Join(g.bin, "citygate")}, args...)...)
}

// Ask runs the citygate command with --json and reads its answer. Exit code 1 is an answer too ("no").
func (g *Gateway) Ask(ctx context.Context, out any, args ...string) error {
	said, err := g.CLI(ctx, append(args, "--json")...)
	if err != nil {
		return err
	}
	if said.Code > 1 {
		return fmt.Errorf("citygate %s: exit code %d: %s", strings.Join(args, " "), said.Code, said.Stderr)
	}
	if err := json.Unmarshal([]byte(said.Stdout), out); err != nil {
		return fmt.Errorf("citygate %s: %w: %s%s", strings.Join(args, " "), err, said.Stdout, said.Stderr)
	}
	return nil
}

// Counters gives the kernel's counters of the bridge by reason.
func (g *Gateway) Counters(ctx context.Context) (map[string]uint64, error) {
	var c api.Counters
	if err := g.Ask(ctx, &c, "counters"); err != nil {
		return nil, err
	}
	out := map[string]uint64{}
	for _, b := range c.Bridges {
		for _, r := range b.Reasons {
			out[r.Reason] += r.Frames
		}
		for _, l := range b.Losses {
			out["loss:"+l.What] += l.Frames
		}
	}
	return out, nil
}

// Remove ends the gateway and takes everything it left: its pins in the kernel, state, logs and settings.
func (g *Gateway) Remove(ctx context.Context) error {
	if err := g.Kill(ctx); err != nil {
		return err
	}
	errs := []error{os.RemoveAll("/sys/fs/bpf/citygate")}
	for _, dir := range []string{configDir, "/var/lib/citygate", "/var/log/citygate", "/run/citygate", outputLog} {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}
