package reassembly

import (
	"testing"

	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

func TestEventNames(t *testing.T) {
	seen := map[string]bool{}
	for e := range events {
		name := e.String()
		if name == "" || seen[name] {
			t.Errorf("event %d has the name %q", e, name)
		}
		seen[name] = true
		for _, n := range []string{name, "stream." + name} {
			if got, ok := EventByName(n); !ok || got != e {
				t.Errorf("%s is event %d, want %d", n, got, e)
			}
		}
		var s Events
		s.add(e)
		if !s.Has(e) || s.Len() != 1 || s.Empty() || s.AppendTo(nil)[0] != e {
			t.Errorf("a set of %s: %v", name, s)
		}
	}
	if _, ok := EventByName("no_such"); ok {
		t.Error("an unknown name is an event")
	}
	if events.String() != "unknown" || states.String() != "unknown" {
		t.Error("what is no event or state has a name")
	}
}

func TestSwap(t *testing.T) {
	k := newTalk(t, Config{Midstream: true})
	converse(t, k, `
		c PA 0 0 data=200 | established
		c FA 3 0 | close_wait`)
	k.s.Swap()
	if !k.s.Midstream() || !k.s.Established() || k.s.OneSided() || k.s.Reset() {
		t.Error("the session is not what it was")
	}
	k.wantState(FinWait1)
	k.isn[0], k.isn[1] = k.isn[1], k.isn[0]
	k.at = [2]uint64{k.at[1], k.at[0]}
	k.read[0], k.read[1] = k.read[1], k.read[0]
	converse(t, k, `
		c A 0 4 data=GET | fin_wait2
		s A 4 3 | fin_wait2`)
	k.wantRead(client, "GET")
	k.wantRead(server, "200")
	k.end()
}

// Close ends a session at any point; nothing panics, and nothing stays.
func TestCloseAnywhere(t *testing.T) {
	steps := []sent{
		{d: client, flags: packet.SYN, seq: -1, data: "tfo", opt: packet.TCPOptions{FastOpen: true}},
		{d: client, flags: packet.SYN, seq: 8},
		{d: server, flags: packet.SYN | packet.ACK, seq: -1},
		{d: server, flags: packet.SYN | packet.ACK, seq: 77},
		{d: client, flags: packet.ACK, data: "abc"},
		{d: client, flags: packet.ACK, seq: 9000, data: "xyz"},
		{d: server, flags: packet.ACK, seq: 5, data: "xyz"},
		{d: server, flags: packet.RST, seq: 8},
	}
	for n := range len(steps) + 1 {
		k := newTalk(t, Config{})
		for _, x := range steps[:n] {
			k.send(x)
		}
		k.end()
		k.wantState(Closed)
		k.a.Close(&k.s)
	}
	var s Session // of which nothing was seen
	a := New(Config{})
	a.Flush(&s)
	a.Settle(&s)
	a.Close(&s)
	if st := s.Stream(flow.ToServer); st.Ready() != 0 || st.Bytes(0) != nil || st.Gap(0) != 0 || st.Size() != 0 {
		t.Error("an empty stream has something")
	}
}

// A RST with a signature (TCP-MD5, TCP-AO) ends only a session that began with one: other hosts do not take it.
func TestSignedReset(t *testing.T) {
	for _, kind := range []uint8{19, 29} {
		signature := packet.TCPOptions{Kinds: [8]uint8{1, 1, kind}, N: 3}
		for _, signed := range []bool{false, true} {
			k := newTalk(t, Config{})
			opt := packet.TCPOptions{}
			if signed {
				opt = signature
			}
			k.send(sent{d: client, flags: packet.SYN, seq: -1, opt: opt})
			k.send(sent{d: server, flags: packet.SYN | packet.ACK, seq: -1, opt: opt})
			k.send(sent{d: client, flags: packet.ACK, opt: opt})
			out := k.send(sent{d: client, flags: packet.RST, opt: signature})
			if got := out.Events.Has(SuspectedRstInject); got == signed || k.s.Reset() != signed {
				t.Errorf("kind %d, session signed %v: suspected %v, reset %v", kind, signed, got, k.s.Reset())
			}
			k.end()
			k.a.Close(&k.s)
		}
	}
}
