package sandbox

import "golang.org/x/sys/unix"

// epollWait is what cilium/ebpf's ring buffer reader calls; other architectures have only epoll_pwait.
var epollWait = call(allowed, unix.SYS_EPOLL_WAIT)
