// Package receiver watches a switch's wire to the gateway and counts the attackers' tagged frames on it, those that go
// to the gateway and those that come from it: of the latter there must be none.
package receiver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"citygate/testlab/attacker"
	"citygate/testlab/topology"
)

// Receiver listens in a switch's namespace. Its exported methods of two arguments are called over net/rpc.
type Receiver struct {
	*attacker.Sender
	socket *os.File
	fd     int

	mu      sync.Mutex
	kinds   map[string]*Count
	dhcp    map[string]int // DHCP server messages from the gateway, by source address
	dropped uint64
}

// Count is how many tagged frames of a kind passed the wire in each direction, and one of those that got through.
type Count struct {
	ToGateway   int    `json:"to_gateway"`
	FromGateway int    `json:"from_gateway"`
	Example     []byte `json:"example,omitempty"` // the first frame from the gateway
}

// Counts is all that a receiver saw.
type Counts struct {
	Kinds   map[string]Count `json:"kinds"`
	DHCP    map[string]int   `json:"dhcp"`    // DHCP server messages that came from the gateway, by source MAC
	Dropped uint64           `json:"dropped"` // frames that the receiver itself lost: then the counts prove nothing
}

const socketBuffer = 64 << 20

// New opens the switch's packet sockets.
func New(host topology.Host) (*Receiver, error) {
	sender, err := attacker.NewSender(host)
	if err != nil {
		return nil, err
	}
	r := &Receiver{Sender: sender, kinds: map[string]*Count{}, dhcp: map[string]int{}}
	if r.fd, err = open(topology.Uplink); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", topology.Uplink, err)
	}
	r.socket = os.NewFile(uintptr(r.fd), topology.Uplink)
	return r, nil
}

// open makes a filtered socket first and binds it then, so that nothing else gets into it.
func open(name string) (int, error) {
	link, err := net.InterfaceByName(name)
	if err != nil {
		return 0, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	program, err := bpf.Assemble(filter())
	if err != nil {
		unix.Close(fd)
		return 0, err
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: (*unix.SockFilter)(unsafe.Pointer(&program[0]))}
	all := int(binary.BigEndian.Uint16([]byte{unix.ETH_P_ALL & 0xff, unix.ETH_P_ALL >> 8}))
	err = errors.Join(
		unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBuffer),
		unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: link.Index, Protocol: uint16(all)}),
	)
	if err != nil {
		unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

// filter accepts tagged frames (attacker.ReadTag) and what a DHCP server says over IPv4 without options.
func filter() []bpf.Instruction {
	const accept, reject = 1 << 16, 0
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: 6, Size: 2}, // a tag in the source address
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: attacker.ShortPrefix, SkipTrue: 10},
		bpf.LoadExtension{Num: bpf.ExtLen}, // a tag at the end
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: attacker.ShortLen, SkipTrue: 9},
		bpf.ALUOpConstant{Op: bpf.ALUOpSub, Val: attacker.TagLen},
		bpf.TAX{},
		bpf.LoadIndirect{Off: 0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: attacker.TagMagic, SkipTrue: 4},
		bpf.LoadAbsolute{Off: 12, Size: 4}, // IPv4, version 4 and header length 5
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0x08004500, SkipTrue: 3},
		bpf.LoadAbsolute{Off: 34, Size: 2}, // from port 67: UDP's only use of it
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 67, SkipTrue: 1},
		bpf.RetConstant{Val: accept},
		bpf.RetConstant{Val: reject},
	}
}

// Run counts until ctx ends.
func (r *Receiver) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { r.socket.Close() })
	defer stop()
	conn, err := r.socket.SyscallConn()
	if err != nil {
		return err
	}
	buf := make([]byte, 1<<16)
	for ctx.Err() == nil {
		err := conn.Read(func(fd uintptr) bool {
			n, from, err := unix.Recvfrom(int(fd), buf, 0)
			if errors.Is(err, unix.EAGAIN) {
				return false
			}
			if link, ok := from.(*unix.SockaddrLinklayer); err == nil && ok {
				r.count(buf[:n], link.Pkttype == unix.PACKET_OUTGOING)
			}
			return true
		})
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("listen on the wire: %w", err)
		}
	}
	return nil
}

func (r *Receiver) count(frame []byte, toGateway bool) {
	tag, tagged := attacker.ReadTag(frame)
	kinds := attacker.Kinds()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !tagged || int(tag.Kind) >= len(kinds) {
		if !toGateway {
			r.dhcp[net.HardwareAddr(frame[6:12]).String()]++
		}
		return
	}
	name := kinds[tag.Kind].Name
	c := r.kinds[name]
	if c == nil {
		c = &Count{}
		r.kinds[name] = c
	}
	if toGateway {
		c.ToGateway++
		return
	}
	if c.FromGateway++; c.Example == nil {
		c.Example = append([]byte(nil), frame[:min(len(frame), 256)]...)
	}
}

// Counts gives what was seen so far.
func (r *Receiver) Counts(_ struct{}, out *Counts) error {
	stats, err := unix.GetsockoptTpacketStats(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return fmt.Errorf("read what the receiver lost: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped += uint64(stats.Drops) // the kernel's count starts again with each reading
	out.Kinds, out.DHCP, out.Dropped = map[string]Count{}, map[string]int{}, r.dropped
	for k, c := range r.kinds {
		out.Kinds[k] = *c
	}
	for k, n := range r.dhcp {
		out.DHCP[k] = n
	}
	return nil
}
