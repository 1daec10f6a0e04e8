// Bench measures what a frame costs: on its way through the bridge against a plain Linux bridge and an nftables set,
// and in single test runs of the program with policies of 10 to 65,536 entries. It ends with 1 when a target is missed.
//
// It runs again in network and mount namespaces of its own, on one CPU; only ratios of one run mean anything.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"
)

const insideVar = "CITYGATE_BENCH"

var errMissed = errors.New("a target is missed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	path := flags.String("o", "bench/bridge.json", "file of the results")
	rounds := flags.Int("rounds", 7, "rounds of each measurement, at least 5")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rounds < 5 {
		return fmt.Errorf("%d rounds say nothing: at least 5", *rounds)
	}
	if os.Getenv(insideVar) == "" {
		return inside(ctx, args)
	}
	if err := isolate(); err != nil {
		return err
	}
	r, err := measure(ctx, *rounds, progress)
	if err != nil {
		return err
	}
	if err := r.write(*path); err != nil {
		return err
	}
	r.print(out)
	if missed := r.missed(); len(missed) > 0 {
		for _, m := range missed {
			fmt.Fprintln(out, "MISSED", m)
		}
		return errMissed
	}
	return nil
}

// inside runs the program again in namespaces that end with it.
func inside(ctx context.Context, args []string) error {
	if os.Geteuid() != 0 {
		return errors.New("it builds network namespaces and loads BPF programs: run it as root")
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), insideVar+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET, Unshareflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL,
	}
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		os.Exit(exit.ExitCode()) // it has said why
	} else if err != nil {
		return fmt.Errorf("run in namespaces: %w", err)
	}
	return nil
}

// isolate makes the new namespaces usable and quiet.
func isolate() error {
	if err := unix.Mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700"); err != nil {
		return fmt.Errorf("mount a bpffs: %w", err)
	}
	for _, s := range []struct {
		path, value string
		optional    bool
	}{
		{"ipv6/conf/all/disable_ipv6", "1", false}, // no router solicitations among the frames
		{"ipv6/conf/default/disable_ipv6", "1", false},
		// A new namespace has these on: each bridged frame would pass the IP firewall's hooks too.
		{"bridge/bridge-nf-call-iptables", "0", true},
		{"bridge/bridge-nf-call-ip6tables", "0", true},
		{"bridge/bridge-nf-call-arptables", "0", true},
	} {
		err := os.WriteFile("/proc/sys/net/"+s.path, []byte(s.value), 0)
		if err != nil && !(s.optional && errors.Is(err, os.ErrNotExist)) { // no br_netfilter
			return fmt.Errorf("set %s: %w", s.path, err)
		}
	}
	debug.SetGCPercent(-1) // a collection is not a frame's cost; the whole run allocates little
	return pin()
}
