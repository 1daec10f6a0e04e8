package sandbox

import "golang.org/x/sys/unix"

// goThread are the flags with which the Go runtime makes a thread without cgo (runtime/os_linux.go); no other clone passes.
const goThread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM |
	unix.CLONE_THREAD | threadTLS

var (
	noExec   = condition{2, unix.PROT_EXEC, 0}  // mmap, mprotect: the protection
	noShared = condition{3, unix.MAP_SHARED, 0} // mmap: the flags
)

// runtimeCalls is what the Go runtime and the use of descriptors that are already there need.
var runtimeCalls = join(
	call(allowed,
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_PREAD64, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_RECVMSG,
		unix.SYS_MUNMAP, unix.SYS_MADVISE, unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_NANOSLEEP,
		unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_GETTIMEOFDAY, unix.SYS_GETRANDOM,
		unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
		unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_SCHED_GETAFFINITY, unix.SYS_RESTART_SYSCALL,
		unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
		unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2, unix.SYS_PIPE2,
	),
	epollWait,
	oneOf(unix.SYS_CLONE, 0, goThread),
	oneOf(unix.SYS_PRCTL, 0, unix.PR_SET_VMA), // the runtime names its memory
	oneOf(unix.SYS_FCNTL, 1, unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL, unix.F_DUPFD_CLOEXEC),
	[]rule{
		{unix.SYS_MMAP, []condition{noExec, noShared}, allowed},
		{unix.SYS_MPROTECT, []condition{noExec}, allowed},
		// Preemption, and dying of a signal: a process that is alone in its namespace can reach nobody else.
		{unix.SYS_TGKILL, nil, allowed},
	},
)

// softCalls fail with EACCES instead of ending the process where a profile does not allow them: libraries try them and
// go on without (the time zone, a terminal).
var softCalls = []uint32{unix.SYS_OPENAT, unix.SYS_NEWFSTATAT, unix.SYS_READLINKAT}

// fileCalls are for profiles with folders; Landlock says which.
var fileCalls = call(allowed,
	unix.SYS_OPENAT, unix.SYS_NEWFSTATAT, unix.SYS_LSEEK, unix.SYS_GETDENTS64)

// writeCalls are for folders that may be written.
var writeCalls = call(allowed,
	unix.SYS_PWRITE64, unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_FTRUNCATE, unix.SYS_MKDIRAT,
	unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_UNLINKAT, unix.SYS_FCHMOD, unix.SYS_FLOCK, unix.SYS_FSTATFS)

// mapFiles are what cilium/ebpf reads to know how long a per-CPU value is.
var mapFiles = []string{"/sys/devices/system/cpu/possible"}

// mapCalls read BPF maps through descriptors that came over a channel: no map or program can be made or changed.
var mapCalls = oneOf(unix.SYS_BPF, 0,
	unix.BPF_MAP_LOOKUP_ELEM, unix.BPF_MAP_GET_NEXT_KEY, unix.BPF_MAP_LOOKUP_BATCH, unix.BPF_OBJ_GET_INFO_BY_FD)
