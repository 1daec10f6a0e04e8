package profile

import (
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
)

// Control may serve connections of the listener that it was given, write its state folder, read the folders of the
// config and the policy, and read maps.
func Control(b *ipc.Boot) sandbox.Profile {
	return sandbox.Profile{
		Name:     "control",
		ReadFile: mapFiles,
		Read:     []string{filepath.Dir(b.Config), filepath.Dir(b.Policy)},
		Write:    []string{b.StateOf(ipc.Control)},
		Calls: slices.Concat(sandbox.FileCalls, sandbox.WriteCalls, mapCalls, sandbox.Allow(
			unix.SYS_ACCEPT4, unix.SYS_GETSOCKOPT, unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_SHUTDOWN,
		)),
		Isolated:  true,
		OpenFiles: 256,
		Exceptions: map[string]string{
			"write_pkt": "it answers on connections by write; it is given no packet socket",
		},
	}
}

// mapFiles are what cilium/ebpf reads to know how long a per-CPU value is.
var mapFiles = []string{"/sys/devices/system/cpu/possible"}

// mapCalls read BPF maps through descriptors that came over a channel: no map or program can be made or changed.
var mapCalls = sandbox.OneOf(unix.SYS_BPF, 0,
	unix.BPF_MAP_LOOKUP_ELEM, unix.BPF_MAP_GET_NEXT_KEY, unix.BPF_MAP_LOOKUP_BATCH, unix.BPF_OBJ_GET_INFO_BY_FD)
