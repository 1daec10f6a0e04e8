// Command citygate-guard holds the kernel's keys: it loads the bridge, fills its policy, and parses nothing from the wire.
// citygate-launch starts it; `citygate-guard detach` takes the bridges off their ports when the gateway is stopped.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"citygate/pkg/datapath/guard"
	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
)

func main() {
	err := run()
	var v *ipc.Violation
	if errors.As(err, &v) {
		fmt.Fprintln(os.Stderr, "citygate-guard:", err)
		os.Exit(ipc.ExitViolation(v.From))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		fmt.Fprintln(os.Stderr, "citygate-guard:", err)
		os.Exit(1)
	}
}

func run() error {
	boot, err := ipc.InheritBoot()
	if err != nil {
		return err
	}
	if len(os.Args) == 2 && os.Args[1] == "detach" {
		return guard.Detach(boot)
	}
	if err := sandbox.Enter(sandbox.Guard(boot)); err != nil {
		return err
	}
	var conns [3]*ipc.Conn
	for i, peer := range []ipc.Process{ipc.Launch, ipc.Control, ipc.Watch} {
		if conns[i], err = ipc.Inherit(ipc.Guard, peer); err != nil {
			return err
		}
	}
	launch, control, watch := conns[0], conns[1], conns[2]
	g, err := guard.Open(boot)
	if err != nil {
		return err
	}
	defer g.Close()
	if err := g.Share(control, watch); err != nil {
		return err
	}
	if err := launch.Send(ipc.Ready{}); err != nil {
		return err
	}
	return g.Serve(control)
}
