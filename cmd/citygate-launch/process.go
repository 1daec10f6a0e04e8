package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
)

// The rights that processes are born with; they give up the rest themselves.
var (
	isolated   = sandbox.Profile{Isolated: true}
	ofTheGuard = sandbox.Profile{Caps: sandbox.GuardCaps}
	ofTheRules = sandbox.Profile{Caps: []uintptr{unix.CAP_NET_ADMIN}} // of the box's own firewall
	workers    = map[ipc.Process]sandbox.Profile{
		ipc.Guard: ofTheGuard, ipc.Control: isolated, ipc.Journal: isolated, ipc.Watch: isolated,
	}
)

// command is citygate-NAME with an empty environment.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "./citygate-"+name, args...)
	cmd.Args[0] = "citygate-" + name
	cmd.Env = []string{}
	return cmd
}

// inherit gives a descriptor to a command and says its number there.
func inherit(cmd *exec.Cmd, f *os.File) int {
	cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	return 2 + len(cmd.ExtraFiles)
}

// start starts a command as a user and group with the rights of a profile. What it writes goes to the log. The channel
// gives what Wait says.
func (l *launcher) start(cmd *exec.Cmd, p sandbox.Profile, uid, gid uint32) (<-chan error, error) {
	cmd.SysProcAttr = p.Attr(uid)
	cmd.SysProcAttr.Credential.Gid = gid
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe for %s: %w", cmd.Args[0], err)
	}
	cmd.Stderr = w
	if cmd.Stdout == nil {
		cmd.Stdout = w
	}
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		// The child dies with its thread, and the thread loses its bounding set: it is this child's alone.
		runtime.LockOSThread()
		defer r.Close()
		err := p.DropBounding()
		if err == nil {
			err = cmd.Start()
		}
		_ = w.Close()
		started <- err
		if err == nil {
			relay(l.log, strings.TrimPrefix(cmd.Args[0], "citygate-")+": ", r)
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Args[0], err)
	}
	return ended, nil
}

// once runs a command of one configuration to its end, as the guard's user.
func (l *launcher) once(
	ctx context.Context, b *ipc.Boot, record *os.File, p sandbox.Profile, name string, args ...string,
) error {
	cmd := command(ctx, name, args...)
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", ipc.BootEnv, inherit(cmd, record)))
	ended, err := l.start(cmd, p, b.UID(ipc.Guard), b.UID(ipc.Guard))
	if err == nil {
		err = <-ended
	}
	if err != nil {
		return fmt.Errorf("run citygate-%s: %w", name, err)
	}
	return nil
}

const maxLine = 1024

// relay writes lines of printable text with a prefix, until from ends. Longer lines come in pieces.
func relay(to io.Writer, prefix string, from io.Reader) {
	for in := bufio.NewReaderSize(from, maxLine); ; {
		line, _, err := in.ReadLine()
		if err != nil {
			return
		}
		text := strings.Map(func(r rune) rune {
			if r == '\t' || unicode.IsPrint(r) {
				return r
			}
			return '?'
		}, string(line))
		// One Write for a line, so that the lines of several processes do not mix.
		_, _ = io.WriteString(to, prefix+text+"\n")
	}
}
