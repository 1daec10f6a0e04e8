//go:build lab && amd64

package sandbox_test

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"citygate/pkg/sandbox"
)

// fixture is what a probe finds in its process: descriptors that a worker might be given, and what it got before Enter.
type fixture struct {
	packet  uintptr // AF_PACKET socket in a network namespace of its own, bound to lo
	bpfMap  uintptr
	memfd   uintptr // the boot record
	folder  string  // of somebody else
	parent  uintptr
	int80   func() uint64
	scratch []byte
}

// hostile is what a taken-over worker would try. Each gives 0 on success. The arguments are good ones, so that only a
// lock-down refuses, yet harm nothing should they succeed as an ordinary user.
var hostile = map[string]func(*fixture) unix.Errno{
	"open_passwd":        func(*fixture) unix.Errno { return open("/etc/passwd", unix.O_RDONLY) },
	"open_proc_self_mem": func(*fixture) unix.Errno { return open("/proc/self/mem", unix.O_RDWR) },
	"open_others_folder": func(f *fixture) unix.Errno { return open(f.folder, unix.O_RDONLY) },
	"creat_tmp":          func(f *fixture) unix.Errno { return open(f.folder+"/probe", unix.O_CREAT|unix.O_WRONLY) },
	"openat2": func(*fixture) unix.Errno {
		how := unix.OpenHow{Flags: unix.O_RDONLY}
		return sys(unix.SYS_OPENAT2, cwd, str("/etc/passwd"), ptr(&how), unsafe.Sizeof(how))
	},
	"symlink": func(f *fixture) unix.Errno {
		return sys(unix.SYS_SYMLINKAT, str("/etc/passwd"), cwd, str(f.folder+"/link"))
	},
	"mknod": func(f *fixture) unix.Errno {
		return sys(unix.SYS_MKNODAT, cwd, str(f.folder+"/fifo"), unix.S_IFIFO|0o600, 0)
	},
	"chmod": func(f *fixture) unix.Errno { return sys(unix.SYS_FCHMODAT, cwd, str(f.folder), 0o777) },
	"name_to_handle": func(f *fixture) unix.Errno {
		var id int32
		*(*uint32)(unsafe.Pointer(&f.scratch[0])) = 128
		return sys(unix.SYS_NAME_TO_HANDLE_AT, cwd, str("/etc/passwd"), ptr(&f.scratch[0]), ptr(&id), 0)
	},
	"open_by_handle": func(f *fixture) unix.Errno {
		return sys(unix.SYS_OPEN_BY_HANDLE_AT, cwd, ptr(&f.scratch[0]), unix.O_RDONLY)
	},
	"fanotify": func(*fixture) unix.Errno { return sys(unix.SYS_FANOTIFY_INIT, unix.FAN_REPORT_FID, unix.O_RDONLY) },

	"socket_inet":    func(*fixture) unix.Errno { return sys(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0) },
	"socket_unix":    func(*fixture) unix.Errno { return sys(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0) },
	"socket_packet":  func(*fixture) unix.Errno { return sys(unix.SYS_SOCKET, unix.AF_PACKET, unix.SOCK_RAW, 0) },
	"socket_netlink": func(*fixture) unix.Errno { return sys(unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW, 0) },
	"connect_on_pkt": func(f *fixture) unix.Errno { return withLoopback(unix.SYS_CONNECT, f) },
	"bind_on_pkt":    func(f *fixture) unix.Errno { return withLoopback(unix.SYS_BIND, f) },
	"setsockopt_detach_filter": func(f *fixture) unix.Errno {
		var v int32
		return sys(unix.SYS_SETSOCKOPT, f.packet, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, ptr(&v), 4)
	},
	"sendto_pkt": func(f *fixture) unix.Errno {
		return sys(unix.SYS_SENDTO, f.packet, ptr(&f.scratch[0]), 64, 0, 0, 0)
	},
	"sendmsg_pkt": func(f *fixture) unix.Errno {
		iov := unix.Iovec{Base: &f.scratch[0], Len: 64}
		msg := unix.Msghdr{Iov: &iov, Iovlen: 1}
		return sys(unix.SYS_SENDMSG, f.packet, ptr(&msg), 0)
	},
	"write_pkt": func(f *fixture) unix.Errno { return sys(unix.SYS_WRITE, f.packet, ptr(&f.scratch[0]), 64) },

	"ptrace_traceme":     func(*fixture) unix.Errno { return sys(unix.SYS_PTRACE, unix.PTRACE_TRACEME, 0, 0, 0) },
	"ptrace_attach_ppid": func(f *fixture) unix.Errno { return sys(unix.SYS_PTRACE, unix.PTRACE_ATTACH, f.parent, 0, 0) },
	"process_vm_readv": func(f *fixture) unix.Errno {
		local := unix.Iovec{Base: &f.scratch[0], Len: 8}
		remote := unix.RemoteIovec{Base: uintptr(unsafe.Pointer(&f.scratch[64])), Len: 8}
		return sys(unix.SYS_PROCESS_VM_READV, uintptr(os.Getpid()), ptr(&local), 1, ptr(&remote), 1, 0)
	},
	"kill_ppid":   func(f *fixture) unix.Errno { return sys(unix.SYS_KILL, f.parent, 0) },
	"pidfd_open":  func(*fixture) unix.Errno { return sys(unix.SYS_PIDFD_OPEN, uintptr(os.Getpid()), 0) },
	"pidfd_getfd": func(f *fixture) unix.Errno { return sys(unix.SYS_PIDFD_GETFD, f.memfd, 0, 0) },

	"bpf_map_create": func(*fixture) unix.Errno { _, errno := newMap(); return errno },
	"bpf_prog_load": func(f *fixture) unix.Errno {
		// r0 = 0; exit: a socket filter, which unprivileged users may load where the kernel still lets them.
		insns := [2]uint64{0xb7, 0x95}
		attr := struct {
			kind, count    uint32
			insns, license uint64
			rest           [96]byte
		}{1, 2, uint64(ptr(&insns)), uint64(str("GPL")), [96]byte{}}
		return sys(unix.SYS_BPF, unix.BPF_PROG_LOAD, ptr(&attr), unsafe.Sizeof(attr))
	},
	"bpf_map_update": func(f *fixture) unix.Errno {
		var key uint32
		value := uint64(7)
		attr := struct {
			fd         uint64
			key, value uint64
			flags      uint64
		}{uint64(f.bpfMap), uint64(ptr(&key)), uint64(ptr(&value)), 0}
		return sys(unix.SYS_BPF, unix.BPF_MAP_UPDATE_ELEM, ptr(&attr), unsafe.Sizeof(attr))
	},

	"execve": func(*fixture) unix.Errno {
		argv := []uintptr{str("true"), 0}
		return sys(unix.SYS_EXECVE, str("/bin/true"), ptr(&argv[0]), 0)
	},
	"execveat": func(*fixture) unix.Errno {
		argv := []uintptr{str("true"), 0}
		return sys(unix.SYS_EXECVEAT, cwd, str("/bin/true"), ptr(&argv[0]), 0, 0)
	},
	"fork":          func(*fixture) unix.Errno { return spawn(uintptr(unix.SIGCHLD)) },
	"clone_newuser": func(*fixture) unix.Errno { return spawn(uintptr(unix.SIGCHLD) | unix.CLONE_NEWUSER) },
	"clone3": func(*fixture) unix.Errno {
		args := [8]uint64{4: uint64(unix.SIGCHLD)}
		pid, _, errno := unix.RawSyscall(unix.SYS_CLONE3, ptr(&args), 64, 0)
		if errno == 0 && pid == 0 {
			unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
		}
		return errno
	},
	"unshare_user": func(*fixture) unix.Errno { return sys(unix.SYS_UNSHARE, unix.CLONE_NEWUSER) },
	"setns":        func(f *fixture) unix.Errno { return sys(unix.SYS_SETNS, f.memfd, 0) },
	"mount": func(f *fixture) unix.Errno {
		return sys(unix.SYS_MOUNT, str("none"), str(f.folder), str("tmpfs"), 0, 0)
	},
	"umount":     func(f *fixture) unix.Errno { return sys(unix.SYS_UMOUNT2, str(f.folder), 0) },
	"chroot":     func(f *fixture) unix.Errno { return sys(unix.SYS_CHROOT, str(f.folder)) },
	"pivot_root": func(f *fixture) unix.Errno { return sys(unix.SYS_PIVOT_ROOT, str(f.folder), str(f.folder)) },
	"setuid0":    func(*fixture) unix.Errno { return sys(unix.SYS_SETUID, 0) },
	"capset": func(*fixture) unix.Errno {
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		data := [2]unix.CapUserData{{Effective: 1, Permitted: 1}}
		return sys(unix.SYS_CAPSET, ptr(&hdr), ptr(&data), 0)
	},
	"prlimit": func(*fixture) unix.Errno {
		limit := unix.Rlimit{Cur: 4, Max: 4}
		return sys(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_MSGQUEUE, ptr(&limit), 0)
	},
	"prctl_dumpable": func(*fixture) unix.Errno { return sys(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1, 0, 0, 0) },
	"seccomp_again": func(*fixture) unix.Errno {
		allow := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: sandbox.Allowed}
		prog := unix.SockFprog{Len: 1, Filter: &allow}
		unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
		return sys(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, ptr(&prog))
	},
	"personality": func(*fixture) unix.Errno { return sys(unix.SYS_PERSONALITY, 0xffffffff) },
	"ioctl_tiocsti": func(f *fixture) unix.Errno {
		return sys(unix.SYS_IOCTL, 0, unix.TIOCSTI, ptr(&f.scratch[0]))
	},

	"mmap_exec": func(*fixture) unix.Errno {
		return sys(unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON, ^uintptr(0), 0)
	},
	"mprotect_exec": func(f *fixture) unix.Errno {
		page := uintptr(unsafe.Pointer(&f.scratch[4095])) &^ 4095
		return sys(unix.SYS_MPROTECT, page, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC)
	},
	"mmap_file_shared": func(f *fixture) unix.Errno {
		return sys(unix.SYS_MMAP, 0, 4096, unix.PROT_READ, unix.MAP_SHARED, f.memfd, 0)
	},
	"memfd_create": func(*fixture) unix.Errno { return sys(unix.SYS_MEMFD_CREATE, str("x"), 0) },
	"shmget":       func(*fixture) unix.Errno { return sys(unix.SYS_SHMGET, unix.IPC_PRIVATE, 4096, 0o600) },
	"io_uring_setup": func(*fixture) unix.Errno {
		var params [120]byte
		return sys(unix.SYS_IO_URING_SETUP, 1, ptr(&params))
	},
	"userfaultfd": func(*fixture) unix.Errno { return sys(unix.SYS_USERFAULTFD, 1) },
	"perf_event_open": func(*fixture) unix.Errno {
		attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})), Bits: unix.PerfBitExcludeKernel}
		return sys(unix.SYS_PERF_EVENT_OPEN, ptr(&attr), 0, ^uintptr(0), ^uintptr(0), 0)
	},
	"keyctl": func(*fixture) unix.Errno { return sys(unix.SYS_KEYCTL, unix.KEYCTL_GET_KEYRING_ID, ^uintptr(2), 1) },

	"init_module":  func(f *fixture) unix.Errno { return sys(unix.SYS_INIT_MODULE, ptr(&f.scratch[0]), 64, str("")) },
	"finit_module": func(f *fixture) unix.Errno { return sys(unix.SYS_FINIT_MODULE, f.memfd, str(""), 0) },
	"kexec_load":   func(*fixture) unix.Errno { return sys(unix.SYS_KEXEC_LOAD, 0, 0, 0, 0) },
	"reboot": func(*fixture) unix.Errno {
		return sys(unix.SYS_REBOOT, unix.LINUX_REBOOT_MAGIC1, unix.LINUX_REBOOT_MAGIC2, unix.LINUX_REBOOT_CMD_CAD_OFF, 0)
	},
	"swapon":       func(*fixture) unix.Errno { return sys(unix.SYS_SWAPON, str("/nowhere"), 0) },
	"settimeofday": func(*fixture) unix.Errno { return sys(unix.SYS_SETTIMEOFDAY, 0, ptr(&[2]int32{})) },
	"sethostname":  func(*fixture) unix.Errno { return sys(unix.SYS_SETHOSTNAME, str("x"), 1) },
	"x32_getpid":   func(*fixture) unix.Errno { return sys(sandbox.X32Bit | unix.SYS_GETPID) },
	"int80": func(f *fixture) unix.Errno {
		if r := int64(f.int80()); r < 0 {
			return unix.Errno(-r)
		}
		return 0
	},
}

const cwd = ^uintptr(99) // AT_FDCWD, -100

func sys(number uintptr, args ...uintptr) unix.Errno {
	var a [6]uintptr
	copy(a[:], args)
	_, _, errno := unix.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
	return errno
}

// kept holds what the kernel gets pointers to.
var kept []any

func ptr[T any](v *T) uintptr {
	kept = append(kept, v)
	return uintptr(unsafe.Pointer(v))
}

func str(s string) uintptr {
	b, err := unix.BytePtrFromString(s)
	if err != nil {
		panic(err)
	}
	return ptr(b)
}

func open(path string, flags uintptr) unix.Errno {
	return sys(unix.SYS_OPENAT, cwd, str(path), flags|unix.O_CLOEXEC, 0o600)
}

func spawn(flags uintptr) unix.Errno {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, flags, 0, 0, 0, 0, 0)
	if errno == 0 && pid == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	return errno
}

// withLoopback calls bind or connect with the address of lo.
func withLoopback(number uintptr, f *fixture) unix.Errno {
	addr := unix.RawSockaddrLinklayer{Family: unix.AF_PACKET, Protocol: 0x0300, Ifindex: 1}
	return sys(number, f.packet, ptr(&addr), unsafe.Sizeof(addr))
}

// newMap makes an array of one 8-byte element.
func newMap() (uintptr, unix.Errno) {
	attr := struct {
		kind, key, value, entries uint32
		rest                      [112]byte
	}{2, 4, 8, 1, [112]byte{}}
	fd, _, errno := unix.RawSyscall(unix.SYS_BPF, unix.BPF_MAP_CREATE, ptr(&attr), unsafe.Sizeof(attr))
	return fd, errno
}

// int80Code is mov eax,20 (getpid of the i386 ABI); int 0x80; cdqe; ret
var int80Code = []byte{0xb8, 0x14, 0, 0, 0, 0xcd, 0x80, 0x48, 0x98, 0xc3}

// newInt80 must run before the sandbox forbids code.
func newInt80() (func() uint64, error) {
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	copy(page, int80Code)
	if err := unix.Mprotect(page, unix.PROT_READ|unix.PROT_EXEC); err != nil {
		return nil, err
	}
	entry := uintptr(unsafe.Pointer(&page[0]))
	value := &entry
	kept = append(kept, value)
	return *(*func() uint64)(unsafe.Pointer(&value)), nil
}
