package sandbox

import (
	"path/filepath"

	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
)

// Control may serve connections of the listener that it was given, write its state folder, read the folders of the
// config and the policy, and read maps.
func Control(b *ipc.Boot) Profile {
	return Profile{
		Name:     "control",
		ReadFile: mapFiles,
		Read:     []string{filepath.Dir(b.Config), filepath.Dir(b.Policy)},
		Write:    []string{ControlDir(b)},
		Calls: join(fileCalls, writeCalls, mapCalls, call(allowed,
			unix.SYS_ACCEPT4, unix.SYS_GETSOCKOPT, unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME, unix.SYS_SHUTDOWN,
		)),
		Isolated:  true,
		OpenFiles: 256,
		Exceptions: map[string]string{
			"write_pkt": "it answers on connections by write; it is given no packet socket",
		},
	}
}

// ControlDir is control's state folder.
func ControlDir(b *ipc.Boot) string { return filepath.Join(b.StateDir, "control") }
