package onvif

import "bytes"

// begin notes what an element's presence says and starts to keep its text.
func (m *Message) begin(k kind) {
	switch k {
	case security:
		m.Security = true
	case usernameToken:
		m.Token = true
	case match:
		m.target = min(m.target+1, maxTargets)
	case username, action, address, types, scopes, xaddrs:
		if m.capture == 0 && !m.first {
			m.capture, m.from = m.depth, len(m.text)
		}
	}
}

// keep adds character data to the text that is being kept. Beyond maxText nothing is kept.
func (m *Message) keep(section bool) {
	if m.capture == 0 {
		return
	}
	data := m.scan.data
	if room := maxText - len(m.text); len(data) > room {
		data = data[:max(room, 0)]
		m.scan.fault(TooLong)
	}
	if section {
		m.text = append(m.text, data...)
		return
	}
	m.text = appendText(m.text, data)
}

// leave closes the innermost element.
func (m *Message) leave() {
	k := m.path[m.depth-1].kind
	if m.capture == m.depth {
		m.capture = 0
		m.assign(k, [2]int{m.from, len(m.text)})
	}
	m.names.drop(m.depth)
	m.depth--
}

// assign gives a text its meaning. The first of a kind counts.
func (m *Message) assign(k kind, place [2]int) {
	var at *[2]int
	t := min(max(m.target, 0), maxTargets-1)
	switch k {
	case username:
		at = &m.kept[textUsername]
	case action:
		at = &m.kept[textAction]
	case address:
		at = &m.places[t][targetEndpoint]
	case types:
		at = &m.places[t][targetTypes]
	case scopes:
		at = &m.places[t][targetScopes]
	case xaddrs:
		at = &m.places[t][targetXAddrs]
	}
	if at == nil || at[1] > at[0] || m.target >= maxTargets {
		return
	}
	*at = place
	if k >= address {
		m.target = t
	}
}

// finish makes slices of what was kept: the memory does not move any more.
func (m *Message) finish() {
	m.Faults = m.scan.faults
	m.Action, m.Username = m.piece(m.kept[textAction]), m.piece(m.kept[textUsername])
	for i := 0; i <= min(m.target, maxTargets-1); i++ {
		p := &m.places[i]
		m.Targets = append(m.Targets, Target{
			Endpoint: m.piece(p[targetEndpoint]), Types: m.piece(p[targetTypes]),
			Scopes: m.piece(p[targetScopes]), XAddrs: m.piece(p[targetXAddrs]),
		})
	}
}

func (m *Message) piece(place [2]int) []byte {
	return bytes.TrimSpace(m.text[place[0]:place[1]])
}

// bindings are the namespace declarations in force (Namespaces in XML 1.0).
type bindings struct {
	list [maxBindings]binding
	n    int
}

type binding struct {
	prefix, uri []byte
	depth       int
}

// declare takes an element's xmlns attributes; false if there is no room.
func (b *bindings) declare(attrs []attribute, depth int) bool {
	for _, a := range attrs {
		prefix, local := split(a.name)
		switch {
		case string(prefix) == "xmlns":
		case prefix == nil && string(local) == "xmlns":
			local = nil
		default:
			continue
		}
		if b.n == maxBindings {
			return false
		}
		b.list[b.n] = binding{local, a.value, depth}
		b.n++
	}
	return true
}

// drop forgets the declarations of an element that ends.
func (b *bindings) drop(depth int) {
	for b.n > 0 && b.list[b.n-1].depth >= depth {
		b.n--
	}
}

// resolve is a prefix's namespace as written, nil if nothing declares it.
func (b *bindings) resolve(prefix []byte) []byte {
	for i := b.n - 1; i >= 0; i-- {
		if bytes.Equal(b.list[i].prefix, prefix) {
			return b.list[i].uri
		}
	}
	return nil
}

// is compares a prefix's namespace, references in it replaced.
func (b *bindings) is(prefix []byte, uri string) bool {
	got := b.resolve(prefix)
	if bytes.IndexByte(got, '&') < 0 {
		return string(got) == uri
	}
	var room [64]byte
	if len(got) > 4*len(uri)+16 && len(got) > maxText {
		return false
	}
	return string(appendText(room[:0], got)) == uri
}
