package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"citygate/pkg/control/api"
	"citygate/pkg/ipc"
	"citygate/pkg/link"
	"citygate/pkg/sandbox"

	"golang.org/x/sys/unix"
)

// host is a machine as doctor sees it; tests make others.
type host struct {
	uid      int
	release  string
	exists   func(path string) bool
	landlock func() int // ABI, 0 = none
	seccomp  func() bool
	bpffs    func(path string) bool
	free     func(path string) (uint64, error) // bytes
	port     func(name, peer string) (ipc.PortState, error)
}

// thisHost looks at the machine without changing it, and without root.
func thisHost() host {
	var u unix.Utsname
	_ = unix.Uname(&u) // an empty release is reported as too old
	return host{
		uid:      os.Geteuid(),
		release:  unix.ByteSliceToString(u.Release[:]),
		exists:   func(path string) bool { _, err := os.Stat(path); return err == nil },
		landlock: landlockABI,
		seccomp: func() bool {
			actions, err := os.ReadFile("/proc/sys/kernel/seccomp/actions_avail")
			return err == nil && strings.Contains(string(actions), "kill_process")
		},
		bpffs: func(path string) bool {
			var fs unix.Statfs_t
			return unix.Statfs(path, &fs) == nil && fs.Type == unix.BPF_FS_MAGIC
		},
		free: freeBytes,
		port: link.Inspect,
	}
}

// landlockABI asks the kernel (landlock_create_ruleset(2), LANDLOCK_CREATE_RULESET_VERSION).
func landlockABI() int {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(abi)
}

// freeBytes is the room in the file system of a folder, or of the nearest one above that exists.
func freeBytes(path string) (uint64, error) {
	var fs unix.Statfs_t
	for {
		err := unix.Statfs(path, &fs)
		if err == nil {
			return fs.Bavail * uint64(fs.Bsize), nil
		}
		if !errors.Is(err, unix.ENOENT) || path == "/" {
			return 0, fmt.Errorf("look for room in %s: %w", path, err)
		}
		path = filepath.Dir(path)
	}
}

// findings gathers what doctor finds.
type findings struct{ checks []api.Check }

func (f *findings) add(name, state, text, remedy string) {
	f.checks = append(f.checks, api.Check{Name: name, State: state, Text: text, Remedy: remedy})
}

// expect adds ok or what is wrong.
func (f *findings) expect(good bool, name, text, state, bad, remedy string) {
	if good {
		f.add(name, "ok", text, "")
	} else {
		f.add(name, state, bad, remedy)
	}
}

// minFree is the room that a log of 256 MiB and its EVE files want.
const minFree = 512 << 20

func (h host) kernel(f *findings) {
	f.expect(h.uid == 0, "root", "yes", "warn", fmt.Sprintf("no, uid %d", h.uid), "citygate run needs it: sudo; what needs root to be seen is unknown here")
	var major, minor int
	_, _ = fmt.Sscanf(h.release, "%d.%d", &major, &minor) // 0.0 is too old
	f.expect(major > 6 || major == 6 && minor >= 1, "kernel", h.release, "fail", h.release+" is older than 6.1", "install Linux 6.1 or newer")
	f.expect(h.exists("/sys/kernel/btf/vmlinux"), "BTF", "yes", "fail", "/sys/kernel/btf/vmlinux does not exist", "use a kernel with CONFIG_DEBUG_INFO_BTF=y")
	f.expect(h.seccomp(), "seccomp", "kill_process", "fail", "the action kill_process is missing", "use a kernel with CONFIG_SECCOMP_FILTER=y")
	abi := h.landlock()
	switch {
	case abi < sandbox.MinLandlock:
		f.add("Landlock", "fail", fmt.Sprintf("ABI %d", abi), fmt.Sprintf("use a kernel with CONFIG_SECURITY_LANDLOCK=y and ABI %d or newer, and landlock in lsm=", sandbox.MinLandlock))
	case abi < 7:
		f.add("Landlock", "ok", fmt.Sprintf("ABI %d of 7; not restricted by it: %s (namespaces and seccomp do)", abi, landlockGaps(abi)), "")
	default:
		f.add("Landlock", "ok", fmt.Sprintf("ABI %d", abi), "")
	}
}

// landlockGaps names what came with later ABIs (Documentation/userspace-api/landlock.rst).
func landlockGaps(abi int) string {
	var gaps []string
	for _, g := range []struct {
		since int
		what  string
	}{{3, "truncate"}, {4, "TCP"}, {5, "device ioctls"}, {6, "abstract sockets and signals"}, {7, "audit of denials"}} {
		if abi < g.since {
			gaps = append(gaps, g.what)
		}
	}
	return strings.Join(gaps, ", ")
}

func (h host) folders(f *findings, p api.Paths) {
	switch {
	case h.bpffs(p.BPFDir) || h.bpffs(filepath.Dir(p.BPFDir)):
		f.add("bpffs", "ok", p.BPFDir, "")
	case h.uid != 0:
		f.add("bpffs", "unknown", p.BPFDir+" is no bpffs, or only root can see it", "citygate run mounts one there")
	default:
		f.add("bpffs", "ok", p.BPFDir+" is no bpffs yet; citygate run mounts one", "")
	}
	for _, dir := range []string{p.StateDir, p.LogDir} {
		free, err := h.free(dir)
		if err != nil {
			f.add("disk "+dir, "unknown", err.Error(), "")
			continue
		}
		text := fmt.Sprintf("%d MiB free", free>>20)
		f.expect(free >= minFree, "disk "+dir, text, "warn", text, fmt.Sprintf("the logs want %d MiB; when the disk is full, events are lost (and counted), traffic is not", minFree>>20))
	}
}

func (h host) ports(f *findings, p api.Paths) {
	for _, b := range p.Bridges {
		for i, port := range b.Ports {
			peer := b.Ports[1-i].Name
			s, err := h.port(port.Name, peer)
			if err != nil {
				f.add("port "+port.Name, "fail", err.Error(), "name an interface that `ip link` lists, or plug it in; look from the gateway's network namespace")
				continue
			}
			h.xdp(f, port.Name, s)
			for _, c := range s.Checks {
				state, text, remedy := portCheck(c, s.Mode != "none")
				f.add("port "+port.Name+": "+c.Name, state, text, remedy)
			}
		}
	}
}

// portCheck says what a setting means: a gateway that has the port has set it, one that starts will.
func portCheck(c ipc.PortCheck, taken bool) (state, text, remedy string) {
	switch {
	case c.State == ipc.CheckOK:
		return "ok", "yes", ""
	case c.State == ipc.CheckUnknown:
		return "unknown", "cannot be seen from here", c.Detail
	case taken || c.Name == "no addresses of the host" || c.Name == "equal MTU":
		return "fail", "no", c.Detail
	}
	return "ok", "not yet; citygate run sets it", ""
}

func (h host) xdp(f *findings, name string, s ipc.PortState) {
	switch s.Mode {
	case "native", "hardware":
		f.add("port "+name+": XDP", "ok", s.Mode, "")
	case "generic":
		f.add("port "+name+": XDP", "warn", "generic: the driver has no native XDP, so forwarding costs about four times as much", "use a network card whose driver has it: igb, igc, ixgbe, i40e, ice, mlx5, mvneta, virtio_net")
	default:
		f.add("port "+name+": XDP", "unknown", "not attached; citygate run finds out whether the driver has native XDP", "")
	}
}
