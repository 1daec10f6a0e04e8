package http

import "bytes"

// soapProbe is where the first element of a SOAP message is looked for, when its type does not say what it is.
const soapProbe = 256

// isSOAP says whether a body may be a SOAP message: by its type, or by an Envelope at its start.
func isSOAP(m *message) bool {
	b := m.body.kept
	if len(b) == 0 {
		return false
	}
	if ct, ok := m.get(kContentType); ok && (containsWord(ct, "soap") || containsWord(ct, "text/xml") || containsWord(ct, "application/xml")) {
		return true
	}
	b = bytes.TrimLeft(b[:min(len(b), soapProbe)], "\xef\xbb\xbf \t\r\n")
	return len(b) > 0 && b[0] == '<' && containsWord(b, "envelope")
}
