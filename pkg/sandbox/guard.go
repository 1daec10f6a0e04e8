package sandbox

import (
	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
)

// Guard holds the kernel's keys: it loads and pins BPF, sets ports up by netlink and ethtool, and writes the box's own
// firewall. It can start no program and make no mount or namespace; what it is not meant to do fails with EPERM.
func Guard(b *ipc.Boot) Profile {
	return Profile{
		Name:  "guard",
		Read:  []string{"/sys", "/proc"},
		Write: []string{b.BPFDir, "/proc/sys/net"},
		Caps:  []uintptr{unix.CAP_BPF, unix.CAP_NET_ADMIN, unix.CAP_PERFMON, unix.CAP_NET_RAW},
		Calls: join(fileCalls, writeCalls,
			// MAP_SHARED: per-CPU and memory-mapped arrays.
			[]rule{{unix.SYS_MMAP, []condition{noExec}, allowed}},
			oneOf(unix.SYS_SOCKET, 0, unix.AF_NETLINK, unix.AF_INET, unix.AF_UNIX),
			call(allowed,
				unix.SYS_BPF, unix.SYS_IOCTL, unix.SYS_BIND, unix.SYS_CONNECT,
				unix.SYS_GETSOCKNAME, unix.SYS_GETSOCKOPT, unix.SYS_SETSOCKOPT, unix.SYS_SENDTO, unix.SYS_SENDMSG,
				unix.SYS_RECVFROM, unix.SYS_PRLIMIT64, unix.SYS_UNAME, unix.SYS_STATFS, unix.SYS_READLINKAT,
				unix.SYS_FACCESSAT2, unix.SYS_SCHED_SETAFFINITY),
		),
		Lenient:   true,
		OpenFiles: 1024,
	}
}
