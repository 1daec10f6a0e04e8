package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
)

// groupName may use the API and read the logs.
const groupName = "citygate"

// operators is the group of that name, 0 if there is none.
func operators() int {
	g, err := user.LookupGroup(groupName)
	if err != nil {
		return 0
	}
	gid, _ := strconv.Atoi(g.Gid)
	return gid
}

// makeFolders makes what the processes write to.
func makeFolders(b *ipc.Boot) error {
	if err := mountBPF(b.BPFDir); err != nil {
		return err
	}
	// systemd mounts /sys/fs/bpf for root alone. The guard's user may pass through to its folder, not list.
	above := filepath.Dir(b.BPFDir)
	if info, err := os.Stat(above); err == nil && info.Mode().Perm()&1 == 0 {
		if err := os.Chmod(above, info.Mode().Perm()|1); err != nil {
			return fmt.Errorf("let the guard through to %s: %w", b.BPFDir, err)
		}
	}
	uid, group := func(p ipc.Process) int { return int(b.UID(p)) }, operators()
	for _, d := range []struct {
		path         string
		owner, group int
		mode         os.FileMode
	}{
		{b.RunDir, 0, 0, 0o755},
		{b.StateDir, 0, 0, 0o755},
		{b.StateOf(ipc.Control), uid(ipc.Control), uid(ipc.Control), 0o700},
		{b.StateOf(ipc.Journal), uid(ipc.Journal), group, 0o750},
		{b.LogDir, uid(ipc.Journal), group, 0o750},
		{b.BPFDir, uid(ipc.Guard), uid(ipc.Guard), 0o700},
	} {
		if err := makeFolder(d.path, d.owner, d.group, d.mode); err != nil {
			return fmt.Errorf("make the folder %s: %w", d.path, err)
		}
	}
	return nil
}

// makeFolder sets owner and mode through a descriptor: a link in its place is an error. Root without CAP_FOWNER may
// change the mode of its own folders only, so it takes the folder first.
func makeFolder(path string, owner, group int, mode os.FileMode) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	held := fmt.Sprintf("/proc/self/fd/%d", fd)
	return errors.Join(os.Chown(held, 0, 0), os.Chmod(held, mode), os.Chown(held, owner, group))
}

// mountBPF mounts a bpffs for dir if it would not be in one. In /sys no folder can be made, so there it is the parent.
func mountBPF(dir string) error {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) == nil && fs.Type == unix.BPF_FS_MAGIC {
		return nil
	}
	point := filepath.Dir(dir)
	if unix.Statfs(point, &fs) == nil && fs.Type == unix.BPF_FS_MAGIC {
		return nil
	}
	if fs.Type != unix.SYSFS_MAGIC {
		point = dir
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make the folder %s for a bpffs: %w", dir, err)
		}
	}
	if err := unix.Mount("bpf", point, "bpf", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0755"); err != nil {
		return fmt.Errorf("mount a bpffs at %s: %w (the kernel needs CONFIG_BPF_SYSCALL; in a container, mount it outside)", point, err)
	}
	return nil
}

// lock makes this the only launcher of a run folder. The file keeps the lock while it is open.
func lock(runDir string) (*os.File, error) {
	path := filepath.Join(runDir, "citygate.pid")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the pid file: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		pid, _ := os.ReadFile(path)
		_ = f.Close()
		return nil, fmt.Errorf("the gateway of %s is already running (pid %.10s): stop it first", runDir, pid)
	}
	err = errors.Join(f.Truncate(0), f.Chmod(0o644))
	if _, werr := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil || werr != nil {
		return nil, fmt.Errorf("write the pid file %s: %w", path, errors.Join(err, werr))
	}
	return f, nil
}

// listen makes the API's socket, for root and the group.
func listen(runDir string) (*os.File, error) {
	path, group, mode := filepath.Join(runDir, "citygate.sock"), operators(), uint32(0o660)
	if group == 0 {
		mode = 0o600
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make the API's socket: %w", err)
	}
	_ = os.Remove(path) // of a launcher that was killed: the lock says that none runs
	old := unix.Umask(0o177)
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	unix.Umask(old)
	if err == nil {
		err = errors.Join(os.Chown(path, 0, group), os.Chmod(path, os.FileMode(mode)), unix.Listen(fd, 64))
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("make the API's socket %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}
