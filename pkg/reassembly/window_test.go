package reassembly

import (
	"strings"
	"testing"
)

func TestWindows(t *testing.T) {
	runConversations(t, []conversation{
		{name: "out of the window", config: inlineConfig, lines: `
			c S -1 0 win=100 | syn_sent
			s SA -1 0 win=10 | syn_recv
			c A 0 0 win=100 | established
			c PA 0 0 data=0123456789 win=100 | established
			c PA 10 0 data=x win=100 | established est_packet_out_of_window drop invalid
			s A 0 10 win=10 | established
			c PA 10 0 data=x win=100 | established`, c: "0123456789x"},
		{name: "partly out of it", config: inlineConfig, lines: `
			c S -1 0 win=100 | syn_sent
			s SA -1 0 win=10 | syn_recv
			c A 0 0 | established
			c PA 0 0 data=0123456789x | established est_packet_out_of_window drop invalid`},
		{name: "scaled", lines: `
			c S -1 0 win=10 ws=2 | syn_sent
			s SA -1 0 win=10 ws=4 | syn_recv
			c A 0 0 win=10 | established
			s A 0 0 size=40 win=10 | established
			s A 40 0 size=1 win=10 | established est_packet_out_of_window invalid
			c A 0 40 win=10 | established
			c A 0 40 size=160 win=10 | established
			c A 160 40 size=1 win=10 | established est_packet_out_of_window invalid
			s A 40 160 | established`, c: strings.Repeat("x", 160), s: strings.Repeat("x", 40)},
		{name: "scaled by one side only: by none", lines: `
			c S -1 0 win=10 ws=2 | syn_sent
			s SA -1 0 win=10 | syn_recv
			c A 0 0 win=10 | established
			s A 0 0 size=11 win=10 | established est_packet_out_of_window invalid
			c A 0 0 size=11 win=10 | established est_packet_out_of_window invalid`},
		{name: "zero window probe", lines: shaken + `
			c PA 0 0 data=abc | established
			s A 0 3 win=0 | established
			c PA 3 0 data=d | established
			s A 0 3 win=0 | established
			c PA 3 0 data=d | established
			s A 0 4 | established est_ack_zwp_data
			c PA 4 0 data=ef | established
			s A 0 6 | established`, c: "abcdef"},
		{name: "window that stays open once it was, whatever comes later", lines: shaken + `
			s A 0 0 win=0 | established
			c PA 0 0 data=abc | established
			s A 0 3 | established`, c: "abc"},
		{name: "acknowledgement of what was not sent", config: inlineConfig, lines: shaken + `
			s A 0 70000 | established est_invalid_ack pkt_invalid_ack drop invalid
			c PA 0 0 data=abc | established
			s A 0 3 | established`, c: "abc"},
		{name: "window update that blinds", lines: shaken + `
			c PA 0 0 data=abc | established
			s A 500 900 win=10 | established pkt_bad_window_update
			c PA 3 0 data=def | established
			s A 0 6 | established`, c: "abcdef"},
		{name: "outdated acknowledgement", lines: shaken + `
			c PA 0 0 data=abc | established
			s A 0 3 | established
			s A 0 0 | established`, c: "abc"},
		{name: "broken acknowledgement", lines: shaken + `
			c P 0 0 data=abc | established invalid
			c PA 0 0 data=xyz | established
			s A 0 3 | established`, c: "xyz"},
	})
}

func TestKeepAlive(t *testing.T) {
	runConversations(t, []conversation{
		{name: "empty", lines: shaken + `
			c PA 0 0 data=abc | established
			s A 0 3 | established
			c A 2 0 | established keepalive
			s A 0 3 | established`, c: "abc"},
		{name: "with a byte of rubbish", lines: shaken + `
			c PA 0 0 data=abc | established
			s A 0 3 | established
			c A 2 0 data=! | established keepalive
			s A 0 3 | established
			c PA 3 0 data=d | established
			s A 0 4 | established`, c: "abcd"},
		{name: "no keep-alive: its byte is not acknowledged", config: inlineConfig, lines: shaken + `
			c PA 0 0 data=abc | established
			c A 2 0 data=! | established reassembly_overlap_different_data drop`, c: "abc"},
	})
}

func TestTimestamps(t *testing.T) {
	const withTS = `
		c S -1 0 ts=100/0 | syn_sent
		s SA -1 0 ts=900/100 | syn_recv
		c A 0 0 ts=101/900 | established
	`
	runConversations(t, []conversation{
		{name: "forged", lines: withTS + `
			c PA 0 0 data=abc ts=102/900 | established
			s A 0 3 ts=901/102 | established
			c PA 3 0 data=bad ts=50/901 | established pkt_invalid_timestamp invalid
			c PA 3 0 data=def ts=103/901 | established
			s A 0 6 ts=902/103 | established`, c: "abcdef"},
		{name: "in line", config: inlineConfig, lines: withTS + `
			c PA 0 0 data=bad ts=99/900 | established pkt_invalid_timestamp drop invalid
			c PA 0 0 data=def ts=103/900 | established`, c: "def"},
		{name: "out of order", lines: withTS + `
			c PA 3 0 data=def ts=103/900 | established
			c PA 0 0 data=abc ts=102/900 | established
			s A 0 6 ts=901/103 | established`, c: "abcdef"},
		{name: "the clock turns", lines: `
			c S -1 0 ts=4294967290/0 | syn_sent
			s SA -1 0 ts=1/4294967290 | syn_recv
			c A 0 0 ts=4294967295/1 | established
			c PA 0 0 data=abc ts=5/1 | established
			s A 0 3 ts=2/5 | established`, c: "abc"},
		{name: "older by one, for Linux", config: Config{Policy: PolicyLinux}, lines: withTS + `
			c PA 0 0 data=abc ts=100/900 | established
			s A 0 3 ts=901/100 | established`, c: "abc"},
		{name: "older after 25 days", lines: withTS + `
			wait 600h
			c PA 0 0 data=abc ts=5/900 | established
			s A 0 3 ts=950/5 | established`, c: "abc"},
		{name: "used by one side only", lines: `
			c S -1 0 ts=100/0 | syn_sent
			s SA -1 0 | syn_recv
			c A 0 0 ts=5/0 | established
			c PA 0 0 data=abc ts=1/0 | established
			s A 0 3 | established`, c: "abc"},
		{name: "a SYN/ACK echoes another", lines: `
			c S -1 0 ts=100/0 | syn_sent
			s SA -1 0 ts=900/77 | syn_sent pkt_invalid_timestamp invalid
			s SA -1 0 ts=900/100 | syn_recv`},
		{name: "a SYN/ACK echoes the first of two SYNs", lines: `
			c S -1 0 ts=100/0 | syn_sent
			c S -1 0 ts=200/0 | syn_sent
			s SA -1 0 ts=900/100 | syn_recv`},
	})
}
