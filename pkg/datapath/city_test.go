//go:build lab

package datapath

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"citygate/pkg/datapath/reader"
	"citygate/pkg/flow"
	"citygate/pkg/ipc"
	"citygate/pkg/verdict"
)

// TestMain runs the tests in network and mount namespaces of their own: nothing here can touch the host.
func TestMain(m *testing.M) {
	if os.Getenv("CITYGATE_NS") == "" {
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Env = append(os.Environ(), "CITYGATE_NS=1")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		if err := cmd.Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	must(unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	must(unix.Mount("none", "/sys/fs/bpf", "bpf", 0, ""))
	os.Exit(m.Run())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// The city of these tests: two cameras (one by DHCP), a video server, a router with a server behind it.
const (
	lobby ipc.DeviceID = iota + 1
	hall
	main
	core
	remote
	everybody // 255.255.255.255
	discovery // 239.255.255.250
)

const (
	svcRTSP = iota
	svcRTP
	svcDHCP
	svcDHCPReply
	svcDiscovery
	svcDNS
	svcPing
)

var (
	macLobby  = flow.MAC{2, 0, 0, 0, 0, 0x11}
	macHall   = flow.MAC{2, 0, 0, 0, 0, 0x14}
	macMain   = flow.MAC{2, 0, 0, 0, 0, 0x02}
	macCore   = flow.MAC{2, 0, 0, 0, 0, 0xfe}
	macThief  = flow.MAC{2, 0, 0, 0, 0, 0x66}
	macAll    = flow.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	macSSDP   = flow.MAC{0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa}
	ipLobby   = netip.MustParseAddr("10.0.0.11")
	ipHall    = netip.MustParseAddr("10.0.0.14")
	ipMain    = netip.MustParseAddr("10.0.0.2")
	ipCore    = netip.MustParseAddr("10.0.0.254")
	ipRemote  = netip.MustParseAddr("10.7.0.3")
	ip6Lobby  = netip.MustParseAddr("fd00:10::11")
	ip6Main   = netip.MustParseAddr("fd00:10::2")
	addrGroup = netip.MustParseAddr("239.255.255.250")
)

func citySet() *ipc.PolicySet {
	one := func(a netip.Addr, d ipc.DeviceID) ipc.AddrEntry {
		return ipc.AddrEntry{Prefix: netip.PrefixFrom(a, a.BitLen()), Device: d}
	}
	set := &ipc.PolicySet{
		Devices: []ipc.DeviceEntry{
			{ID: lobby, Via: lobby, Side: flow.CameraSide},
			{ID: hall, Via: hall, Side: flow.CameraSide, Flags: ipc.DeviceDHCP},
			{ID: main, Via: main, Side: flow.ServerSide},
			{ID: core, Via: core, Side: flow.ServerSide, Flags: ipc.DeviceRouter},
			{ID: remote, Via: core, Side: flow.ServerSide},
			{ID: everybody, Via: everybody, Side: flow.AnySide, Flags: ipc.DeviceGroup},
			{ID: discovery, Via: discovery, Side: flow.AnySide, Flags: ipc.DeviceGroup},
		},
		MACs: []ipc.MACEntry{{MAC: macLobby, Device: lobby}, {MAC: macHall, Device: hall}, {MAC: macMain, Device: main}, {MAC: macCore, Device: core}},
		Addrs: []ipc.AddrEntry{
			one(ipLobby, lobby), one(ipMain, main), one(ipCore, core), one(ip6Lobby, lobby), one(ip6Main, main),
			{Prefix: netip.MustParsePrefix("10.7.0.0/28"), Device: remote},
			one(netip.MustParseAddr("255.255.255.255"), everybody), one(addrGroup, discovery),
		},
		Services: []ipc.ServiceEntry{
			{Service: svcRTSP, Proto: flow.TCP, Lo: 554, Hi: 554},
			{Service: svcRTP, Proto: flow.UDP, Lo: 1024, Hi: 65535},
			{Service: svcDHCP, Proto: flow.UDP, Lo: 67, Hi: 67},
			{Service: svcDHCPReply, Proto: flow.UDP, Lo: 68, Hi: 68},
			{Service: svcDiscovery, Proto: flow.UDP, Lo: 3702, Hi: 3702},
			{Service: svcDNS, Proto: flow.UDP, Lo: 53, Hi: 53},
			{Service: svcPing, Proto: flow.ICMP, Lo: 8, Hi: 8},
			{Service: svcPing, Proto: flow.ICMPv6, Lo: 128, Hi: 128},
		},
	}
	for _, cam := range []ipc.DeviceID{lobby, hall} {
		for _, server := range []ipc.DeviceID{main, remote} {
			set.Rules = append(set.Rules, ipc.RuleEntry{From: server, To: cam, Service: svcRTSP, Rule: 1})
		}
		set.Rules = append(set.Rules,
			ipc.RuleEntry{From: cam, To: remote, Service: svcRTP, Rule: 2},
			ipc.RuleEntry{From: cam, To: everybody, Service: svcDHCP, Rule: 3}, ipc.RuleEntry{From: cam, To: main, Service: svcDHCP, Rule: 3},
			ipc.RuleEntry{From: main, To: cam, Service: svcDHCPReply, Rule: 3}, ipc.RuleEntry{From: main, To: everybody, Service: svcDHCPReply, Rule: 3},
			ipc.RuleEntry{From: main, To: discovery, Service: svcDiscovery, Rule: 4}, ipc.RuleEntry{From: main, To: cam, Service: svcDiscovery, Rule: 4},
			ipc.RuleEntry{From: cam, To: main, Service: svcDNS, Rule: 5}, ipc.RuleEntry{From: main, To: cam, Service: svcPing, Rule: 6},
			ipc.RuleEntry{From: remote, To: cam, Service: svcPing, Rule: 6})
	}
	return set
}

// bench is a bridge between two veth pairs, with its counters.
type bench struct {
	*Bridge
	t     testing.TB
	read  *reader.Reader
	ports [2]int
}

var (
	enforcing  = ipc.BootBridge{CameraPort: "g0", ServerPort: "g1", Enforce: true, FailOpen: true, OverloadPass: true}
	monitoring = ipc.BootBridge{CameraPort: "g0", ServerPort: "g1", FailOpen: true, OverloadPass: true}
)

func openBench(t testing.TB, s ipc.BootBridge) *bench {
	t.Helper()
	for _, name := range []string{"g0", "g1"} {
		must(netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: name + "peer"}))
		t.Cleanup(func() {
			l, err := netlink.LinkByName(name)
			must(err)
			must(netlink.LinkDel(l))
		})
	}
	dir := "/sys/fs/bpf/test"
	b, err := Open(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Close()
		if err := Detach(dir); err != nil {
			t.Error(err)
		}
	})
	return newBench(t, b)
}

func newBench(t testing.TB, b *Bridge) *bench {
	t.Helper()
	maps, err := b.Maps()
	if err != nil {
		t.Fatal(err)
	}
	fds := map[string]int{}
	for name, m := range maps {
		fds[name], err = unix.Dup(m.FD())
		must(err)
		m.Close()
	}
	r, err := reader.Open(fds)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	c := &bench{Bridge: b, t: t, read: r}
	for i := range c.ports {
		c.ports[i] = int(b.control.Ifindex[i])
	}
	return c
}

func (c *bench) commit(set *ipc.PolicySet) uint32 {
	c.t.Helper()
	s, err := c.Stage(set)
	if err != nil {
		c.t.Fatal(err)
	}
	g, err := s.Activate()
	if err != nil {
		c.t.Fatal(err)
	}
	return g
}

type xdpMD struct{ Data, DataEnd, DataMeta, Ingress, Queue, Egress uint32 }

// send runs the program on a frame and says for which reason it left, and whether it was forwarded.
func (c *bench) send(side flow.Side, frame []byte) (verdict.Reason, bool) {
	c.t.Helper()
	before, err := c.read.Reasons()
	must(err)
	md := xdpMD{DataEnd: uint32(len(frame)), Ingress: uint32(c.ports[side])}
	action, err := c.prog.Run(&ebpf.RunOptions{Data: frame, Context: &md, DataOut: make([]byte, len(frame)+256)})
	if err != nil {
		c.t.Fatalf("run the program on %d bytes: %v", len(frame), err)
	}
	after, err := c.read.Reasons()
	must(err)
	for i := range after {
		if after[i].Frames == before[i].Frames+1 {
			const redirect = 4
			return after[i].Reason, action == redirect
		}
	}
	c.t.Fatal("the frame was not counted")
	return 0, false
}

// build serialises layers into a frame; lengths and checksums are made right unless raw.
func build(ls ...gopacket.SerializableLayer) []byte {
	buf := gopacket.NewSerializeBuffer()
	must(gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...))
	b := buf.Bytes()
	for len(b) < 60 {
		b = append(b, 0)
	}
	return b
}

func hw(m flow.MAC) net.HardwareAddr { return net.HardwareAddr(m[:]) }

func eth(src, dst flow.MAC, t layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: hw(src), DstMAC: hw(dst), EthernetType: t}
}

func ip4(src, dst netip.Addr, p layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, IHL: 5, TTL: 64, Protocol: p, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
}

func ip6(src, dst netip.Addr, p layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: p, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
}

type node struct {
	mac flow.MAC
	ip  netip.Addr
}

func tcp(a, b node, sport, dport uint16, syn, ack bool) []byte {
	t := &layers.TCP{SrcPort: layers.TCPPort(sport), DstPort: layers.TCPPort(dport), SYN: syn, ACK: ack, Window: 1000}
	if a.ip.Is6() {
		ip := ip6(a.ip, b.ip, layers.IPProtocolTCP)
		must(t.SetNetworkLayerForChecksum(ip))
		return build(eth(a.mac, b.mac, layers.EthernetTypeIPv6), ip, t)
	}
	ip := ip4(a.ip, b.ip, layers.IPProtocolTCP)
	must(t.SetNetworkLayerForChecksum(ip))
	return build(eth(a.mac, b.mac, layers.EthernetTypeIPv4), ip, t)
}

func udp(a, b node, sport, dport uint16, payload ...byte) []byte {
	u := &layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport)}
	ip := ip4(a.ip, b.ip, layers.IPProtocolUDP)
	must(u.SetNetworkLayerForChecksum(ip))
	return build(eth(a.mac, b.mac, layers.EthernetTypeIPv4), ip, u, gopacket.Payload(payload))
}
