// Package ipc turns typed messages into datagrams between two processes of a gateway, and datagrams into messages.
// table.go says who may say what to whom and how often; whatever else arrives is a Violation.
package ipc

import "fmt"

// Process is a process of a gateway.
type Process uint8

// The processes that table.go names.
const (
	Launch Process = iota + 1
	Guard
	Control
	Journal
	Watch
)

var processNames = map[Process]string{Launch: "launch", Guard: "guard", Control: "control", Journal: "journal", Watch: "watch"}

func (p Process) String() string {
	if n, ok := processNames[p]; ok {
		return n
	}
	return fmt.Sprintf("process %d", uint8(p))
}

// MaxMessage is the longest datagram in bytes, its kind byte included.
const MaxMessage = 4096

// ExitViolation is the exit code of a process that ends because its peer broke a channel's rules;
// by it the launcher knows whom to name.
func ExitViolation(peer Process) int { return exitViolation + int(peer) }

// Violator is the peer that an exit code of ExitViolation names, 0 for any other code.
func Violator(code int) Process {
	if p := code - exitViolation; p >= int(Launch) && p <= int(Watch) {
		return Process(p)
	}
	return 0
}

const exitViolation = 100

// Violation says that a peer broke the rules of its channel. The hearer ends with ExitViolation, and the launcher
// then starts all processes anew.
type Violation struct {
	From Process
	Why  string
}

func (v *Violation) Error() string {
	return fmt.Sprintf("%v broke the channel's rules: %s", v.From, v.Why)
}
