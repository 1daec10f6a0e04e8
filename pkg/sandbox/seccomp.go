package sandbox

import (
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Rule gives an action to a system call whose arguments meet all conditions. The first rule that fits counts.
type Rule struct {
	call   uint32
	when   []condition
	action uint32
}

// condition holds if the argument's bits under mask are value.
type condition struct {
	arg         uint32
	mask, value uint64
}

const (
	allowed = unix.SECCOMP_RET_ALLOW
	refused = unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)
	eperm   = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	killed  = uint32(unix.SECCOMP_RET_KILL_PROCESS)
)

// Offsets in struct seccomp_data (linux/seccomp.h); both architectures are little-endian.
const (
	offCall  = 0
	offArch  = 4
	offArgs  = 16
	x32Bit   = 0x40000000 // amd64: the x32 ABI's numbers
	exactly  = ^uint64(0)
	lowWord  = 0
	highWord = 4
)

var auditArch = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

// Allow allows calls whatever their arguments.
func Allow(numbers ...uint32) []Rule { return call(allowed, numbers...) }

func call(action uint32, numbers ...uint32) (rules []Rule) {
	for _, n := range numbers {
		rules = append(rules, Rule{call: n, action: action})
	}
	return rules
}

// OneOf allows a call if an argument has one of some values.
func OneOf(number, arg uint32, values ...uint64) (rules []Rule) {
	for _, v := range values {
		rules = append(rules, Rule{number, []condition{{arg, exactly, v}}, allowed})
	}
	return rules
}

// filter is the program for the kernel. Messages may be sent on channels only.
func (p Profile) filter(channels []int) ([]unix.SockFilter, error) {
	arch, ok := auditArch[runtime.GOARCH]
	if !ok {
		return nil, fmt.Errorf("no system call filter for %s", runtime.GOARCH)
	}
	otherwise := killed
	if p.Lenient {
		otherwise = eperm
	}
	rules := slices.Concat(runtimeCalls, p.Calls)
	for _, fd := range channels {
		rules = append(rules, OneOf(unix.SYS_SENDMSG, 0, uint64(fd))...)
	}
	rules = append(rules, call(refused, softCalls...)...)
	raw, err := bpf.Assemble(assemble(arch, rules, otherwise))
	if err != nil {
		return nil, fmt.Errorf("assemble the system call filter: %w", err)
	}
	out := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		out[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return out, nil
}

func assemble(arch uint32, rules []Rule, otherwise uint32) []bpf.Instruction {
	prog := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arch, SkipTrue: 1},
		bpf.RetConstant{Val: killed},
		bpf.LoadAbsolute{Off: offCall, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: x32Bit, SkipTrue: 1},
		bpf.RetConstant{Val: killed},
	}
	for _, r := range rules {
		prog = append(prog, r.block()...)
	}
	return append(prog, bpf.RetConstant{Val: otherwise})
}

// block tests one rule; each test that fails skips what is left of the block.
func (r Rule) block() []bpf.Instruction {
	tests := []bpf.Instruction{bpf.LoadAbsolute{Off: offCall, Size: 4}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: r.call}}
	for _, c := range r.when {
		for _, half := range []uint32{lowWord, highWord} {
			shift := half * 8
			tests = append(tests, bpf.LoadAbsolute{Off: offArgs + 8*c.arg + half, Size: 4},
				bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: uint32(c.mask >> shift)},
				bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(c.value >> shift)})
		}
	}
	block := append(tests, bpf.RetConstant{Val: r.action})
	for i, ins := range block {
		if j, ok := ins.(bpf.JumpIf); ok {
			j.SkipTrue = uint8(len(block) - i - 1)
			block[i] = j
		}
	}
	return block
}
