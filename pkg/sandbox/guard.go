package sandbox

import (
	"slices"

	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
)

// GuardCaps are the capabilities that the guard keeps.
var GuardCaps = []uintptr{unix.CAP_BPF, unix.CAP_NET_ADMIN, unix.CAP_PERFMON, unix.CAP_NET_RAW}

// Guard holds the kernel's keys: it loads and pins BPF, and sets ports up by netlink and ethtool. It can start no program
// and make no mount or namespace; what it is not meant to do fails with EPERM.
func Guard(b *ipc.Boot) Profile {
	return Profile{
		Name:  "guard",
		Read:  []string{"/sys", "/proc"},
		Write: []string{b.BPFDir, "/proc/sys/net"},
		Caps:  GuardCaps,
		Calls: slices.Concat(FileCalls, WriteCalls, SharedMemory,
			OneOf(unix.SYS_SOCKET, 0, unix.AF_NETLINK, unix.AF_INET, unix.AF_UNIX),
			Allow(
				unix.SYS_BPF, unix.SYS_IOCTL, unix.SYS_BIND, unix.SYS_CONNECT,
				unix.SYS_GETSOCKNAME, unix.SYS_GETSOCKOPT, unix.SYS_SETSOCKOPT, unix.SYS_SENDTO, unix.SYS_SENDMSG,
				unix.SYS_RECVFROM, unix.SYS_PRLIMIT64, unix.SYS_UNAME, unix.SYS_STATFS, unix.SYS_READLINKAT,
				unix.SYS_FACCESSAT2, unix.SYS_SCHED_SETAFFINITY),
		),
		Lenient:   true,
		OpenFiles: 1024,
	}
}
