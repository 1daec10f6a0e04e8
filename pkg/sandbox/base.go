package sandbox

import (
	"slices"

	"golang.org/x/sys/unix"
)

// goThread are the flags with which the Go runtime makes a thread without cgo (runtime/os_linux.go); no other clone passes.
const goThread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM |
	unix.CLONE_THREAD | threadTLS

var (
	noExec   = condition{2, unix.PROT_EXEC, 0}  // mmap, mprotect: the protection
	noShared = condition{3, unix.MAP_SHARED, 0} // mmap: the flags
)

// runtimeCalls is what the Go runtime and the use of descriptors that are already there need.
var runtimeCalls = slices.Concat(
	Allow(
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_PREAD64, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_RECVMSG,
		unix.SYS_MUNMAP, unix.SYS_MADVISE, unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_NANOSLEEP,
		unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_GETTIMEOFDAY, unix.SYS_GETRANDOM,
		unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
		unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_SCHED_GETAFFINITY, unix.SYS_RESTART_SYSCALL,
		unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
		unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2, unix.SYS_PIPE2,
	),
	epollWait,
	OneOf(unix.SYS_CLONE, 0, goThread),
	OneOf(unix.SYS_PRCTL, 0, unix.PR_SET_VMA), // the runtime names its memory
	OneOf(unix.SYS_FCNTL, 1, unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL, unix.F_DUPFD_CLOEXEC),
	[]Rule{
		{unix.SYS_MMAP, []condition{noExec, noShared}, allowed},
		{unix.SYS_MPROTECT, []condition{noExec}, allowed},
		// Preemption, and dying of a signal: a process that is alone in its namespace can reach nobody else.
		{unix.SYS_TGKILL, nil, allowed},
	},
)

// softCalls fail with EACCES instead of ending the process where a profile does not allow them: libraries try them and
// go on without (the time zone, a terminal).
var softCalls = []uint32{unix.SYS_OPENAT, unix.SYS_NEWFSTATAT, unix.SYS_READLINKAT}

// FileCalls are for profiles with folders; Landlock says which.
var FileCalls = Allow(
	unix.SYS_OPENAT, unix.SYS_NEWFSTATAT, unix.SYS_LSEEK, unix.SYS_GETDENTS64)

// WriteCalls are for folders that may be written.
var WriteCalls = Allow(
	unix.SYS_PWRITE64, unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_FTRUNCATE, unix.SYS_MKDIRAT,
	unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_UNLINKAT, unix.SYS_FCHMOD, unix.SYS_FLOCK, unix.SYS_FSTATFS)

// SharedMemory is for rings and per-CPU arrays that are mapped; the runtime's own memory is private.
var SharedMemory = []Rule{{unix.SYS_MMAP, []condition{noExec}, allowed}}
