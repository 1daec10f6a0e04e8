package reassembly

import "math/bits"

// Event is something about a session that a rule can ask for (stream-event). The names are Suricata's, but for those
// that say "ours".
type Event uint8

// Stream events. The comment says what was seen where the name does not.
const (
	SynResendDiffSeqOnSynRecv   Event = iota // a SYN with another sequence number before the handshake ended
	SynToClientOnSynRecv                     // a SYN from the server's side during the handshake
	SynAckInWrongDirection                   // a SYN/ACK from the client
	SynAckWithWrongAck                       // a SYN/ACK that acknowledges something else than the SYN
	SynAckResendDifferentAck                 // a second SYN/ACK with another acknowledgement
	SynAckResendDiffSeq                      // a second SYN/ACK with another sequence number
	SynAckToServerOnSynRecv                  // a SYN/ACK from the client during the handshake
	SynAckFlood                              // more different SYN/ACKs than Config.MaxSynAckQueued
	SynFlood                                 // more different SYNs than Config.MaxSynQueued
	SynAckTFODataIgnored                     // the server did not accept the data of the SYN
	AckInWrongDir                            // the handshake's ACK comes from the server
	AsyncWrongSeq                            // one-sided: the packet after the SYN does not follow it
	RightSeqWrongAckEvasion                  // the handshake's ACK has the right sequence and a wrong acknowledgement
	WrongSeqWrongAck                         // the handshake's ACK has neither
	AckDataInject                            // data with a wrong acknowledgement before the handshake ended
	FourWaySynAckWithWrongAck                // 4whs: the SYN/ACK that answers the server's SYN
	FourWaySynAckWithWrongSyn                // 4whs: that SYN/ACK has another sequence number than the SYN
	FourWayWrongSeq                          // 4whs: the last ACK's sequence number
	FourWayInvalidAck                        // 4whs: the last ACK's acknowledgement
	CloseWaitAckOutOfWindow                  //
	CloseWaitFinOutOfWindow                  //
	CloseWaitPktBeforeLastAck                //
	CloseWaitInvalidAck                      //
	ClosingAckWrongSeq                       //
	ClosingInvalidAck                        //
	EstPacketOutOfWindow                     //
	EstPktBeforeLastAck                      //
	EstSynAckResend                          //
	EstSynAckResendDifferentAck              //
	EstSynAckResendDiffSeq                   //
	EstSynAckToServer                        //
	EstSynResend                             //
	EstSynResendDiffSeq                      //
	EstSynToClient                           //
	EstInvalidAck                            //
	FinInvalidAck                            //
	Fin1AckWrongSeq                          //
	Fin1FinWrongSeq                          //
	Fin1InvalidAck                           //
	Fin2AckWrongSeq                          //
	Fin2FinWrongSeq                          //
	Fin2InvalidAck                           //
	FinButNoSession                          //
	FinOutOfWindow                           //
	FinSyn                                   // FIN and SYN in one segment
	LastAckAckWrongSeq                       //
	LastAckInvalidAck                        //
	RstButNoSession                          //
	RstInvalidAck                            //
	TimeWaitAckWrongSeq                      //
	TimeWaitInvalidAck                       //
	ShutdownSynResend                        //
	PktInvalidTimestamp                      // older than one already seen (RFC 7323, PAWS)
	PktInvalidAck                            // acknowledges what was never sent, or lies behind
	PktBrokenAck                             // an acknowledgement number without the flag
	PktRetransmission                        //
	PktSpuriousRetransmission                // all of it was acknowledged already
	PktBadWindowUpdate                       // the window shrank by an ACK that acknowledges nothing
	SuspectedRstInject                       //
	WrongThread                              // never given: an engine is one goroutine
	SegmentBeforeBaseSeq                     // data of before the stream's kept part
	NoSegment                                // memory for sessions is at its cap
	SeqGap                                   // bytes were acknowledged that never came
	OverlapDifferentData                     // two copies of a byte differ
	DepthReached                             // the stream is longer than Config.Depth
	InsertMemcap                             // data was lost since memory is at its cap
	InsertLimit                              // data was lost since a stream had too much out of order
	InsertInvalid                            // a segment could not be placed
	UrgentOOBLimitReached                    // more urgent bytes than are taken out of a stream
	EstAckZWPData                            // the byte of a zero window probe was acknowledged
	RstWithData                              //
	RstOutOfWindow                           // ours: a RST that its receiver would not take
	DataAfterFin                             // ours: data behind the end of a stream
	events
)

var eventNames = [events]string{
	SynResendDiffSeqOnSynRecv:   "3whs_syn_resend_diff_seq_on_syn_recv",
	SynToClientOnSynRecv:        "3whs_syn_toclient_on_syn_recv",
	SynAckInWrongDirection:      "3whs_synack_in_wrong_direction",
	SynAckWithWrongAck:          "3whs_synack_with_wrong_ack",
	SynAckResendDifferentAck:    "3whs_synack_resend_with_different_ack",
	SynAckResendDiffSeq:         "3whs_synack_resend_with_diff_seq",
	SynAckToServerOnSynRecv:     "3whs_synack_toserver_on_syn_recv",
	SynAckFlood:                 "3whs_synack_flood",
	SynFlood:                    "3whs_syn_flood",
	SynAckTFODataIgnored:        "3whs_synack_tfo_data_ignored",
	AckInWrongDir:               "3whs_ack_in_wrong_dir",
	AsyncWrongSeq:               "3whs_async_wrong_seq",
	RightSeqWrongAckEvasion:     "3whs_right_seq_wrong_ack_evasion",
	WrongSeqWrongAck:            "3whs_wrong_seq_wrong_ack",
	AckDataInject:               "3whs_ack_data_inject",
	FourWaySynAckWithWrongAck:   "4whs_synack_with_wrong_ack",
	FourWaySynAckWithWrongSyn:   "4whs_synack_with_wrong_syn",
	FourWayWrongSeq:             "4whs_wrong_seq",
	FourWayInvalidAck:           "4whs_invalid_ack",
	CloseWaitAckOutOfWindow:     "closewait_ack_out_of_window",
	CloseWaitFinOutOfWindow:     "closewait_fin_out_of_window",
	CloseWaitPktBeforeLastAck:   "closewait_pkt_before_last_ack",
	CloseWaitInvalidAck:         "closewait_invalid_ack",
	ClosingAckWrongSeq:          "closing_ack_wrong_seq",
	ClosingInvalidAck:           "closing_invalid_ack",
	EstPacketOutOfWindow:        "est_packet_out_of_window",
	EstPktBeforeLastAck:         "est_pkt_before_last_ack",
	EstSynAckResend:             "est_synack_resend",
	EstSynAckResendDifferentAck: "est_synack_resend_with_different_ack",
	EstSynAckResendDiffSeq:      "est_synack_resend_with_diff_seq",
	EstSynAckToServer:           "est_synack_toserver",
	EstSynResend:                "est_syn_resend",
	EstSynResendDiffSeq:         "est_syn_resend_diff_seq",
	EstSynToClient:              "est_syn_toclient",
	EstInvalidAck:               "est_invalid_ack",
	FinInvalidAck:               "fin_invalid_ack",
	Fin1AckWrongSeq:             "fin1_ack_wrong_seq",
	Fin1FinWrongSeq:             "fin1_fin_wrong_seq",
	Fin1InvalidAck:              "fin1_invalid_ack",
	Fin2AckWrongSeq:             "fin2_ack_wrong_seq",
	Fin2FinWrongSeq:             "fin2_fin_wrong_seq",
	Fin2InvalidAck:              "fin2_invalid_ack",
	FinButNoSession:             "fin_but_no_session",
	FinOutOfWindow:              "fin_out_of_window",
	FinSyn:                      "fin_syn",
	LastAckAckWrongSeq:          "lastack_ack_wrong_seq",
	LastAckInvalidAck:           "lastack_invalid_ack",
	RstButNoSession:             "rst_but_no_session",
	RstInvalidAck:               "rst_invalid_ack",
	TimeWaitAckWrongSeq:         "timewait_ack_wrong_seq",
	TimeWaitInvalidAck:          "timewait_invalid_ack",
	ShutdownSynResend:           "shutdown_syn_resend",
	PktInvalidTimestamp:         "pkt_invalid_timestamp",
	PktInvalidAck:               "pkt_invalid_ack",
	PktBrokenAck:                "pkt_broken_ack",
	PktRetransmission:           "pkt_retransmission",
	PktSpuriousRetransmission:   "pkt_spurious_retransmission",
	PktBadWindowUpdate:          "pkt_bad_window_update",
	SuspectedRstInject:          "suspected_rst_inject",
	WrongThread:                 "wrong_thread",
	SegmentBeforeBaseSeq:        "reassembly_segment_before_base_seq",
	NoSegment:                   "reassembly_no_segment",
	SeqGap:                      "reassembly_seq_gap",
	OverlapDifferentData:        "reassembly_overlap_different_data",
	DepthReached:                "reassembly_depth_reached",
	InsertMemcap:                "reassembly_insert_memcap",
	InsertLimit:                 "reassembly_insert_limit",
	InsertInvalid:               "reassembly_insert_invalid",
	UrgentOOBLimitReached:       "reassembly_urgent_oob_limit_reached",
	EstAckZWPData:               "est_ack_zwp_data",
	RstWithData:                 "rst_with_data",
	RstOutOfWindow:              "rst_out_of_window",
	DataAfterFin:                "data_after_fin",
}

// String is the name as the keyword stream-event has it; an EVE anomaly says "stream." before it.
func (e Event) String() string {
	if e < events {
		return eventNames[e]
	}
	return "unknown"
}

// EventByName is the event of a name, with or without "stream." before it.
func EventByName(name string) (Event, bool) {
	if len(name) > 7 && name[:7] == "stream." {
		name = name[7:]
	}
	for e, n := range eventNames {
		if n == name {
			return Event(e), true
		}
	}
	return 0, false
}

// Events is a set of events.
type Events [2]uint64

// Has says whether e is in the set.
func (s Events) Has(e Event) bool { return s[e>>6&1]>>(e&63)&1 != 0 }

// Empty says that nothing is in the set.
func (s Events) Empty() bool { return s[0]|s[1] == 0 }

// Len is the number of events in the set.
func (s Events) Len() int { return bits.OnesCount64(s[0]) + bits.OnesCount64(s[1]) }

func (s *Events) add(e Event) { s[e>>6&1] |= 1 << (e & 63) }

// Without is the events that are not in another set.
func (s Events) Without(o Events) Events { return Events{s[0] &^ o[0], s[1] &^ o[1]} }

// Merge adds the events of another set.
func (s *Events) Merge(o Events) { s[0], s[1] = s[0]|o[0], s[1]|o[1] }

// AppendTo appends the events in their order.
func (s Events) AppendTo(dst []Event) []Event {
	for w, word := range s {
		for ; word != 0; word &= word - 1 {
			dst = append(dst, Event(w*64+bits.TrailingZeros64(word)))
		}
	}
	return dst
}
