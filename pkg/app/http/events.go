package http

import (
	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// The events. Those down to evResponseTooManyHeaders bear Suricata's names; the rest are ours.
const (
	evUnknownError uint8 = iota
	evGzipFailed
	evRequestMissingColon
	evResponseMissingColon
	evRequestChunkLen
	evResponseChunkLen
	evRequestTE
	evResponseTE
	evRequestCL
	evResponseCL
	evRequestDuplicateCL
	evResponseDuplicateCL
	ev100Seen
	evUnmatched
	evServerPort
	evAuthorityPort
	evRequestHeaderInvalid
	evResponseHeaderInvalid
	evMissingHost
	evHostAmbiguous
	evRequestFolding
	evResponseFolding
	evRequestTooLong
	evResponseTooLong
	evPortMismatch
	evURIHostInvalid
	evHostInvalid
	evMethodDelim
	evURIDelim
	evLeadingSpace
	evLayers
	evAbnormalCE
	evAuthUnrecognized
	evRequestRepetition
	evResponseRepetition
	evByteranges
	evAbnormalTE
	evChunkedOld
	evInvalidProtocol
	evInvalidStatus
	evLineIncomplete
	evDoubleEncoded
	evLineInvalid
	evBodyUnexpected
	evLZMALimit
	evBomb
	evMultipartError
	evMultipartNoData
	evMultipartHeader
	evTooManyWarnings
	evRangeInvalid
	evFileNameTooLong
	evProtocolChange
	evChunkExtension
	evMissingProtocol
	evRequestTooManyHeaders
	evResponseTooManyHeaders
	evTooManyTransactions // the oldest was closed
	evMemory              // the pool had nothing left, something was not kept
	events
)

var eventNames = [events]string{
	"unknown_error", "gzip_decompression_failed", "request_field_missing_colon", "response_field_missing_colon",
	"invalid_request_chunk_len", "invalid_response_chunk_len", "invalid_transfer_encoding_value_in_request",
	"invalid_transfer_encoding_value_in_response", "invalid_content_length_field_in_request",
	"invalid_content_length_field_in_response", "duplicate_content_length_field_in_request",
	"duplicate_content_length_field_in_response", "100_continue_already_seen", "unable_to_match_response_to_request",
	"invalid_server_port_in_request", "invalid_authority_port", "request_header_invalid", "response_header_invalid",
	"missing_host_header", "host_header_ambiguous", "invalid_request_field_folding", "invalid_response_field_folding",
	"request_field_too_long", "response_field_too_long", "request_server_port_tcp_port_mismatch",
	"request_uri_host_invalid", "request_header_host_invalid", "method_delim_non_compliant", "uri_delim_non_compliant",
	"request_line_leading_whitespace", "too_many_encoding_layers", "abnormal_ce_header", "request_auth_unrecognized",
	"request_header_repetition", "response_header_repetition", "response_multipart_byteranges",
	"response_abnormal_transfer_encoding", "response_chunked_old_proto", "response_invalid_protocol",
	"response_invalid_status", "request_line_incomplete", "double_encoded_uri", "request_line_invalid",
	"request_body_unexpected", "lzma_memlimit_reached", "compression_bomb", "multipart_generic_error",
	"multipart_no_filedata", "multipart_invalid_header", "too_many_warnings", "range_invalid", "file_name_too_long",
	"failed_protocol_change", "request_chunk_extension", "request_line_missing_protocol", "request_too_many_headers",
	"response_too_many_headers", "too_many_transactions", "memory_limit",
}

// twin is a pair of events of the same cause, by direction.
type twin [2]uint8

var (
	missingColon = twin{evRequestMissingColon, evResponseMissingColon}
	chunkLen     = twin{evRequestChunkLen, evResponseChunkLen}
	duplicateCL  = twin{evRequestDuplicateCL, evResponseDuplicateCL}
	invalidName  = twin{evRequestHeaderInvalid, evResponseHeaderInvalid}
	folding      = twin{evRequestFolding, evResponseFolding}
	tooLong      = twin{evRequestTooLong, evResponseTooLong}
	repetition   = twin{evRequestRepetition, evResponseRepetition}
	tooMany      = twin{evRequestTooManyHeaders, evResponseTooManyHeaders}
)

// raise notes an event of a direction.
func (t *transaction) raise(d flow.Direction, event uint8) { t.events[d].Add(event) }

var _ layer.EventSet = 1 << (events - 1) // the names fit into a set
