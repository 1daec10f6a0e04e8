package main

import (
	"bytes"
	"encoding/base64"
	"slices"

	"citygate/pkg/flow"
)

// tellMail is an SMTP session. The variants are where bytes lie that are asked for in the stream.
func (p *plan) tellMail(variant int) *story {
	raw, file := p.bytes("payload"), p.bytes("file.data")
	text := []byte("hello\r\n")
	s := &story{have: map[string][][]byte{}}
	if p.direction() == flow.ToClient {
		if variant > 0 {
			return nil
		}
		raw = slices.Concat(raw, []byte("\r\n"))
		s.turns = []turn{{flow.ToClient, raw}, {flow.ToServer, []byte("QUIT\r\n")}}
		s.have["payload"], s.have["packet"] = [][]byte{raw}, [][]byte{raw}
		return s
	}
	if file != nil {
		text = attachment(file)
		s.have["file.data"] = [][]byte{file}
	}
	var commands [][]byte
	switch {
	case raw == nil && variant == 0:
	case raw != nil && variant == 0 && !bytes.Contains(raw, []byte("\r\n.\r\n")): // in the letter
		text = slices.Concat([]byte("Subject: x\r\n\r\n"), raw, []byte("\r\n"))
		if file != nil {
			text = append(raw, attachment(file)...)
		}
	case raw != nil && variant == 1: // a header of the letter
		text = slices.Concat(raw, []byte("\r\n\r\nhello\r\n"))
	case raw != nil && variant == 2: // a command
		commands = append(commands, append(raw[:len(raw):len(raw)], "\r\n"...))
	case raw != nil && variant == 3: // the first command
		s.turns = []turn{{flow.ToClient, []byte("220 site ESMTP\r\n")}, {flow.ToServer, append(raw[:len(raw):len(raw)], "\r\n"...)}}
		s.have["payload"], s.have["packet"] = [][]byte{s.turns[1].data}, [][]byte{s.turns[1].data}
		return s
	default:
		return nil
	}
	s.turns = []turn{{flow.ToClient, []byte("220 site ESMTP\r\n")}, {flow.ToServer, []byte("EHLO client.test\r\n")}, {flow.ToClient, []byte("250 site\r\n")}}
	for _, c := range commands {
		s.turns = append(s.turns, turn{flow.ToServer, c}, turn{flow.ToClient, []byte("250 ok\r\n")})
	}
	for _, c := range []string{"MAIL FROM:<a@client.test>\r\n", "RCPT TO:<b@site.test>\r\n"} {
		s.turns = append(s.turns, turn{flow.ToServer, []byte(c)}, turn{flow.ToClient, []byte("250 ok\r\n")})
	}
	s.turns = append(s.turns, turn{flow.ToServer, []byte("DATA\r\n")}, turn{flow.ToClient, []byte("354 go on\r\n")})
	text = append(text, ".\r\n"...)
	s.turns = append(s.turns, turn{flow.ToServer, text}, turn{flow.ToClient, []byte("250 ok\r\n")})
	s.have["payload"] = said(s.turns, flow.ToServer)
	s.have["packet"] = s.have["payload"]
	return s
}

// attachment is a letter with a file (RFC 2045).
func attachment(file []byte) []byte {
	var b bytes.Buffer
	b.WriteString("Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_part\"\r\n\r\n--=_part\r\n" +
		"Content-Type: application/octet-stream; name=\"a.bin\"\r\nContent-Transfer-Encoding: base64\r\n" +
		"Content-Disposition: attachment; filename=\"a.bin\"\r\n\r\n")
	text := base64.StdEncoding.EncodeToString(file)
	for len(text) > 0 {
		n := min(76, len(text))
		b.WriteString(text[:n] + "\r\n")
		text = text[n:]
	}
	b.WriteString("--=_part--\r\n")
	return b.Bytes()
}
