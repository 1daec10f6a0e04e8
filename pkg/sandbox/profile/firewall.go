package profile

import (
	"golang.org/x/sys/unix"

	"citygate/pkg/sandbox"
)

// Firewall writes the box's own nftables table by netlink, once. It has no files and makes no other socket.
func Firewall() sandbox.Profile {
	return sandbox.Profile{
		Name: "firewall",
		Caps: []uintptr{unix.CAP_NET_ADMIN},
		Calls: append(sandbox.OneOf(unix.SYS_SOCKET, 0, unix.AF_NETLINK), sandbox.Allow(
			unix.SYS_BIND, unix.SYS_GETSOCKNAME, unix.SYS_GETSOCKOPT, unix.SYS_SETSOCKOPT, unix.SYS_SENDTO, unix.SYS_SENDMSG,
			unix.SYS_RECVFROM)...),
		OpenFiles: 32,
	}
}
