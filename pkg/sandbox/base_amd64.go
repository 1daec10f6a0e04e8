package sandbox

import "golang.org/x/sys/unix"

// epollWait is what cilium/ebpf's ring buffer reader calls; other architectures have only epoll_pwait.
var epollWait = Allow(unix.SYS_EPOLL_WAIT)

// threadTLS: here the runtime has the kernel set the thread's TLS register (runtime/sys_linux_amd64.s).
const threadTLS = unix.CLONE_SETTLS
