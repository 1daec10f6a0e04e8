// Command citygate-firewall writes the box's own firewall, once, and ends: the table of the boot record's management
// section, or with `remove` none. citygate-launch starts it before the guard.
package main

import (
	"fmt"
	"os"

	"citygate/pkg/firewall"
	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
	"citygate/pkg/sandbox/profile"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "citygate-firewall:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	boot, err := ipc.InheritBoot()
	if err != nil {
		return err
	}
	if err := sandbox.Enter(profile.Firewall()); err != nil {
		return err
	}
	if len(args) == 1 && args[0] == "remove" {
		return firewall.Remove()
	}
	return firewall.Apply(boot.Management)
}
