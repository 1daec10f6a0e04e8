//go:build lab

package firewall

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"citygate/pkg/flow"
	"citygate/pkg/ipc"
)

const childEnv = "CITYGATE_FIREWALL_CHILD"

// ownNetwork runs the rest of the test in a child process with a network namespace of its own. It reports whether this
// is the child.
func ownNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv(childEnv) != "" {
		return true
	}
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	return false
}

// The box has eth0 (10.9.0.1, fd09::1) for management and eth1 (10.8.0.1) for something else; people are in a second
// namespace, behind both.
type network struct {
	box, people netns.NsHandle
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T) network {
	t.Helper()
	runtime.LockOSThread()
	var n network
	var err error
	n.box, err = netns.Get()
	must(t, err)
	n.people, err = netns.New() // and the thread is in it
	must(t, err)
	must(t, netns.Set(n.box))
	for i, dev := range []string{"eth0", "eth1"} {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = dev
		must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "p" + dev, PeerNamespace: netlink.NsFd(n.people)}))
		up(t, dev, fmt.Sprintf("10.%d.0.1/24", 9-i), fmt.Sprintf("fd0%d::1/64", 9-i))
	}
	up(t, "lo")
	n.in(t, n.people, func() {
		up(t, "peth0", "10.9.0.2/24", "10.9.0.200/24", "fd09::2/64", "fd09::bad/64")
		up(t, "peth1", "10.8.0.2/24")
	})
	return n
}

func up(t *testing.T, dev string, addrs ...string) {
	t.Helper()
	l, err := netlink.LinkByName(dev)
	must(t, err)
	for _, a := range addrs {
		addr, err := netlink.ParseAddr(a)
		must(t, err)
		addr.Flags = syscall.IFA_F_NODAD
		must(t, netlink.AddrAdd(l, addr))
	}
	must(t, netlink.LinkSetUp(l))
}

// in runs fn with the thread in a namespace.
func (n network) in(t *testing.T, ns netns.NsHandle, fn func()) {
	t.Helper()
	must(t, netns.Set(ns))
	fn()
	must(t, netns.Set(n.box))
}

// connects dials from a source address of the people. A dialer with one address and no timeout race opens its socket on
// this thread, so in the thread's namespace.
func (n network) connects(t *testing.T, from, to string) (ok bool) {
	t.Helper()
	n.in(t, n.people, func() {
		d := net.Dialer{Timeout: 400 * time.Millisecond, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("tcp", to)
		if ok = err == nil; ok {
			_ = c.Close()
		}
	})
	return ok
}

// ping sends an echo request and waits for a message of the answer's type.
func ping(t *testing.T, network, to string, request []byte, answer byte) {
	t.Helper()
	c, err := net.Dial(network, to)
	must(t, err)
	defer c.Close()
	must(t, c.SetDeadline(time.Now().Add(2*time.Second)))
	_, err = c.Write(request)
	must(t, err)
	buf := make([]byte, 1500)
	for {
		n, _, err := c.(*net.IPConn).ReadFrom(buf) // without the IP header
		if err != nil {
			t.Errorf("no echo reply from %s: %v", to, err)
			return
		}
		if n > 0 && buf[0] == answer {
			return
		}
	}
}

func listen(t *testing.T, addrs ...string) {
	t.Helper()
	for _, a := range addrs {
		l, err := net.Listen("tcp", a)
		must(t, err)
		t.Cleanup(func() { l.Close() })
	}
}

func ruleset(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		t.Skipf("nft is not installed: %v", err)
	}
	return string(out)
}

var management = ipc.Management{
	Interface: "eth0",
	AllowFrom: []netip.Prefix{
		netip.MustParsePrefix("10.9.0.0/28"), netip.MustParsePrefix("10.9.0.2/32"), netip.MustParsePrefix("fd09::/120"),
	},
	Ports: []ipc.PortRange{{Proto: flow.TCP, Lo: 22, Hi: 22}, {Proto: flow.TCP, Lo: 8440, Hi: 8449}, {Proto: flow.UDP, Lo: 161, Hi: 161}},
}

// Only the allowed addresses reach only the allowed ports of the management interface; other interfaces and loopback
// are open; connections from the box work; what Remove leaves is as if nothing had been.
func TestFirewall(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	n := build(t)
	listen(t, ":22", ":23", ":8443")
	before := ruleset(t)
	must(t, Remove()) // nothing there: no error
	for range 2 {
		must(t, Apply(management))
	}
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"10.9.0.2", "10.9.0.1:22", true},
		{"10.9.0.2", "10.9.0.1:8443", true},
		{"10.9.0.2", "10.9.0.1:23", false},
		{"10.9.0.200", "10.9.0.1:22", false},
		{"fd09::2", "[fd09::1]:22", true},
		{"fd09::2", "[fd09::1]:23", false},
		{"fd09::bad", "[fd09::1]:22", false},
		{"10.8.0.2", "10.8.0.1:23", true},
	} {
		if got := n.connects(t, c.from, c.to); got != c.want {
			t.Errorf("%s -> %s: %v, want %v", c.from, c.to, got, c.want)
		}
	}
	c, err := net.Dial("tcp", "127.0.0.1:23")
	must(t, err)
	_ = c.Close()
	var back net.Listener
	n.in(t, n.people, func() { back, err = net.Listen("tcp", "10.9.0.200:9000") })
	must(t, err)
	c, err = net.DialTimeout("tcp", "10.9.0.200:9000", time.Second)
	must(t, err) // established: the answers come in
	_, _ = c.Close(), back.Close()
	n.in(t, n.people, func() {
		ping(t, "ip4:icmp", "10.9.0.1", []byte{8, 0, 0xf7, 0xff, 0, 0, 0, 0}, 0)
		ping(t, "ip6:ipv6-icmp", "fd09::1", []byte{128, 0, 0, 0, 0, 0, 0, 0}, 129) // the kernel fills in the checksum
	})

	must(t, Apply(ipc.Management{Interface: "eth0"})) // nothing is allowed
	if n.connects(t, "10.9.0.2", "10.9.0.1:22") {
		t.Error("without addresses and ports one connects")
	}
	must(t, Apply(ipc.Management{}))
	if got := ruleset(t); got != before {
		t.Errorf("no interface leaves\n%s", got)
	}
	if !n.connects(t, "10.9.0.200", "10.9.0.1:23") {
		t.Error("without a table one does not connect")
	}
	must(t, Remove())
}

// Applying twice is applying once, and a foreign table is left alone.
func TestIdempotent(t *testing.T) {
	if !ownNetwork(t) {
		return
	}
	build(t)
	const foreign = "add table ip other; add chain ip other c { type filter hook input priority 1; policy accept; }"
	if out, err := exec.Command("nft", foreign).CombinedOutput(); err != nil {
		t.Skipf("nft is not installed: %v: %s", err, out)
	}
	before := ruleset(t)
	must(t, Apply(management))
	once := ruleset(t)
	must(t, Apply(management))
	if twice := ruleset(t); twice != once {
		t.Errorf("once\n%s\ntwice\n%s", once, twice)
	}
	for _, want := range []string{
		"table inet citygate", "policy drop", `iifname != "eth0" accept`, "10.9.0.0/28", "fd09::/120", "8440-8449", "established",
	} {
		if !strings.Contains(once, want) {
			t.Errorf("no %q in\n%s", want, once)
		}
	}
	t.Log(once)
	must(t, Remove())
	if got := ruleset(t); got != before {
		t.Errorf("before\n%s\nafter Remove\n%s", before, got)
	}
}
