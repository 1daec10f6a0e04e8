package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode"

	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
)

// workers are the processes that always run, and the rights that each is born with; it gives up the rest itself.
var workers = []struct {
	process ipc.Process
	birth   sandbox.Profile
}{
	{ipc.Journal, sandbox.Profile{Isolated: true}},
	{ipc.Guard, sandbox.Profile{Caps: sandbox.GuardCaps}},
	{ipc.Control, sandbox.Profile{Isolated: true}},
	{ipc.Watch, sandbox.Profile{Isolated: true}},
}

// command runs citygate-NAME with an empty environment; what it writes goes to the log, with its name before each line.
func (l *launcher) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	program := "citygate-" + name
	cmd := exec.CommandContext(ctx, l.binaries+"/"+program, args...)
	cmd.Args[0] = program
	cmd.Env = []string{}
	cmd.Dir = "/"
	out := &lines{to: l.log, prefix: name + ": "}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second
	return cmd
}

// inherit gives a descriptor to a command and says its number there.
func inherit(cmd *exec.Cmd, f *os.File) int {
	cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	return 2 + len(cmd.ExtraFiles)
}

// start starts a command as a user and group with the rights of a profile. The channel gives what Wait says.
func start(cmd *exec.Cmd, p sandbox.Profile, uid, gid uint32) (<-chan error, error) {
	cmd.SysProcAttr = p.Attr(uid)
	cmd.SysProcAttr.Credential.Gid = gid
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		// The child dies with its thread, and the thread loses its bounding set: it is this child's alone.
		runtime.LockOSThread()
		err := p.DropBounding()
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Args[0], err)
	}
	return ended, nil
}

// lines writes whole lines of printable text with a prefix. It cuts lines that are longer than maxLine.
type lines struct {
	to     io.Writer
	prefix string
	mu     sync.Mutex
	rest   []byte
}

const maxLine = 1024

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		n := bytes.IndexByte(l.rest[:min(len(l.rest), maxLine)], '\n')
		if n < 0 && len(l.rest) < maxLine {
			return len(b), nil
		}
		if n < 0 {
			n = maxLine - 1
		}
		text := strings.Map(func(r rune) rune {
			if r == '\t' || unicode.IsPrint(r) {
				return r
			}
			return '?'
		}, string(l.rest[:n]))
		l.rest = l.rest[n+1:]
		// One Write for a line, so that the lines of several processes do not mix.
		if _, err := io.WriteString(l.to, l.prefix+text+"\n"); err != nil {
			return 0, err
		}
	}
}
