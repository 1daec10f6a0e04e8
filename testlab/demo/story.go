package demo

import (
	"fmt"
	"os/exec"
	"slices"
)

// story lists all checks in their order, less those whose program is not installed: of these the notes tell.
func story() (steps []step, notes []string) {
	tools, notes := toolSteps(exec.LookPath)
	return slices.Concat(
		raiseSteps(), attackSteps(), tools, underAttackSteps(), deathSteps(), policySteps(), recordSteps(), streamSteps(),
	), notes
}

// tool is a program of the machine that some checks use.
type tool struct {
	command, pkg string
	steps        []step
}

func toolSteps(find func(string) (string, error)) (steps []step, notes []string) {
	for _, t := range tools() {
		if _, err := find(t.command); err != nil {
			notes = append(notes, fmt.Sprintf("%s is not installed, so it was not tried (apt-get install %s)", t.command, t.pkg))
			continue
		}
		steps = append(steps, t.steps...)
	}
	return steps, notes
}
