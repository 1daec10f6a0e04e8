package reassembly

import (
	"testing"
)

func TestClosing(t *testing.T) {
	runConversations(t, []conversation{
		{name: "the client ends", lines: shaken + `
			c PA 0 0 data=bye | established
			c FA 3 0 | close_wait
			s A 0 4 | close_wait
			s PA 0 4 data=ok | close_wait
			s FA 2 4 | last_ack
			c A 4 3 | closed`, c: "bye", s: "ok"},
		{name: "the server ends", lines: shaken + `
			s FA 0 0 | fin_wait1
			c A 0 1 | fin_wait2
			c A 0 1 data=more | fin_wait2
			s A 1 4 | fin_wait2
			c FA 4 1 | time_wait
			s A 1 5 | closed`, c: "more"},
		{name: "both at once", lines: shaken + `
			s FA 0 0 | fin_wait1
			c FA 0 0 | closing
			s A 1 1 | time_wait
			c A 1 1 | closed`},
		{name: "FIN and acknowledgement in one", lines: shaken + `
			c FA 0 0 | close_wait
			s FA 0 1 | last_ack
			c A 1 1 | closed`},
		{name: "FIN before the data", lines: shaken + `
			c FA 3 0 | close_wait
			c PA 0 0 data=abc | close_wait
			s A 0 4 | close_wait`, c: "abc"},
		{name: "FIN with data, again", lines: shaken + `
			c FPA 0 0 data=abc | close_wait
			c FPA 0 0 data=abc | close_wait pkt_retransmission again
			s A 0 4 | close_wait`, c: "abc"},
		{name: "data behind an acknowledged FIN", lines: shaken + `
			c FPA 0 0 data=abc | close_wait
			s A 0 4 | close_wait
			c PA 4 0 data=no | close_wait data_after_fin invalid`, c: "abc"},
		{name: "data behind a FIN that nobody got", lines: shaken + `
			c FPA 0 0 data=abc | close_wait
			c PA 3 0 data=def | established data_after_fin
			s A 0 6 | established`, c: "abcdef"},
		{name: "data behind a FIN in line", config: inlineConfig, lines: shaken + `
			c FPA 0 0 data=abc | close_wait
			c PA 3 0 data=def | close_wait data_after_fin drop invalid`, c: "abc"},
		{name: "FIN before what was seen", lines: shaken + `
			c PA 0 0 data=abcdef | established
			c FA 3 0 | established fin_out_of_window invalid
			s A 0 6 | established`, c: "abcdef"},
		{name: "FIN out of the window", lines: shaken + `
			c FA 70000 0 | established fin_out_of_window invalid
			s FA 0 70000 | established fin_invalid_ack pkt_invalid_ack invalid`},
		{name: "wrong numbers while it ends", lines: shaken + `
			s FA 0 0 | fin_wait1
			c A 70000 0 data=x | fin_wait1 fin1_ack_wrong_seq invalid
			c A 0 70000 | fin_wait1 fin1_invalid_ack pkt_invalid_ack invalid
			c A 0 1 | fin_wait2
			c A 70000 1 data=x | fin_wait2 fin2_ack_wrong_seq invalid
			c A 0 70001 | fin_wait2 fin2_invalid_ack pkt_invalid_ack invalid
			c FA 70000 1 | fin_wait2 fin2_fin_wrong_seq invalid
			c S -1 0 | fin_wait2 shutdown_syn_resend invalid
			c FA 0 1 | time_wait
			c A 1 70001 | time_wait timewait_invalid_ack pkt_invalid_ack invalid
			s A 1 1 | closed`},
		{name: "wrong numbers after the client's end", lines: shaken + `
			c FA 0 0 | close_wait
			s A 0 70000 | close_wait closewait_invalid_ack pkt_invalid_ack invalid
			s A 70000 1 data=x | close_wait closewait_ack_out_of_window invalid
			s FA 70000 1 | close_wait closewait_fin_out_of_window invalid
			s FA 0 1 | last_ack
			c A 1 70000 | last_ack lastack_invalid_ack pkt_invalid_ack invalid
			c A 1 1 | closed`},
		{name: "late segments", lines: shaken + `
			c FPA 0 0 data=abc | close_wait
			s FA 0 4 | last_ack
			c A 4 1 | closed
			c FPA 0 0 data=abc | closed again
			s A 1 4 | closed again
			c PA 4 1 data=x | closed data_after_fin invalid`, c: "abc"},
		{name: "ports used again", lines: shaken + `
			c FA 0 0 | close_wait
			c S 99 0 | close_wait shutdown_syn_resend invalid
			s FA 0 1 | last_ack
			c A 1 1 | closed
			c S -1 0 | closed again
			c S 9999 0 | closed reuse
			s S 9999 0 | closed reuse`},
	})
}

func TestResets(t *testing.T) {
	runConversations(t, []conversation{
		{name: "at its place", lines: shaken + `
			c PA 0 0 data=abc | established
			c RA 3 0 | closed
			c R 3 0 | closed`, c: "abc"},
		{name: "where the receiver waits", lines: shaken + `
			c PA 0 0 data=abc | established
			c R 0 0 | closed`, c: "abc"},
		{name: "of the other side", lines: shaken + `
			c PA 0 0 data=abc | established
			s RA 0 3 | closed
			c PA 3 0 data=def | closed invalid`, c: "abc"},
		{name: "with data", lines: shaken + `
			c RA 0 0 data=reason | closed rst_with_data`},
		{name: "forged", lines: shaken + `
			c PA 0 0 data=abc | established
			s A 0 3 | established
			c R 500 0 | established rst_out_of_window invalid
			c R 2 0 | established rst_out_of_window invalid
			c RA 3 70000 | established rst_invalid_ack pkt_invalid_ack invalid
			c PA 3 0 data=def | established
			s A 0 6 | established`, c: "abcdef"},
		{name: "in the window of Linux", config: Config{Policy: PolicyLinux}, lines: shaken + `
			c R 500 0 | closed`},
		{name: "in the window, in line", config: Config{Policy: PolicyLinux, Inline: true, DropInvalid: true}, lines: shaken + `
			c R 500 0 | established rst_out_of_window drop invalid`},
		{name: "its sender still talks", lines: shaken + `
			c PA 0 0 data=abc | established
			c R 3 0 | closed
			c PA 3 0 data=def | established suspected_rst_inject
			s A 0 6 | established`, c: "abcdef"},
		{name: "its sender still talks, in line", config: inlineConfig, lines: shaken + `
			c R 0 0 | closed
			c PA 0 0 data=def | closed suspected_rst_inject drop invalid
			s PA 0 0 data=x | closed drop invalid`},
		{name: "instead of an answer", lines: `
			c S -1 0 | syn_sent
			s RA 0 5 | syn_sent rst_invalid_ack invalid
			s R 0 0 | syn_sent rst_invalid_ack invalid
			s RA -1 0 | closed
			c S 999 0 | closed reuse`},
		{name: "of the client before an answer", lines: `
			c S -1 0 | syn_sent
			c R 50 0 | syn_sent rst_out_of_window invalid
			c R 0 0 | syn_sent
			s SA -1 0 | syn_recv`},
		{name: "blind answers", lines: `
			c S -1 0 ts=500/0 | syn_sent
			s RA -5001 0 ts=100/100 | syn_sent pkt_invalid_timestamp invalid
			s FA -5001 0 ts=100/100 | syn_sent pkt_invalid_timestamp invalid
			s SA -1 0 ts=500/0 | syn_recv`},
		{name: "after the answer", lines: `
			c S -1 0 | syn_sent
			s SA -1 0 | syn_recv
			c R 50 0 | syn_recv rst_out_of_window invalid
			c R 0 0 | closed`},
	})
}

func TestClosedStreams(t *testing.T) {
	for _, inline := range []bool{true, false} {
		k := newTalk(t, Config{Inline: inline})
		k.shake()
		converse(t, k, `
			c FPA 2 0 data=c | close_wait
			c PA 0 0 data=ab | close_wait`)
		if got := k.s.Stream(client).Closed(); got != inline {
			t.Errorf("inline %v: closed %v before the acknowledgement", inline, got)
		}
		if k.s.Stream(server).Closed() {
			t.Error("the server's stream is closed")
		}
		k.acks(server, 4)
		if !k.s.Stream(client).Closed() {
			t.Errorf("inline %v: not closed", inline)
		}
		k.wantRead(client, "abc")
		k.end()
	}
}
