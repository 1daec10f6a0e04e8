package tls

import (
	"time"

	"citygate/pkg/app/layer"
	"citygate/pkg/app/tx"
	"citygate/pkg/flow"
)

const dateFormat = "2006-01-02T15:04:05"

// Log writes EVE's tls object, once both sides' part of the handshake is known: with the server's direction.
func (t *Tx) Log(o *layer.Object, d flow.Direction) bool {
	if d != flow.ToClient || t.later || t.Seen&(ClientHello|ServerHello) == 0 {
		return false
	}
	o.Begin("tls")
	if t.SessionResumed {
		o.Bool("session_resumed", true)
	}
	t.logCert(o, &t.Certs[flow.ToClient])
	t.logText(o, "sni", t.sni)
	o.Text("version", VersionName(t.Version()))
	t.logDates(o, &t.Certs[flow.ToClient])
	t.logList(o, "subjectaltname", t.Certs[flow.ToClient].names)
	t.logFingerprint(o, "ja3", t.ja3, t.ja3Hash[:])
	t.logFingerprint(o, "ja3s", t.ja3s, t.ja3sHash[:])
	if t.ja4[0] != 0 {
		o.Raw("ja4", t.ja4[:])
	}
	if c := &t.Certs[flow.ToServer]; c.Count > 0 {
		o.Begin("client")
		t.logCert(o, c)
		t.logDates(o, c)
		t.logList(o, "subjectaltname", c.names)
		o.End()
	}
	t.logList(o, "client_alpns", t.alpn[flow.ToServer])
	t.logList(o, "server_alpns", t.alpn[flow.ToClient])
	o.End()
	return true
}

func (t *Tx) logCert(o *layer.Object, c *Certificate) {
	t.logText(o, "subject", c.subject)
	t.logText(o, "issuerdn", c.issuer)
	t.logText(o, "serial", c.serial)
	t.logText(o, "fingerprint", c.fingerprint)
}

func (t *Tx) logDates(o *layer.Object, c *Certificate) {
	if c.Dated {
		var room [len(dateFormat) + 8]byte
		o.Raw("notbefore", time.Unix(c.NotBefore, 0).UTC().AppendFormat(room[:0], dateFormat))
		o.Raw("notafter", time.Unix(c.NotAfter, 0).UTC().AppendFormat(room[:0], dateFormat))
	}
}

func (t *Tx) logText(o *layer.Object, name string, s tx.Span) {
	if v, ok := t.text(s); ok {
		o.Raw(name, v)
	}
}

func (t *Tx) logList(o *layer.Object, name string, list []tx.Span) {
	if len(list) == 0 {
		return
	}
	o.Array(name)
	for _, s := range list {
		if v, ok := t.text(s); ok {
			o.ItemRaw(v)
		}
	}
	o.EndArray()
}

func (t *Tx) logFingerprint(o *layer.Object, name string, text tx.Span, hash []byte) {
	if v, ok := t.text(text); ok {
		o.Begin(name)
		o.Raw("hash", hash)
		o.Raw("string", v)
		o.End()
	}
}
