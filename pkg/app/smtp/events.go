package smtp

// The events, named as Suricata does; from mime_too_deep on they are ours.
const (
	eventReply uint8 = iota
	eventUnmatched
	eventCommandLong
	eventReplyLong
	eventPipeline
	eventChunk
	eventNoWelcome
	eventTLSRejected
	eventDataRejected
	eventParse
	eventMalformed
	eventBase64
	eventQP
	eventLongLine
	eventLongEncoded
	eventLongName
	eventLongValue
	eventLongBoundary
	eventDuplicate
	eventUnparsable
	eventTruncated
	eventDeep
	eventFile
	eventGap
	eventMemory
)

var events = []string{
	eventReply:        "invalid_reply",
	eventUnmatched:    "unable_to_match_reply_with_request",
	eventCommandLong:  "max_command_line_len_exceeded",
	eventReplyLong:    "max_reply_line_len_exceeded",
	eventPipeline:     "invalid_pipelined_sequence",
	eventChunk:        "bdat_chunk_len_exceeded",
	eventNoWelcome:    "no_server_welcome_message",
	eventTLSRejected:  "tls_rejected",
	eventDataRejected: "data_command_rejected",
	eventParse:        "mime_parse_failed",
	eventMalformed:    "mime_malformed_msg",
	eventBase64:       "mime_invalid_base64",
	eventQP:           "mime_invalid_qp",
	eventLongLine:     "mime_long_line",
	eventLongEncoded:  "mime_long_enc_line",
	eventLongName:     "mime_long_header_name",
	eventLongValue:    "mime_long_header_value",
	eventLongBoundary: "mime_bound_too_long",
	eventDuplicate:    "duplicate_fields",
	eventUnparsable:   "unparsable_content", // more parts or recipients than are kept
	eventTruncated:    "truncated_line",     // the stream ended inside a mail
	eventDeep:         "mime_too_deep",
	eventFile:         "file_truncated", // more bytes of a part or of all parts than are kept
	eventGap:          "gap",
	eventMemory:       "memory_exceeded",
}
