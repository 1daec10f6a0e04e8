package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"citygate/pkg/detect/offline/job"
	"citygate/pkg/sandbox"
	"citygate/pkg/sandbox/profile"
)

// maxComplaint is how much of what a dying inspector says is kept.
const maxComplaint = 64 << 10

// errTooMuch ends an inspector that says more than an answer can hold.
var errTooMuch = errors.New("it says too much")

// bounded is a buffer that takes no more than most bytes.
type bounded struct {
	bytes.Buffer
	most  int
	whole bool // more is an error; otherwise it is left out
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.most - b.Len()
	if len(p) <= room {
		return b.Buffer.Write(p)
	}
	if b.whole {
		return 0, errTooMuch
	}
	b.Buffer.Write(p[:room])
	return len(p), nil
}

// inspect lets citygate-inspect do a job on open files. It parses captures and rules, so it gets nothing but these: as
// root it is a user of its own in namespaces of its own; a person's is in a user namespace if the machine lets it.
func (a *App) inspect(ctx context.Context, j *job.Job, in io.Reader, files []*os.File) (*job.Answer, error) {
	path := filepath.Join(a.Tools, "citygate-inspect")
	program, err := os.OpenFile(path, unix.O_PATH, 0) // the way to it may be closed to another user
	if err != nil {
		return nil, fmt.Errorf("start citygate-inspect: %w", err)
	}
	defer program.Close()
	j.Person = os.Geteuid() != 0
	record, err := recordFile(j)
	if err != nil {
		return nil, err
	}
	defer record.Close()
	if err := keepDescriptors(); err != nil {
		return nil, err
	}
	out, complaint := &bounded{most: job.MaxAnswer, whole: true}, &bounded{most: maxComplaint}
	for i, attr := range cells(j.Person) {
		cmd := exec.CommandContext(ctx, fmt.Sprintf("/proc/self/fd/%d", program.Fd()))
		cmd.Args = []string{"citygate-inspect"}
		cmd.Env = []string{} // nothing of the caller's
		cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, complaint
		cmd.ExtraFiles = append([]*os.File{record}, files...)
		cmd.SysProcAttr = attr
		err = runLocked(cmd, j.Person)
		if i > 0 || cmd.Process != nil || !refusesNamespaces(err) {
			break
		}
	}
	if ctx.Err() != nil {
		return nil, errors.New("interrupted")
	}
	if err != nil {
		return nil, ended(err, complaint.String(), j.Memory)
	}
	return job.ReadAnswer(out.Bytes())
}

// recordFile is a job in memory.
func recordFile(j *job.Job) (*os.File, error) {
	data, err := j.Append(nil)
	if err != nil {
		return nil, err
	}
	return inMemory("job", data)
}

// cells are the ways to start an inspector, the safest first; the second one is without namespaces.
func cells(person bool) []*syscall.SysProcAttr {
	p := profile.Inspect(0, person)
	apart := p.Attr(profile.InspectUID)
	p.Isolated = false
	plain := p.Attr(profile.InspectUID)
	if person {
		self := func(id int) []syscall.SysProcIDMap {
			return []syscall.SysProcIDMap{{ContainerID: profile.InspectUID, HostID: id, Size: 1}}
		}
		apart.Credential, plain.Credential = nil, nil
		apart.Cloneflags |= syscall.CLONE_NEWUSER
		apart.UidMappings, apart.GidMappings = self(os.Getuid()), self(os.Getgid())
	}
	return []*syscall.SysProcAttr{apart, plain}
}

// refusesNamespaces says whether the machine (a container, a sysctl) lets nobody make namespaces.
func refusesNamespaces(err error) bool {
	for _, no := range []error{unix.EPERM, unix.EACCES, unix.ENOSPC, unix.EINVAL, unix.EUSERS} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// runLocked runs a command on a thread of its own: the child dies with it, and for root it loses its bounding set.
func runLocked(cmd *exec.Cmd, person bool) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		var err error
		if !person {
			err = (sandbox.Profile{}).DropBounding()
		}
		if err == nil {
			err = cmd.Run()
		}
		done <- err
	}()
	return <-done
}

// ended says why an inspector ended without an answer.
func ended(err error, complaint string, memory uint64) error {
	if strings.Contains(complaint, "out of memory") || strings.Contains(complaint, "cannot allocate memory") {
		return fmt.Errorf("citygate-inspect needs more than %d MiB of memory: give it more with --memory, or less to read", memory>>20)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("run citygate-inspect: %w", err)
	}
	if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() && s.Signal() == syscall.SIGSYS {
		return errors.New("citygate-inspect was ended: it made a system call that its sandbox forbids. " +
			"What it read may have tried to take it over: keep the file, and report it")
	}
	first, _, _ := strings.Cut(strings.TrimSpace(complaint), "\n")
	if rest, ok := strings.CutPrefix(first, "citygate-inspect: "); ok {
		return fmt.Errorf("citygate-inspect did not start: %s", harmless(rest))
	}
	return fmt.Errorf("citygate-inspect ended without an answer (%v): %s", exit, harmless(first))
}
