package telnet

import "bytes"

// prompt is what a server asks for at the end of its output.
type prompt uint8

const (
	asksNothing prompt = iota
	asksName
	asksPassword
	asksCommand
)

var (
	nameWords     = []string{"login", "user", "account", "username"}
	passwordWords = []string{"pass", "pwd"}
	refusalWords  = []string{"incorrect", "fail", "invalid", "denied", "bad pass", "wrong", "error", "not allowed"}
)

// promptOf judges the unfinished line of a server.
func promptOf(b []byte) prompt {
	b = bytes.TrimRight(b, " \t\x1b")
	if len(b) == 0 {
		return asksNothing
	}
	switch b[len(b)-1] {
	case ':', '?', '=':
		switch {
		case has(b, passwordWords):
			return asksPassword
		case has(b, nameWords):
			return asksName
		}
	case '#', '$', '>', '%', '~':
		if has(b, passwordWords) {
			return asksPassword
		}
		if has(b, nameWords) && b[len(b)-1] == '>' && len(b) < 16 { // "login>"
			return asksName
		}
		return asksCommand
	}
	return asksNothing
}

// refuses says whether a server's line tells that a log-in went wrong.
func refuses(b []byte) bool { return has(b, refusalWords) }

// has looks for words without case. Lines are at most maxLine long.
func has(b []byte, words []string) bool {
	var room [maxLine]byte
	low := room[:len(b)]
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		low[i] = c
	}
	for _, w := range words {
		if bytes.Contains(low, []byte(w)) {
			return true
		}
	}
	return false
}

// defaults are names and passwords that the Mirai worm tries (its source was published in 2016; listed by US-CERT alert
// TA16-288A's references among others).
var defaults = [...][2]string{
	{"root", "xc3511"},
	{"root", "vizxv"},
	{"root", "admin"},
	{"admin", "admin"},
	{"root", "888888"},
	{"root", "xmhdipc"},
	{"root", "default"},
	{"root", "juantech"},
	{"root", "123456"},
	{"root", "54321"},
	{"support", "support"},
	{"root", ""},
	{"admin", "password"},
	{"root", "root"},
	{"root", "12345"},
	{"user", "user"},
	{"admin", ""},
	{"root", "pass"},
	{"admin", "admin1234"},
	{"root", "1111"},
	{"admin", "smcadmin"},
	{"admin", "1111"},
	{"root", "666666"},
	{"root", "password"},
	{"root", "1234"},
	{"root", "klv123"},
	{"Administrator", "admin"},
	{"service", "service"},
	{"supervisor", "supervisor"},
	{"guest", "guest"},
	{"guest", "12345"},
	{"admin1", "password"},
	{"administrator", "1234"},
	{"666666", "666666"},
	{"888888", "888888"},
	{"ubnt", "ubnt"},
	{"root", "klv1234"},
	{"root", "Zte521"},
	{"root", "hi3518"},
	{"root", "jvbzd"},
	{"root", "anko"},
	{"root", "zlxx."},
	{"root", "7ujMko0vizxv"},
	{"root", "7ujMko0admin"},
	{"root", "system"},
	{"root", "ikwb"},
	{"root", "dreambox"},
	{"root", "user"},
	{"root", "realtek"},
	{"root", "00000000"},
	{"admin", "1111111"},
	{"admin", "1234"},
	{"admin", "12345"},
	{"admin", "54321"},
	{"admin", "123456"},
	{"admin", "7ujMko0admin"},
	{"admin", "pass"},
	{"admin", "meinsm"},
	{"tech", "tech"},
	{"mother", "fucker"},
}

func isDefault(name, password []byte) bool {
	for _, d := range &defaults {
		if string(name) == d[0] && string(password) == d[1] {
			return true
		}
	}
	return false
}
