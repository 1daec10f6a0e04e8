package app

// Events are the names of a connection's own events, as in app-layer-event:applayer_...; an event's number is its place.
var Events = []string{
	Mismatch:      "applayer_mismatch_protocol_both_directions",
	WrongFirst:    "applayer_wrong_direction_first_data",
	OneDirection:  "applayer_detect_protocol_only_one_direction",
	Skipped:       "applayer_proto_detection_skipped",
	NoTLS:         "applayer_no_tls_after_starttls",
	Unexpected:    "applayer_unexpected_protocol",
	ParserStopped: "applayer_parser_stopped",
}

// The events of a connection.
const (
	Mismatch      uint8 = iota // the two directions speak different protocols
	WrongFirst                 // the server spoke first where the client has to
	OneDirection               // only one direction's bytes look like the protocol
	Skipped                    // one direction sent too much while the other was silent: given up
	NoTLS                      // STARTTLS, but no TLS came
	Unexpected                 // after an upgrade another protocol came than was agreed
	ParserStopped              // the parser could not go on: the rest of the flow is not parsed
)
