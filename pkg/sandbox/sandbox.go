// Package sandbox turns a profile (what a process may do) into a process that can do nothing else.
//
// The launcher starts a process with Attr, from a thread that DropBounding prepared: own namespaces, own user, no
// capability that the profile does not keep. The process itself does the rest, first thing in its main:
//
//	boot, err := ipc.InheritBoot() // only for profiles that name folders
//	err = sandbox.Enter(profile.Journal(boot))
//
// Nothing else is needed: channels, the boot record and the descriptors that come over channels work inside.
// What a profile does not name ends the process with SIGSYS (exit status 159 in a shell).
package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"unsafe"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
)

// Profile is what a process may do.
type Profile struct {
	Name       string
	ReadFile   []string  // files it may read
	Read       []string  // folders it may read, everything beneath included
	Write      []string  // folders it may read, write and make files in
	Calls      []Rule    // system calls besides those of the Go runtime
	Caps       []uintptr // capabilities it keeps
	Isolated   bool      // namespaces of its own
	Person     bool      // a person starts it, who cannot empty the bounding set: no_new_privs makes that set worth nothing
	Output     bool      // it writes files that it was given
	Lenient    bool      // a call that is not listed fails with EPERM instead of ending the process
	OpenFiles  uint64
	Exceptions map[string]string // hostile calls of the probe suite that its work needs, and why
}

// MinLandlock is the lowest Landlock ABI that a process accepts (Linux 5.19; Debian 12's kernel has it).
const MinLandlock = 2

// workerNamespaces leave a worker without network, other processes, and IPC objects.
const workerNamespaces = unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// Attr is how root starts a process of this profile as a user and the group of the same number. The child dies with the
// thread that starts it, so that thread must be locked and stay.
func (p Profile) Attr(uid uint32) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: uid, Gid: uid},
		AmbientCaps: p.Caps,
		Pdeathsig:   syscall.SIGKILL,
		Setsid:      true,
	}
	if p.Isolated {
		attr.Cloneflags = workerNamespaces
	}
	return attr
}

// DropBounding takes from the calling thread, and so from what it starts, the way to capabilities that p does not keep.
// It needs CAP_SETPCAP. The caller has locked its thread and never unlocks it.
func (p Profile) DropBounding() error {
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if p.keeps(c) {
			continue
		}
		// EINVAL: this kernel does not know the capability.
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL {
			return fmt.Errorf("drop capability %d from the bounding set: %w", c, err)
		}
	}
	const noRoot, noRootLocked = 1, 2 // linux/securebits.h: user 0 is nobody special
	if err := unix.Prctl(unix.PR_SET_SECUREBITS, noRoot|noRootLocked, 0, 0, 0); err != nil {
		return fmt.Errorf("set securebits: %w", err)
	}
	return nil
}

func (p Profile) keeps(c uintptr) bool { return slices.Contains(p.Caps, c) }

// Enter locks the process up for good. It refuses when the launcher's part is missing: after an error, exit.
func Enter(p Profile) error {
	if err := p.enter(); err != nil {
		return fmt.Errorf("enter the sandbox %s: %w", p.Name, err)
	}
	return nil
}

func (p Profile) enter() error {
	if withCgo {
		return errors.New("it was built with cgo, whose threads the filter does not let live: build with CGO_ENABLED=0, as make build does")
	}
	if err := p.checkBirth(); err != nil {
		return err
	}
	filter, err := p.filter(ipc.InheritedFDs())
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("forbid core dumps and tracing: %w", err)
	}
	if err := p.limit(); err != nil {
		return err
	}
	if err := p.landlock(); err != nil {
		return err
	}
	return install(filter)
}

// checkBirth refuses to go on with more rights than the profile has.
func (p Profile) checkBirth() error {
	if os.Getuid() == 0 || os.Geteuid() == 0 || os.Getgid() == 0 {
		return errors.New("it runs as root: it is started by citygate-launch, as a user of its own")
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var got, want [2]unix.CapUserData
	if err := unix.Capget(&hdr, &got[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	for _, c := range p.Caps {
		d := &want[c/32]
		d.Effective |= 1 << (c % 32)
		d.Permitted, d.Inheritable = d.Effective, d.Effective
	}
	if got != want {
		return fmt.Errorf("it has capabilities %x, want exactly %x", got, want)
	}
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if set, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0); err == nil && set == 1 && !p.keeps(c) && !p.Person {
			return fmt.Errorf("capability %d is in its bounding set", c)
		}
	}
	return nil
}

func (p Profile) limit() error {
	limits := map[int]uint64{unix.RLIMIT_NOFILE: p.OpenFiles, unix.RLIMIT_CORE: 0}
	if len(p.Write) == 0 && !p.Output {
		limits[unix.RLIMIT_FSIZE] = 0
	}
	for what, n := range limits {
		if err := unix.Setrlimit(what, &unix.Rlimit{Cur: n, Max: n}); err != nil {
			return fmt.Errorf("set resource limit %d to %d: %w", what, n, err)
		}
	}
	return nil
}

// Supported says what this kernel lacks.
func Supported() error {
	abi, err := ll.LandlockGetABIVersion()
	if err != nil || abi < MinLandlock {
		return fmt.Errorf("landlock ABI %d, need %d: boot a kernel with CONFIG_SECURITY_LANDLOCK and landlock in lsm=", abi, MinLandlock)
	}
	return nil
}

// landlock also sets no_new_privs, on all threads.
func (p Profile) landlock() error {
	if err := Supported(); err != nil {
		return err
	}
	const read = ll.AccessFSReadFile | ll.AccessFSReadDir
	const write = read | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSMakeReg | ll.AccessFSMakeDir |
		ll.AccessFSRemoveFile | ll.AccessFSRemoveDir
	rules := []landlock.Rule{
		landlock.PathAccess(ll.AccessFSReadFile, p.ReadFile...),
		landlock.PathAccess(read, p.Read...),
		landlock.PathAccess(write, p.Write...),
	}
	// BestEffort only goes down from 7 to what the kernel has, which is at least MinLandlock.
	if err := landlock.V7.BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("restrict files: %w", err)
	}
	return nil
}

func install(filter []unix.SockFilter) error {
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	var pin runtime.Pinner
	pin.Pin(prog.Filter)
	defer pin.Unpin()
	// TSYNC gives all threads the filter, and no_new_privs; r is a thread that could not take it.
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&prog)))
	if errno != 0 || r != 0 {
		return fmt.Errorf("install the system call filter: %w (thread %d)", errno, r)
	}
	return nil
}
