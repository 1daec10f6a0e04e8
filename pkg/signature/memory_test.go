package signature

import (
	"fmt"
	"net/netip"
	"testing"

	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

// act reads a rule and does what it says if it holds; a script of rules shares one environment, flow and table of hosts.
type script struct {
	t   *testing.T
	env *Env
	c   *Context
}

func newScript(t *testing.T) *script {
	c := NewContext()
	c.Packet = &packet.Headers{Tuple: flow.FiveTuple{Src: testSrc, Dst: testDst}}
	c.Flow = &State{Bits: make([]uint64, 1), Ints: make([]uint32, 4), IntsSet: make([]uint64, 1)}
	c.Hosts = NewHosts(16)
	return &script{t, NewEnv(), c}
}

func (s *script) do(options string, want bool) {
	s.t.Helper()
	sig, err := Parse("f", 1, "alert ip any any -> any any ("+options+"; sid:1;)", s.env)
	if err != nil {
		s.t.Fatal(err)
	}
	s.c.Blob = sig.Blob
	got := s.c.Holds(sig.Packet)
	if got {
		s.c.Act(sig.Post)
	}
	if got != want {
		s.t.Errorf("%s: %v", options, got)
	}
}

func TestFlowbits(t *testing.T) {
	s := newScript(t)
	s.do("flowbits:isset,a", false)
	s.do("flowbits:isnotset,a", true)
	s.do("flowbits:set,a", true)
	s.do("flowbits:isset,a", true)
	s.do("flowbits:isset,b|a", true)
	s.do("flowbits:isset, b | c ", false)
	s.do("flowbits:isnotset,a|b", true)
	s.do("flowbits:isnotset,a", false)
	s.do("flowbits:isset,b; flowbits:set,c", false)
	s.do("flowbits:isset,c", false)
	s.do("flowbits:isset,a; flowbits:unset,a", true)
	s.do("flowbits:isset,a", false)
	s.do("flowbits:toggle,a", true)
	s.do("flowbits:isset,a", true)
	s.do("flowbits:toggle,a", true)
	s.do("flowbits:isset,a", false)
	// A bit beyond what the engine made room for is not set, and nothing goes wrong.
	for i := range 70 {
		s.do(fmt.Sprintf("flowbits:set,x%d", i), true)
	}
	s.do("flowbits:isset,x69", false)
	s.c.Flow = nil
	s.do("flowbits:isset,a", false)
	s.do("flowbits:isnotset,a", true)
	s.do("flowbits:set,a", true)
	if sig := parse(t, "alert ip any any -> any any (flowbits:set,a; flowbits:noalert; sid:1;)"); sig.Flags&NoAlert == 0 || len(sig.Post) != 1 {
		t.Errorf("noalert: %+v", sig)
	}
	for _, wrong := range []string{"flowbits", "flowbits:set", "flowbits:set,", "flowbits:keep,a", "flowbits:set,a|b", "flowbits:isset,a||b", "flowbits:set,a b"} {
		refusal(t, "alert ip any any -> any any ("+wrong+"; sid:1;)")
	}
}

func TestFlowint(t *testing.T) {
	s := newScript(t)
	s.do("flowint:n,isset", false)
	s.do("flowint:n,notset", true)
	s.do("flowint:n,==,0", false)
	s.do("flowint:n,-,1", true) // nothing to take from
	s.do("flowint:n,isnotset", true)
	s.do("flowint: n, +, 5", true)
	s.do("flowint:n,isset", true)
	s.do("flowint:n,==,5", true)
	s.do("flowint:n,+,2; flowint:n,>,4", true)
	s.do("flowint:n,>,7", false)
	s.do("flowint:n,>=,7", true)
	s.do("flowint:n,<,8", true)
	s.do("flowint:n,<=,6", false)
	s.do("flowint:n,!=,7", false)
	s.do("flowint:m,=,10", true)
	s.do("flowint:n,<,m", true)
	s.do("flowint:n,<,unset", false)
	s.do("flowint:n,-,m", true)
	s.do("flowint:n,==,4294967293", true) // 32 bits wrap around
	s.do("flowint:n,+,3", true)
	s.do("flowint:n,==,0", true)
	s.do("flowint:x1,=,1", true)
	s.do("flowint:x2,=,1", true) // beyond the room
	s.do("flowint:x2,isset", false)
	s.c.Flow = nil
	s.do("flowint:n,notset", false)
	for _, wrong := range []string{"flowint", "flowint:n", "flowint:n,+", "flowint:n,*,1", "flowint:n,+,4294967296", "flowint:n,isset,1", "flowint:,+,1", "flowint:n,+,1,2", "flowint:n,+,"} {
		refusal(t, "alert ip any any -> any any ("+wrong+"; sid:1;)")
	}
}

func TestXbits(t *testing.T) {
	s := newScript(t)
	const second = int64(1e9)
	s.do("xbits:isset,a,track ip_src", false)
	s.do("xbits:isnotset,a,track ip_src", true)
	s.do("xbits:set,a,track ip_src,expire 10", true)
	s.do("xbits:isset,a,track ip_src", true)
	s.do("xbits:isset,a,track ip_dst", false)
	s.do("hostbits:isset,a,src", false) // other names
	s.do("xbits:set,p,track ip_pair", true)
	s.do("hostbits:set,h", true)
	s.do("hostbits:set,h,dst", true)
	// The answer's source is the request's destination.
	s.c.Packet.Tuple = s.c.Packet.Tuple.Reverse()
	s.do("xbits:isset,a,track ip_src", false)
	s.do("xbits:isset,a,track ip_dst", true)
	s.do("xbits:isset,p,track ip_pair", true)
	s.do("hostbits:isset,h,src", true)
	s.c.Now = 10 * second
	s.do("xbits:isset,a,track ip_dst", true)
	s.c.Now++
	s.do("xbits:isset,a,track ip_dst", false)
	s.c.Now = 30*second + 1
	s.do("xbits:isset,p,track ip_pair", false) // 30 s without expire
	s.do("hostbits:isset,h", true)
	s.do("hostbits:toggle,h", true)
	s.do("hostbits:isset,h", false)
	s.do("hostbits:toggle,h", true)
	s.do("hostbits:unset,h", true)
	s.do("hostbits:isnotset,h", true)
	s.c.Packet = &packet.Headers{}
	s.do("xbits:isnotset,a,track ip_src", false) // no address, no answer
	for _, wrong := range []string{
		"xbits", "xbits:set,a", "xbits:set,a,track ip_via", "xbits:set,a,track tx", "xbits:set,,track ip_src", "xbits:keep,a,track ip_src",
		"xbits:set,a,expire 5", "xbits:set,a,track ip_src,expire 0", "xbits:set,a,track ip_src,colour red", "hostbits:set", "hostbits:set,a,both",
		"hostbits:keep,a", "hostbits:set,a,src,x",
	} {
		refusal(t, "alert ip any any -> any any ("+wrong+"; sid:1;)")
	}
}

// The table of hosts forgets what was not used for the longest time, and says how often it did.
func TestHosts(t *testing.T) {
	const limit = 100
	h := NewHosts(limit)
	key := func(i int) HostKey { return HostKeyOf(xBit, 1, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})) }
	for i := range limit {
		h.Set(key(i), 1000)
	}
	if !h.IsSet(key(0), 5) { // now 1 is the oldest
		t.Fatal("a bit is lost")
	}
	h.Set(key(limit), 1000)
	if h.IsSet(key(1), 5) || !h.IsSet(key(0), 5) || !h.IsSet(key(limit), 5) || h.Forgotten != 1 || h.Len() != limit {
		t.Errorf("forgotten %d, %d left", h.Forgotten, h.Len())
	}
	h.Unset(key(50))
	h.Unset(key(50))
	if h.IsSet(key(50), 5) || h.Len() != limit-1 {
		t.Errorf("unset: %d left", h.Len())
	}
	h.Set(key(500), 1000)
	if h.Forgotten != 1 {
		t.Error("a free entry was not used again")
	}
	if h.IsSet(key(7), 1001) || h.Len() != limit-1 {
		t.Error("a bit lives beyond its time")
	}
	want := map[int]bool{}
	for i := range 5000 {
		switch k := i * 7919 % 300; i % 3 {
		case 0:
			h.Unset(key(k))
			delete(want, k)
		default:
			h.Set(key(k), 1e9)
			want[k] = true
		}
	}
	for k := range 300 {
		if h.IsSet(key(k), 0) && !want[k] {
			t.Fatalf("%d is set", k)
		}
	}
	if n := testing.AllocsPerRun(1000, func() { h.Set(key(int(h.Forgotten)%1000), 1000); h.IsSet(key(3), 5) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if PairKeyOf(xBit, 1, testSrc, testDst) != PairKeyOf(xBit, 1, testDst, testSrc) {
		t.Error("a pair has an order")
	}
}

func TestSort(t *testing.T) {
	rules := []string{
		`alert ip any any -> any any (msg:"plain"; sid:1;)`,
		`alert ip any any -> any any (msg:"severe"; priority:1; sid:2;)`,
		`alert ip any any -> any any (msg:"reads x"; xbits:isset,x,track ip_src; sid:3;)`,
		`alert ip any any -> any any (msg:"reads"; flowbits:isset,a; priority:1; sid:4;)`,
		`alert ip any any -> any any (msg:"both"; flowbits:isset,a; flowbits:set,b; sid:5;)`,
		`alert ip any any -> any any (msg:"sets"; flowbits:set,a; priority:9; sid:6;)`,
		`alert ip any any -> any any (msg:"counts"; flowint:n,+,1; sid:7;)`,
		`drop ip any any -> any any (msg:"drop"; sid:8;)`,
		`pass ip any any -> any any (msg:"pass"; sid:9;)`,
		`reject ip any any -> any any (msg:"reject"; sid:10;)`,
		`alert ip any any -> any any (msg:"plain too"; sid:11;)`,
		`alert ip any any -> any any (msg:"sets x"; xbits:set,x,track ip_src; sid:12;)`,
		`alert ip any any -> any any (msg:"host"; hostbits:isset,x; sid:13;)`,
	}
	var signatures []*Signature
	for _, text := range rules {
		signatures = append(signatures, parse(t, text))
	}
	Sort(signatures)
	var got []string
	for _, s := range signatures {
		got = append(got, s.Msg)
	}
	want := "[pass drop reject sets both reads counts host sets x reads x severe plain plain too]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}
