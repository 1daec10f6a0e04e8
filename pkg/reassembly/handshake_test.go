package reassembly

import (
	"strings"
	"testing"
)

func TestHandshakes(t *testing.T) {
	runConversations(t, []conversation{
		{name: "three ways", lines: shaken + `
			c PA 0 0 data=hello | established
			s A 0 5 | established`, c: "hello"},
		{name: "data with the last acknowledgement", lines: `
			c S -1 0 | syn_sent
			s SA -1 0 | syn_recv
			c PA 0 0 data=hello | established`, c: "hello"},
		{name: "split handshake", lines: `
			c S -1 0 | syn_sent
			s S -1 0 | syn_sent
			c SA -1 0 | syn_recv
			s A 0 0 | established
			c PA 0 0 data=EVIL | established
			s A 0 4 | established`, c: "EVIL"},
		{name: "split handshake, wrong numbers", lines: `
			c S -1 0 | syn_sent
			s S -1 0 | syn_sent
			c SA -1 7 | syn_sent 4whs_synack_with_wrong_ack invalid
			c SA 3 0 | syn_sent 4whs_synack_with_wrong_syn invalid
			c SA -1 0 | syn_recv
			s A 1 0 | syn_recv 4whs_wrong_seq invalid
			s A 0 70000 | syn_recv 4whs_invalid_ack pkt_invalid_ack invalid
			s A 0 0 | established`},
		{name: "simultaneous open", lines: `
			c S -1 0 | syn_sent
			s S -1 0 | syn_sent
			c SA -1 0 | syn_recv
			s SA -1 0 | established
			c A 0 0 data=a | established
			s A 0 1 data=b | established`, c: "a", s: "b"},
		{name: "SYN answered by a SYN, then by a SYN/ACK", lines: `
			c S -1 0 | syn_sent
			s S -1 0 | syn_sent
			s SA -1 0 | syn_recv
			c A 0 0 | established`},
		{name: "retransmissions", lines: `
			c S -1 0 | syn_sent
			c S -1 0 | syn_sent again
			s SA -1 0 | syn_recv
			s SA -1 0 | syn_recv again
			c S -1 0 | syn_recv again
			c A 0 0 | established
			s SA -1 0 | established again
			s A 0 0 data=x | established
			s SA -1 0 | established est_synack_resend invalid`, s: "x"},
		{name: "SYN/ACK of another answer is chosen by the client", lines: `
			c S -1 0 | syn_sent
			s SA 999 0 | syn_recv
			s SA -1 0 | syn_recv
			c A 0 0 | established
			s PA 0 0 data=right | established
			c A 0 5 | established`, s: "right"},
		{name: "SYN/ACK flood", config: Config{MaxSynAckQueued: 2}, lines: `
			c S -1 0 | syn_sent
			s SA -1 0 | syn_recv
			s SA 100 0 | syn_recv
			s SA 200 0 | syn_recv
			s SA 300 0 | syn_recv 3whs_synack_flood invalid
			c A 0 0 | established`},
		{name: "a second SYN is the one answered", lines: `
			c S 999 0 | syn_sent
			c S -1 0 | syn_sent
			s SA -1 0 | syn_recv
			c PA 0 0 data=x | established`, c: "x"},
		{name: "the first of two SYNs is answered", lines: `
			c S -1 0 | syn_sent
			c S 999 0 | syn_sent
			s SA -1 0 | syn_recv
			c PA 0 0 data=x | established`, c: "x"},
		{name: "SYN flood", config: Config{MaxSynQueued: 2}, lines: `
			c S -1 0 | syn_sent
			c S 10 0 | syn_sent
			c S 20 0 | syn_sent
			c S 30 0 | syn_sent 3whs_syn_flood invalid`},
		{name: "wrong SYN/ACKs", lines: `
			c S -1 0 | syn_sent
			s SA -1 5 | syn_sent 3whs_synack_with_wrong_ack invalid
			c SA -1 0 | syn_sent 3whs_synack_in_wrong_direction invalid
			s SA -1 0 | syn_recv
			s SA -1 5 | syn_recv 3whs_synack_resend_with_different_ack invalid
			c SA -1 0 | syn_recv 3whs_synack_toserver_on_syn_recv invalid
			s S -1 0 | syn_recv 3whs_syn_toclient_on_syn_recv invalid
			c S 7 0 | syn_recv 3whs_syn_resend_diff_seq_on_syn_recv invalid
			c A 0 9 | established`},
		{name: "wrong last acknowledgements in line", config: inlineConfig, lines: `
			c S -1 0 | syn_sent
			c A 0 0 data=early | syn_sent drop invalid
			s SA -1 0 | syn_recv
			c A 0 9 | syn_recv 3whs_right_seq_wrong_ack_evasion drop invalid
			c A 70000 9 | syn_recv 3whs_wrong_seq_wrong_ack drop invalid
			s A 0 0 | syn_recv 3whs_ack_in_wrong_dir drop invalid
			s A 0 0 data=injected | syn_recv 3whs_ack_data_inject drop invalid
			c A 0 0 | established`},
		{name: "the last acknowledgement was missed", lines: `
			c S -1 0 | syn_sent
			s SA -1 0 | syn_recv
			s PA 0 0 data=220 | established
			c A 0 3 | established`, s: "220"},
		{name: "established", lines: shaken + `
			c S -1 0 | established est_syn_resend invalid
			c S 9 0 | established est_syn_resend_diff_seq invalid
			s S -1 0 | established est_syn_toclient invalid
			c SA -1 0 | established est_synack_toserver invalid
			s SA -1 9 | established est_synack_resend_with_different_ack invalid
			s SA 8 0 | established est_synack_resend_with_diff_seq invalid
			c SFA 0 0 | established fin_syn invalid`},
		{name: "no session", lines: `
			c A 0 0 data=x | none ignored
			c R 0 0 | none rst_but_no_session invalid
			c FA 0 0 | none fin_but_no_session invalid
			s SA -1 0 | none ignored
			c . 0 0 | none ignored`},
	})
}

func TestFastOpen(t *testing.T) {
	runConversations(t, []conversation{
		{name: "taken", lines: `
			c S -1 0 data=GET tfo | syn_sent
			s SA -1 3 | syn_recv
			s A 0 3 data=200 | established
			c A 3 3 | established`, c: "GET", s: "200"},
		{name: "taken, then more", lines: `
			c S -1 0 data=GET tfo | syn_sent
			s SA -1 3 | syn_recv
			c A 3 0 data=/ | established
			s A 0 4 | established`, c: "GET/"},
		{name: "not taken", lines: `
			c S -1 0 data=EVIL tfo | syn_sent
			s SA -1 0 | syn_recv 3whs_synack_tfo_data_ignored
			c A 0 0 data=GOOD | established
			s A 0 4 | established`, c: "GOOD"},
		{name: "not taken in line: the first copy wins", config: inlineConfig, lines: `
			c S -1 0 data=GOOD tfo | syn_sent
			s SA -1 0 | syn_recv 3whs_synack_tfo_data_ignored
			c A 0 0 data=EVIL | established reassembly_overlap_different_data drop
			c A 0 0 data=GOOD | established
			s A 0 4 | established`, c: "GOOD"},
		{name: "data of a plain SYN are left", lines: `
			c S -1 0 data=EVIL | syn_sent
			s SA -1 0 | syn_recv
			c A 0 0 data=GOOD | established
			s A 0 4 | established`, c: "GOOD"},
		{name: "data of the SYN/ACK, taken", lines: `
			c S -1 0 | syn_sent
			s SA -1 0 data=EVIL | syn_recv
			c A 0 4 | established
			s A 4 0 data=! | established
			c A 0 5 | established`, s: "EVIL!"},
		{name: "data of the SYN/ACK, not taken", lines: `
			c S -1 0 | syn_sent
			s SA -1 0 data=GOOD | syn_recv
			c A 0 0 | established
			s A 0 0 data=EVIL! | established
			c A 0 5 | established`, s: "EVIL!"},
		{name: "data of the SYN/ACK, in line", config: inlineConfig, lines: `
			c S -1 0 | syn_sent
			s SA -1 0 data=GOOD | syn_recv
			c A 0 0 | established
			s A 0 0 data=EVIL! | established reassembly_overlap_different_data drop
			s A 0 0 data=GOOD! | established`, s: "GOOD!"},
		{name: "wrong answer", lines: `
			c S -1 0 data=GET tfo | syn_sent
			s SA -1 2 | syn_sent 3whs_synack_with_wrong_ack invalid`, c: "GET"},
	})
}

func TestMidstream(t *testing.T) {
	mid := Config{Midstream: true}
	runConversations(t, []conversation{
		{name: "the client first", config: mid, lines: `
			c PA 0 0 data=GET | established
			s PA 0 3 data=200 | established
			c A 3 3 | established`, c: "GET", s: "200"},
		{name: "an acknowledgement first", config: mid, lines: `
			c A 0 0 | established
			s A 0 0 data=200 | established
			c A 0 3 | established`, s: "200"},
		{name: "SYN/ACK first", config: mid, lines: `
			c SA -1 0 ws=7 | syn_recv swapped
			c A 0 0 | established
			s A 0 0 data=200 | established
			c A 0 3 data=GET | established
			s A 3 3 | established`, c: "GET", s: "200"},
		{name: "FIN first", config: mid, lines: `
			c FA 0 0 data=bye | close_wait
			s A 0 4 | close_wait
			s FA 0 4 | last_ack
			c A 4 1 | closed`, c: "bye"},
		{name: "windows are not known", config: mid, lines: `
			c A 0 0 data=a win=1 | established
			s A 0 1 size=5000 win=1 | established
			c A 1 5000 data=b | established`, c: "ab", s: strings.Repeat("x", 5000)},
		{name: "both sides, in line", config: Config{Midstream: true, Inline: true, DropInvalid: true}, lines: `
			c A 0 0 data=GET | established
			c A 0 0 data=GOT | established reassembly_overlap_different_data drop
			s A 0 3 data=200 | established`, c: "GET", s: "200"},
	})
}

func TestOneSided(t *testing.T) {
	one := Config{AsyncOneSide: true}
	runConversations(t, []conversation{
		{name: "the client", config: one, lines: `
			c S -1 0 | syn_sent
			c A 0 0 | established
			c PA 0 0 data=GET | established
			c PA 3 9000 data=/ | established
			c FA 4 9100 | close_wait`, c: "GET/"},
		{name: "the client, wrong sequence", config: one, lines: `
			c S -1 0 | syn_sent
			c A 5 0 | syn_sent 3whs_async_wrong_seq invalid`},
		{name: "the server", config: one, lines: `
			c SA -1 0 | syn_recv swapped
			s PA 0 50 data=200 | established
			s PA 3 50 data=OK | established`, s: "200OK"},
		{name: "another copy, in line", config: Config{AsyncOneSide: true, Inline: true}, lines: `
			c S -1 0 | syn_sent
			c A 0 0 data=GOOD | established
			c A 0 0 data=EVIL | established reassembly_overlap_different_data drop
			c A 4 0 data=! | established`, c: "GOOD!"},
		{name: "lost segments", config: one, lines: `
			c S -1 0 | syn_sent
			c A 0 0 data=abc | established
			c A 6 0 data=ghi | established reassembly_seq_gap gap
			c R 5 0 | established rst_out_of_window invalid
			c R 9 0 | closed`, c: "abc?ghi"},
		{name: "both after all", config: one, lines: `
			c S -1 0 | syn_sent
			s SA -1 0 | syn_recv
			c A 0 0 | established
			c A 0 0 data=abc | established
			c A 6 0 data=ghi | established
			c A 3 0 data=def | established
			s A 0 9 | established`, c: "abcdefghi"},
		{name: "not asked for", lines: `
			c S -1 0 | syn_sent
			c A 0 0 | syn_sent
			c PA 0 0 data=GET | syn_sent invalid`},
	})
}
