package tls

// The events, by their place in the list of names. Some are Suricata's finer names of what is invalid_certificate here; they are
// known so that its rules load.
const (
	invalidSSL2Header uint8 = iota
	invalidHeader
	invalidRecordVersion
	invalidRecordType
	invalidRecordLength
	invalidHandshake
	heartbeat
	invalidHeartbeat
	overflowHeartbeat
	mismatchHeartbeat
	handshakeLength
	multipleSNI
	invalidSNIType
	invalidSNILength
	tooManyRecords
	invalidAlert
	invalidCertificate
	certificateLength
	certificateMissing
	certificateUnknown
	certificateString
	errorMessage
	invalidSSLRecord
	certificateVersion
	certificateSerial
	certificateAlgorithm
	certificateName
	certificateDate
	certificateExtensions
	certificateDER
	certificateSubject
	certificateIssuer
	certificateValidity
	noMemory
)

var events = []string{
	invalidSSL2Header:     "invalid_sslv2_header",
	invalidHeader:         "invalid_tls_header",
	invalidRecordVersion:  "invalid_record_version",
	invalidRecordType:     "invalid_record_type",
	invalidRecordLength:   "invalid_record_length",
	invalidHandshake:      "invalid_handshake_message",
	heartbeat:             "heartbeat_message",
	invalidHeartbeat:      "invalid_heartbeat_message",
	overflowHeartbeat:     "overflow_heartbeat_message",
	mismatchHeartbeat:     "dataleak_heartbeat_mismatch",
	handshakeLength:       "handshake_invalid_length",
	multipleSNI:           "multiple_sni_extensions",
	invalidSNIType:        "invalid_sni_type",
	invalidSNILength:      "invalid_sni_length",
	tooManyRecords:        "too_many_records_in_packet",
	invalidAlert:          "invalid_alert_message",
	invalidCertificate:    "invalid_certificate",
	certificateLength:     "certificate_invalid_length",
	certificateMissing:    "certificate_missing_element",
	certificateUnknown:    "certificate_unknown_element",
	certificateString:     "certificate_invalid_string",
	errorMessage:          "error_message_encountered",
	invalidSSLRecord:      "invalid_ssl_record",
	certificateVersion:    "certificate_invalid_version",
	certificateSerial:     "certificate_invalid_serial",
	certificateAlgorithm:  "certificate_invalid_algorithmidentifier",
	certificateName:       "certificate_invalid_x509name",
	certificateDate:       "certificate_invalid_date",
	certificateExtensions: "certificate_invalid_extensions",
	certificateDER:        "certificate_invalid_der",
	certificateSubject:    "certificate_invalid_subject",
	certificateIssuer:     "certificate_invalid_issuer",
	certificateValidity:   "certificate_invalid_validity",
	noMemory:              "no_memory",
}
