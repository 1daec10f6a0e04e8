// Package enclave runs the own program again in network, mount and process namespaces of its own: what is built inside
// ends with its process 1, and the host's network, mounts and files are never touched.
package enclave

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// stageVar tells a re-executed program which part of the enclave it is.
const stageVar = "CITYGATE_ENCLAVE"

const (
	stageInit   = "init"
	stageInside = "inside"
)

// scratchSize bounds the memory that everything written inside may take.
const scratchSize = "size=512m"

// Inside reports whether the program runs inside an enclave.
func Inside() bool { return os.Getenv(stageVar) == stageInside }

// Main runs run inside an enclave: a program calls it first and ends with what it returns. Outside it starts the program
// again with the same arguments and waits for it.
func Main(run func() int) int {
	switch os.Getenv(stageVar) {
	case stageInside:
		return run()
	case stageInit:
		return Init()
	}
	cmd, err := Command(os.Args[1:]...)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// The enclave must end with its caller, however that ends.
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	return exitCode(cmd.Run())
}

// Command prepares the own program with args as process 1 of a new enclave; it has to reach Init.
func Command(args ...string) (*exec.Cmd, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("the lab builds network namespaces: run it as root")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the own program: %w", err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), stageVar+"="+stageInit)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC,
		// Unshare of the mount namespace makes / private first, which clone does not.
		Unshareflags: syscall.CLONE_NEWNS,
	}
	return cmd, nil
}

// Starting reports whether the program is process 1 of an enclave: it then ends with what Init returns.
func Starting() bool { return os.Getenv(stageVar) == stageInit }

// Init is process 1 of an enclave: it mounts what is private, starts the program inside, passes on signals,
// and reaps every process that lost its parent. Its exit code is the program's.
func Init() int {
	if err := mounts(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := os.Setenv(stageVar, stageInside); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	child, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{
		Files: inheritedFiles(),
		Env:   os.Environ(),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, fmt.Errorf("start inside the enclave: %w", err))
		return 1
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		for s := range signals {
			_ = child.Signal(s) // already gone: the loop below sees it
		}
	}()
	return reap(child.Pid)
}

// SocketVar is set when descriptor 3 is a socket made outside, by which the inside is reached.
const SocketVar = "CITYGATE_LAB_SOCKET"

func inheritedFiles() []*os.File {
	files := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	if os.Getenv(SocketVar) != "" {
		files = append(files, os.NewFile(3, "socket"))
	}
	return files
}

func reap(main int) int {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 1
		case pid == main && status.Signaled():
			return 128 + int(status.Signal())
		case pid == main:
			return status.ExitStatus()
		}
	}
}

// mounts gives the enclave its own /proc and bpffs, and copies on write of the folders that the gateway writes to.
func mounts() error {
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount the enclave's /proc: %w", err)
	}
	if err := unix.Mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700"); err != nil {
		return fmt.Errorf("mount the enclave's bpffs: %w", err)
	}
	if err := unix.Mount("scratch", "/mnt", "tmpfs", 0, scratchSize); err != nil {
		return fmt.Errorf("mount the enclave's scratch folder: %w", err)
	}
	for _, dir := range []string{"etc", "var", "run"} {
		upper, work := "/mnt/"+dir, "/mnt/."+dir
		if err := errors.Join(os.Mkdir(upper, 0o755), os.Mkdir(work, 0o755)); err != nil {
			return err
		}
		options := "lowerdir=/" + dir + ",upperdir=" + upper + ",workdir=" + work
		if err := unix.Mount("overlay", "/"+dir, "overlay", 0, options); err != nil {
			return fmt.Errorf("mount a private /%s: %w", dir, err)
		}
	}
	return nil
}

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}
