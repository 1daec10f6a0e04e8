package vms

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// skMeminfoDrops is the place of the drop counter in SO_MEMINFO's array (linux/sock_diag.h).
const skMeminfoDrops = 8

// socketDrops is how many packets a socket had no room for.
func socketDrops(fd int) (uint32, error) {
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, errno
	}
	return info[skMeminfoDrops], nil
}
