package sandbox

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"citygate/pkg/ipc"
)

var testBoot = &ipc.Boot{
	Config: "/etc/citygate/citygate.yaml", Policy: "/etc/citygate/policy.yaml", StateDir: "/var/lib/citygate",
	LogDir: "/var/log/citygate", RunDir: "/run/citygate", BPFDir: "/sys/fs/bpf/citygate", UIDBase: 47100,
}

var profiles = map[string]Profile{
	"control": Control(testBoot), "journal": Journal(testBoot), "watch": Watch(), "boot": Boot(testBoot.Config), "guard": Guard(testBoot),
}

// judge runs a profile's filter in the interpreter of x/net/bpf, which reads words big-endian.
func judge(t *testing.T, p Profile, arch, number uint32, args ...uint64) uint32 {
	t.Helper()
	filter, err := p.filter([]int{3, 4})
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
	binary.BigEndian.PutUint32(data[offCall:], number)
	binary.BigEndian.PutUint32(data[offArch:], arch)
	for i, a := range args {
		binary.BigEndian.PutUint32(data[offArgs+8*i+lowWord:], uint32(a))
		binary.BigEndian.PutUint32(data[offArgs+8*i+highWord:], uint32(a>>32))
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
		{"read", "watch", x86, unix.SYS_READ, nil, allowed},
		{"execve", "watch", x86, unix.SYS_EXECVE, nil, killed},
		{"execve in the guard", "guard", x86, unix.SYS_EXECVE, nil, eperm},
		{"read by another architecture", "watch", unix.AUDIT_ARCH_I386, unix.SYS_READ, nil, killed},
		{"read by x32", "watch", x86, x32Bit | unix.SYS_READ, nil, killed},
		{"read by x32 in the guard", "guard", x86, x32Bit | unix.SYS_READ, nil, killed},
		{"a Go thread", "control", x86, unix.SYS_CLONE, []uint64{goThread}, allowed},
		{"a process", "control", x86, unix.SYS_CLONE, []uint64{uint64(unix.SIGCHLD)}, killed},
		{"a user namespace", "control", x86, unix.SYS_CLONE, []uint64{goThread | unix.CLONE_NEWUSER}, killed},
		{"a thread with high bits", "control", x86, unix.SYS_CLONE, []uint64{goThread | high}, killed},
		{"clone3", "control", x86, unix.SYS_CLONE3, nil, killed},
		{"private memory", "journal", x86, unix.SYS_MMAP, []uint64{0, 4096, 3, unix.MAP_PRIVATE | unix.MAP_ANON}, allowed},
		{"shared memory", "journal", x86, unix.SYS_MMAP, []uint64{0, 4096, 3, unix.MAP_SHARED}, killed},
		{"validated shared memory", "journal", x86, unix.SYS_MMAP, []uint64{0, 4096, 3, unix.MAP_SHARED_VALIDATE}, killed},
		{"a ring buffer", "watch", x86, unix.SYS_MMAP, []uint64{0, 4096, 3, unix.MAP_SHARED}, allowed},
		{"code", "watch", x86, unix.SYS_MMAP, []uint64{0, 4096, 7, unix.MAP_PRIVATE}, killed},
		{"data into code", "watch", x86, unix.SYS_MPROTECT, []uint64{0, 4096, unix.PROT_EXEC}, killed},
		{"message on a channel", "watch", x86, unix.SYS_SENDMSG, []uint64{4}, allowed},
		{"message elsewhere", "watch", x86, unix.SYS_SENDMSG, []uint64{5}, killed},
		{"message on a channel with high bits", "watch", x86, unix.SYS_SENDMSG, []uint64{4 | high}, killed},
		{"map lookup", "watch", x86, unix.SYS_BPF, []uint64{unix.BPF_MAP_LOOKUP_ELEM}, allowed},
		{"map update", "control", x86, unix.SYS_BPF, []uint64{unix.BPF_MAP_UPDATE_ELEM}, killed},
		{"map lookup in the journal", "journal", x86, unix.SYS_BPF, []uint64{unix.BPF_MAP_LOOKUP_ELEM}, killed},
		{"open in control", "control", x86, unix.SYS_OPENAT, nil, allowed},
		{"stat in watch", "watch", x86, unix.SYS_NEWFSTATAT, nil, refused},
		{"accept in control", "control", x86, unix.SYS_ACCEPT4, nil, allowed},
		{"accept in the journal", "journal", x86, unix.SYS_ACCEPT4, nil, killed},
		{"the runtime names memory", "boot", x86, unix.SYS_PRCTL, []uint64{unix.PR_SET_VMA}, allowed},
		{"dumpable", "boot", x86, unix.SYS_PRCTL, []uint64{unix.PR_SET_DUMPABLE, 1}, killed},
		{"a netlink socket in the guard", "guard", x86, unix.SYS_SOCKET, []uint64{unix.AF_NETLINK}, allowed},
		{"an IPv6 socket in the guard", "guard", x86, unix.SYS_SOCKET, []uint64{unix.AF_INET6}, eperm},
	}
	for _, tt := range tests {
		if got := judge(t, profiles[tt.profile], tt.arch, tt.call, tt.args...); got != tt.want {
			t.Errorf("%s: %s gets %#x, want %#x", tt.profile, tt.name, got, tt.want)
		}
	}
}

// Every number that no profile lists ends a worker or is refused.
func TestFilterDefault(t *testing.T) {
	for name, p := range profiles {
		listed := map[uint32]bool{unix.SYS_SENDMSG: true}
		for _, r := range join(runtimeCalls, p.Calls) {
			listed[r.call] = true
		}
		for n := range uint32(600) {
			if got := judge(t, p, unix.AUDIT_ARCH_X86_64, n); !listed[n] && got == allowed {
				t.Errorf("%s: call %d is allowed", name, n)
			}
		}
	}
}

// Enter must refuse a process that the launcher did not prepare.
func TestEnterRefuses(t *testing.T) {
	if err := Enter(Watch()); err == nil {
		t.Fatal("entered without the launcher's part")
	}
}
