package reassembly

import (
	"strings"
	"testing"

	"citygate/pkg/packet"

	"pgregory.net/rapid"
)

// Who wins where a new segment overlaps one of [10, 20): o the old, n the new, for each policy in its order.
var overlapTable = []struct {
	from, to int
	wins     string
}{
	{10, 20, "onooon"},
	{10, 25, "ononon"},
	{10, 15, "onoooo"},
	{5, 20, "onnnnn"},
	{5, 25, "onnnnn"},
	{5, 15, "onnnno"},
	{15, 20, "onoooo"},
	{15, 25, "onooon"},
	{12, 18, "onoooo"},
}

func TestOverlapPolicies(t *testing.T) {
	for _, queued := range []bool{false, true} {
		for _, x := range overlapTable {
			for p := range policies {
				k := newTalk(t, Config{Policy: p})
				k.shake()
				if !queued {
					k.say(client, 0, "ppppp")
					k.say(client, 5, "ppppp")
				}
				k.say(client, 10, "oooooooooo")
				o := k.say(client, int64(x.from), strings.Repeat("n", x.to-x.from))
				if !o.Events.Has(OverlapDifferentData) || o.Drop {
					t.Errorf("%v [%d, %d): %+v", p, x.from, x.to, o)
				}
				if queued {
					k.say(client, 0, "pppppppppp")
				}
				k.end()
				from, to := max(x.from, 10), min(x.to, 20)
				want := strings.Repeat(x.wins[p:p+1], to-from)
				if got := string(k.read[client][from:to]); got != want {
					t.Errorf("queued %v, %v, [%d, %d): %q, want %q", queued, p, x.from, x.to, got, want)
				}
				if c := k.a.Counters(); c.Differing == 0 {
					t.Error("not counted")
				}
			}
		}
	}
}

// overlapModel is the overlap rules, byte by byte: the value of each and the run that it belongs to, 0 for none.
type overlapModel struct {
	value, run []int
	runs       int
}

func (m *overlapModel) put(p Policy, from, to, value int) {
	m.runs++
	own := m.runs
	old := append([]int(nil), m.run...)
	for i := from; i < to; {
		if old[i] == 0 {
			m.value[i], m.run[i] = value, own
			i++
			continue
		}
		a, b := i, i
		for a > 0 && old[a-1] == old[i] {
			a--
		}
		for b < len(old) && old[b] == old[i] {
			b++
		}
		end := min(b, to)
		if !p.wins(int64(from), int64(to), int64(a), int64(b)) {
			i = end
			m.runs++
			own = m.runs // what the segment has behind it is another run
			continue
		}
		for ; i < end; i++ {
			m.value[i], m.run[i] = value, own
		}
		if end < b {
			m.runs++
			for j := end; j < b; j++ {
				m.run[j] = m.runs
			}
		}
	}
}

// Any segments, each with its own value, give what the rules give byte by byte.
func TestOverlapsAsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := Policy(rapid.IntRange(0, int(policies)-1).Draw(rt, "policy"))
		size := rapid.SampledFrom([]int{60, 9000}).Draw(rt, "size")
		k := newTalk(t, Config{Policy: p})
		k.shake()
		m := overlapModel{value: make([]int, size), run: make([]int, size)}
		for i := range rapid.IntRange(1, 25).Draw(rt, "segments") {
			from := rapid.IntRange(0, size-1).Draw(rt, "from")
			to := rapid.IntRange(from+1, size).Draw(rt, "to")
			k.say(client, int64(from), strings.Repeat(string(rune('A'+i)), to-from))
			m.put(p, from, to, 'A'+i)
		}
		k.end()
		var want []byte
		for i, v := range m.value {
			switch {
			case v != 0:
				want = append(want, byte(v))
			case i+1 < size && m.value[i+1] != 0:
				want = append(want, '?')
			}
		}
		if got := string(k.read[client]); got != string(want) {
			rt.Fatalf("%v\ngot  %.300s\nwant %.300s", p, got, want)
		}
	})
}

// In line no two copies of a byte pass that differ, so every host reads what was read here, whatever its policy.
func TestInlineIsUnambiguous(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.SampledFrom([]int{30, 9000}).Draw(rt, "size")
		k := newTalk(t, inlineConfig)
		k.shake()
		passed := make([]byte, size)
		edge, acked := 0, 0
		for range rapid.IntRange(1, 40).Draw(rt, "segments") {
			from := rapid.IntRange(0, size-1).Draw(rt, "from")
			to := rapid.IntRange(from+1, size).Draw(rt, "to")
			data := []byte(strings.Repeat("a", to-from))
			if rapid.IntRange(0, 3).Draw(rt, "differs") == 0 {
				data[rapid.IntRange(0, to-from-1).Draw(rt, "where")] = 'b'
			}
			o := k.say(client, int64(from), string(data))
			if o.Drop {
				continue
			}
			for i := max(from, acked); i < to; i++ {
				if c := data[i-from]; passed[i] != 0 && passed[i] != c {
					rt.Fatalf("byte %d passes as %c and as %c", i, passed[i], c)
				} else {
					passed[i] = c
				}
			}
			for edge < size && passed[edge] != 0 {
				edge++
			}
			if got := string(k.read[client]); got != string(passed[:edge]) {
				rt.Fatalf("read %q, passed %q", got, passed[:edge])
			}
			if rapid.Bool().Draw(rt, "ack") {
				acked = edge
				k.acks(server, int64(edge))
			}
		}
		k.end()
	})
}

func TestInlineFirstCopyWins(t *testing.T) {
	runConversations(t, []conversation{
		{name: "the same place", config: inlineConfig, lines: shaken + `
			c PA 0 0 data=GOOD | established
			c PA 0 0 data=EVIL | established reassembly_overlap_different_data drop
			c PA 0 0 data=GOOD | established again
			s A 0 4 | established`, c: "GOOD"},
		{name: "longer, with another beginning", config: inlineConfig, lines: shaken + `
			c PA 0 0 data=GOOD | established
			c PA 0 0 data=EVILmore | established reassembly_overlap_different_data drop
			c PA 0 0 data=GOODmore | established`, c: "GOODmore"},
		{name: "against what is queued", config: inlineConfig, lines: shaken + `
			c PA 4 0 data=GOOD | established
			c PA 2 0 data=xxEVIL | established reassembly_overlap_different_data drop
			c PA 6 0 data=OXy | established reassembly_overlap_different_data drop
			c PA 0 0 data=1234GOOD56 | established`, c: "1234GOOD56"},
		{name: "acknowledged: its receiver takes no other copy", config: inlineConfig, lines: shaken + `
			c PA 0 0 data=GOOD | established
			s A 0 4 | established
			c PA 0 0 data=EVIL | established pkt_spurious_retransmission again`, c: "GOOD"},
		{name: "half of it acknowledged", config: inlineConfig, lines: shaken + `
			c PA 0 0 data=GOOD | established
			s A 0 2 | established
			c PA 0 0 data=GOXD | established reassembly_overlap_different_data drop`, c: "GOOD"},
	})
}

// What is in flight is kept to compare with, although its reader has released it.
func TestInlineKeepsUnacknowledged(t *testing.T) {
	k := newTalk(t, Config{Inline: true})
	k.isn = [2]uint32{1, 2}
	k.send(sent{d: client, flags: packet.SYN, seq: -1, opt: packet.TCPOptions{Scaled: true, Scale: 7}})
	k.send(sent{d: server, flags: packet.SYN | packet.ACK, seq: -1, opt: packet.TCPOptions{Scaled: true, Scale: 7}})
	k.send(sent{d: client, flags: packet.ACK})
	k.acks(server, 0)
	const segment = 1000
	for i := range int64(900) { // 900,000 bytes
		k.say(client, i*segment, strings.Repeat("a", segment))
	}
	if o := k.say(client, 5000, strings.Repeat("b", segment)); !o.Drop {
		t.Errorf("another copy of bytes in flight passes: %+v", o)
	}
	for i := int64(900); i < 3000; i++ {
		k.say(client, i*segment, strings.Repeat("a", segment))
	}
	if m := k.s.Stream(client).Memory(); m > 4*keepUnacked {
		t.Errorf("%d bytes are kept", m)
	}
	before := k.a.Counters().Unchecked
	if o := k.say(client, 5000, strings.Repeat("b", segment)); o.Drop || k.a.Counters().Unchecked != before+1 {
		t.Errorf("older than what is kept: %+v, %d counted", o, k.a.Counters().Unchecked-before)
	}
	k.end()
}

func TestUrgent(t *testing.T) {
	runConversations(t, []conversation{
		{name: "taken out", lines: shaken + `
			c PA 0 0 data=GET_/malic | established
			c PAU 10 0 data=X urg=1 | established
			c PA 11 0 data=ious | established
			s A 0 15 | established`, c: "GET_/malicious"},
		{name: "the last of two", lines: shaken + `
			c PAU 0 0 data=XY urg=2 | established
			c PA 2 0 data=z | established
			s A 0 3 | established`, c: "Xz"},
		{name: "in the middle, in line", config: inlineConfig, lines: shaken + `
			c PAU 0 0 data=abXcd urg=3 | established
			c PA 0 0 data=abXcd | established again
			c PA 0 0 data=abYcd | established again
			c PA 0 0 data=abXce | established reassembly_overlap_different_data drop
			c PA 4 0 data=de | established
			c PA 6 0 data=f | established`, c: "abcdef"},
		{name: "announced before it comes", lines: shaken + `
			c PAU 0 0 data=ab urg=4 | established
			c PA 2 0 data=cX | established
			c PA 4 0 data=d | established
			s A 0 5 | established`, c: "abcd"},
		{name: "out of order", lines: shaken + `
			c PAU 2 0 data=X urg=1 | established
			c PA 3 0 data=c | established
			c PA 0 0 data=ab | established
			s A 0 4 | established`, c: "abc"},
		{name: "left in", config: Config{Urgent: UrgentInline}, lines: shaken + `
			c PAU 0 0 data=abX urg=3 | established
			s A 0 3 | established`, c: "abX"},
		{name: "dropped in line", config: Config{Urgent: UrgentDrop, Inline: true}, lines: shaken + `
			c PAU 0 0 data=abX urg=3 | established drop
			c PA 0 0 data=abc | established`, c: "abc"},
		{name: "a gap", config: Config{Urgent: UrgentGap}, lines: shaken + `
			c PAU 0 0 data=abX urg=3 | established
			c PA 3 0 data=def | established
			s A 0 6 | established reassembly_seq_gap gap`, c: "?def"},
	})
}

func TestUrgentLimit(t *testing.T) {
	k := newTalk(t, Config{})
	k.shake()
	limit := 0
	for i := range int64(20) {
		o := k.send(sent{d: client, flags: packet.ACK | packet.URG, seq: 2 * i, data: "aX", urgent: 2})
		if o.Events.Has(UrgentOOBLimitReached) {
			limit++
		}
	}
	k.acks(server, 40)
	if want := strings.Repeat("a", maxUrgent) + strings.Repeat("aX", 20-maxUrgent); string(k.read[client]) != want {
		t.Errorf("read %q, want %q", k.read[client], want)
	}
	if c := k.a.Counters(); limit != 20-maxUrgent || c.UrgentTaken != maxUrgent || c.UrgentLimit != uint64(limit) {
		t.Errorf("%d events, %d taken out, %d counted", limit, c.UrgentTaken, c.UrgentLimit)
	}
	k.end()
}
