package signature

// legacy are older keywords that are a content on a buffer in one word: tls.subject:"CN=x" is
// tls.cert_subject; content:"CN=x";. They leave the sticky buffer in force as it was.
var legacy = map[string]struct {
	buffer, before string
	then           []string
	doc            string
}{
	"tls.subject":     {buffer: "tls.cert_subject", doc: "the certificate's subject holds this text"},
	"tls.issuerdn":    {buffer: "tls.cert_issuer", doc: "the certificate's issuer holds this text"},
	"tls.fingerprint": {buffer: "tls.cert_fingerprint", then: []string{"nocase"}, doc: "the certificate's SHA-1 is this, aa:bb:..."},
	"filename":        {buffer: "file.name", then: []string{"nocase"}, doc: "the name of a transferred file holds this text"},
	"fileext":         {buffer: "file.name", before: ".", then: []string{"nocase", "endswith"}, doc: "the name of a transferred file ends with a dot and this text"},
}

// legacy reads an older keyword; ok is false if it is none.
func (b *Builder) legacy(name, value string) (ok bool, err error) {
	l, ok := legacy[name]
	if !ok {
		return false, nil
	}
	buffer, fresh, last := b.Buffer, b.fresh, b.last
	text, not, quoted := b.negation(value)
	content := option{name: "content", value: l.before + text, quoted: quoted}
	if not {
		content.value, content.quoted = `!"`+content.value+`"`, false
	}
	if _, err := b.NameBuffer(l.buffer, ""); err != nil {
		return true, err
	}
	if err := b.option(content); err != nil {
		return true, err
	}
	for _, name := range l.then {
		if err := b.option(option{name: name}); err != nil {
			return true, err
		}
	}
	b.Buffer, b.fresh, b.last = buffer, fresh, last
	b.names = append(b.names, name)
	return true, nil
}
