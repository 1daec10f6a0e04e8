package sandbox_test

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
	"citygate/pkg/sandbox/profile"
)

var testBoot = &ipc.Boot{
	Config: "/etc/citygate/citygate.yaml", Policy: "/etc/citygate/policy.yaml", StateDir: "/var/lib/citygate",
	LogDir: "/var/log/citygate", RunDir: "/run/citygate", BPFDir: "/sys/fs/bpf/citygate", UIDBase: 47100,
}

var profiles = map[string]sandbox.Profile{
	"control": profile.Control(testBoot), "journal": profile.Journal(testBoot), "watch": profile.Watch(), "boot": profile.Boot(testBoot.Config), "guard": sandbox.Guard(testBoot),
	"firewall": profile.Firewall(), "inspect": profile.Inspect(8, false),
}

// judge runs a profile's filter in the interpreter of x/net/bpf, which reads words big-endian.
func judge(t *testing.T, p sandbox.Profile, arch, number uint32, args ...uint64) uint32 {
	t.Helper()
	filter, err := sandbox.Filter(p, []int{3, 4})
	if err != nil {
		t.Fatal(err)
	}
	var raw []bpf.RawInstruction
	for _, f := range filter {
		raw = append(raw, bpf.RawInstruction{Op: f.Code, Jt: f.Jt, Jf: f.Jf, K: f.K})
	}
	prog, ok := bpf.Disassemble(raw)
	if !ok {
		t.Fatal("the filter does not disassemble")
	}
	vm, err := bpf.NewVM(prog)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data[sandbox.OffCall:], number)
	binary.BigEndian.PutUint32(data[sandbox.OffArch:], arch)
	for i, a := range args {
		binary.BigEndian.PutUint32(data[sandbox.OffArgs+8*i+sandbox.LowWord:], uint32(a))
		binary.BigEndian.PutUint32(data[sandbox.OffArgs+8*i+sandbox.HighWord:], uint32(a>>32))
	}
	action, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(action)
}

func TestFilter(t *testing.T) {
	const x86 = unix.AUDIT_ARCH_X86_64
	const high = 1 << 32
	tests := []struct {
		name, profile string
		arch, call    uint32
		args          []uint64
		want          uint32
	}{
		{"read", "watch", x86, unix.SYS_READ, nil, sandbox.Allowed},
		{"execve", "watch", x86, unix.SYS_EXECVE, nil, sandbox.Killed},
		{"execve in the guard", "guard", x86, unix.SYS_EXECVE, nil, sandbox.EPERM},
		{"read by another architecture", "watch", unix.AUDIT_ARCH_I386, unix.SYS_READ, nil, sandbox.Killed},
		{"read by x32", "watch", x86, sandbox.X32Bit | unix.SYS_READ, nil, sandbox.Killed},
		{"read by x32 in the guard", "guard", x86, sandbox.X32Bit | unix.SYS_READ, nil, sandbox.Killed},
		{"a Go thread", "control", x86, unix.SYS_CLONE, []uint64{sandbox.GoThread}, sandbox.Allowed},
		{"a process", "control", x86, unix.SYS_CLONE, []uint64{uint64(unix.SIGCHLD)}, sandbox.Killed},
		{"a user namespace", "control", x86, unix.SYS_CLONE, []uint64{sandbox.GoThread | unix.CLONE_NEWUSER}, sandbox.Killed},
		{"a thread with high bits", "control", x86, unix.SYS_CLONE, []uint64{sandbox.GoThread | high}, sandbox.Killed},
		{"clone3", "control", x86, unix.SYS_CLONE3, nil, sandbox.Killed},
		{"private memory", "journal", x86, unix.SYS_MMAP, []uint64{0, 4096, 3, unix.MAP_PRIVATE | unix.MAP_ANON}, sandbox.Allowed},
		{"shared memory", "journal", x86, unix.SYS_MMAP, []uint64{0, 4096, 3, unix.MAP_SHARED}, sandbox.Killed},
		{"validated shared memory", "journal", x86, unix.SYS_MMAP, []uint64{0, 4096, 3, unix.MAP_SHARED_VALIDATE}, sandbox.Killed},
		{"a ring buffer", "watch", x86, unix.SYS_MMAP, []uint64{0, 4096, 3, unix.MAP_SHARED}, sandbox.Allowed},
		{"code", "watch", x86, unix.SYS_MMAP, []uint64{0, 4096, 7, unix.MAP_PRIVATE}, sandbox.Killed},
		{"data into code", "watch", x86, unix.SYS_MPROTECT, []uint64{0, 4096, unix.PROT_EXEC}, sandbox.Killed},
		{"message on a channel", "watch", x86, unix.SYS_SENDMSG, []uint64{4}, sandbox.Allowed},
		{"message elsewhere", "watch", x86, unix.SYS_SENDMSG, []uint64{5}, sandbox.Killed},
		{"message on a channel with high bits", "watch", x86, unix.SYS_SENDMSG, []uint64{4 | high}, sandbox.Killed},
		{"map lookup", "watch", x86, unix.SYS_BPF, []uint64{unix.BPF_MAP_LOOKUP_ELEM}, sandbox.Allowed},
		{"map update", "control", x86, unix.SYS_BPF, []uint64{unix.BPF_MAP_UPDATE_ELEM}, sandbox.Killed},
		{"map lookup in the journal", "journal", x86, unix.SYS_BPF, []uint64{unix.BPF_MAP_LOOKUP_ELEM}, sandbox.Killed},
		{"open in control", "control", x86, unix.SYS_OPENAT, nil, sandbox.Allowed},
		{"stat in watch", "watch", x86, unix.SYS_NEWFSTATAT, nil, sandbox.Refused},
		{"accept in control", "control", x86, unix.SYS_ACCEPT4, nil, sandbox.Allowed},
		{"accept in the journal", "journal", x86, unix.SYS_ACCEPT4, nil, sandbox.Killed},
		{"the runtime names memory", "boot", x86, unix.SYS_PRCTL, []uint64{unix.PR_SET_VMA}, sandbox.Allowed},
		{"dumpable", "boot", x86, unix.SYS_PRCTL, []uint64{unix.PR_SET_DUMPABLE, 1}, sandbox.Killed},
		{"a netlink socket in the guard", "guard", x86, unix.SYS_SOCKET, []uint64{unix.AF_NETLINK}, sandbox.Allowed},
		{"a netlink socket in the firewall", "firewall", x86, unix.SYS_SOCKET, []uint64{unix.AF_NETLINK}, sandbox.Allowed},
		{"a packet socket in the firewall", "firewall", x86, unix.SYS_SOCKET, []uint64{unix.AF_PACKET}, sandbox.Killed},
		{"a file in the firewall", "firewall", x86, unix.SYS_OPENAT, nil, sandbox.Refused},
		{"BPF in the firewall", "firewall", x86, unix.SYS_BPF, []uint64{unix.BPF_MAP_LOOKUP_ELEM}, sandbox.Killed},
		{"a socket in inspect", "inspect", x86, unix.SYS_SOCKET, []uint64{unix.AF_UNIX}, sandbox.Killed},
		{"a file in inspect", "inspect", x86, unix.SYS_OPENAT, nil, sandbox.Refused},
		{"a message from inspect", "inspect", x86, unix.SYS_SENDMSG, []uint64{1}, sandbox.Killed},
		{"BPF in inspect", "inspect", x86, unix.SYS_BPF, []uint64{unix.BPF_MAP_LOOKUP_ELEM}, sandbox.Killed},
		{"an IPv6 socket in the guard", "guard", x86, unix.SYS_SOCKET, []uint64{unix.AF_INET6}, sandbox.EPERM},
	}
	for _, tt := range tests {
		if got := judge(t, profiles[tt.profile], tt.arch, tt.call, tt.args...); got != tt.want {
			t.Errorf("%s: %s gets %#x, want %#x", tt.profile, tt.name, got, tt.want)
		}
	}
}

// Every number that no profile lists ends a worker or is sandbox.Refused.
func TestFilterDefault(t *testing.T) {
	for name, p := range profiles {
		listed := sandbox.Listed(p)
		listed[unix.SYS_SENDMSG] = true
		for n := range uint32(600) {
			if got := judge(t, p, unix.AUDIT_ARCH_X86_64, n); !listed[n] && got == sandbox.Allowed {
				t.Errorf("%s: call %d is allowed", name, n)
			}
		}
	}
}

// Enter must refuse a process that the launcher did not prepare.
func TestEnterRefuses(t *testing.T) {
	if err := sandbox.Enter(profile.Watch()); err == nil {
		t.Fatal("entered without the launcher's part")
	}
}
