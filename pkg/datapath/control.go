package datapath

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"citygate/bpf"
	"citygate/pkg/ipc"
	"citygate/pkg/link"
)

// control is the program's word of state, in memory that the kernel shares: a store is seen by the next frame.
type control struct {
	*bpf.BridgeControl
	page []byte
}

func openControl(m *ebpf.Map) (*control, error) {
	page, err := unix.Mmap(m.FD(), 0, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the control word: %w", err)
	}
	return &control{(*bpf.BridgeControl)(unsafe.Pointer(&page[0])), page}, nil
}

func (c *control) close() { _ = unix.Munmap(c.page) }

func (c *control) configure(b ipc.BootBridge) {
	for _, f := range []struct {
		word *uint32
		on   bool
	}{
		{&c.Mode, !b.Enforce},
		{&c.FailClosed, !b.FailOpen},
		{&c.OverloadDrop, !b.OverloadPass},
		{&c.Stp, b.STP},
		{&c.Lldp, b.LLDP},
	} {
		v := uint32(0)
		if f.on {
			v = 1
		}
		atomic.StoreUint32(f.word, v)
	}
}

// setNetns tells the program's tracepoints which namespace the ports are in: this process's.
func (c *control) setNetns() error {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/net", &st); err != nil {
		return fmt.Errorf("read the network namespace: %w", err)
	}
	c.Netns = uint32(st.Ino)
	return nil
}

func (c *control) setPort(side, ifindex int) { atomic.StoreUint32(&c.Ifindex[side], uint32(ifindex)) }

// word is the active generation and the tag that cached verdicts must carry.
func (c *control) word() (generation, tag uint32) {
	w := atomic.LoadUint64(&c.Policy)
	return uint32(w), uint32(w >> 32)
}

// flip makes a generation the active one, in one store; all cached verdicts become misses.
func (c *control) flip(generation uint32) {
	_, tag := c.word()
	atomic.StoreUint64(&c.Policy, uint64(tag+1)<<32|uint64(generation))
}

func (c *control) setBefore(side int, b link.Before) {
	p := &c.Before[side]
	p.Flags, p.Offloads, p.NoIpv6 = b.Flags, b.Offloads, 0
	if b.NoIPv6 {
		p.NoIpv6 = 1
	}
	p.Ifindex = uint32(b.Index)
}

// portsBefore is what the ports were before the bridge took them.
func (c *control) portsBefore() (out []link.Before) {
	for _, b := range c.Before {
		if b.Ifindex != 0 {
			out = append(out, link.Before{Index: int(b.Ifindex), Flags: b.Flags, Offloads: b.Offloads, NoIPv6: b.NoIpv6 != 0})
		}
	}
	return out
}
