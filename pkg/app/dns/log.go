package dns

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

// logVersion is the version of EVE's dns object that Log writes.
const logVersion = 3

// Log writes EVE's dns object.
func (t *Tx) Log(o *layer.Object, d flow.Direction) bool {
	if d != t.Direction || !t.parsed {
		return false
	}
	kind := "request"
	if d == flow.ToClient {
		kind = "response"
	}
	o.Begin("dns")
	o.Int("version", logVersion)
	o.Text("type", kind)
	o.Uint("tx_id", t.state.ID)
	o.Uint("id", uint64(t.ID))
	o.Text("flags", strconv.FormatUint(uint64(t.Flags), 16))
	for _, f := range flagNames {
		if t.Flags&f.bit != 0 {
			o.Bool(f.name, true)
		}
	}
	o.Uint("opcode", uint64(t.Opcode))
	o.Text("rcode", rcodeName(t.RCode))
	t.logQuestions(o)
	t.logSection(o, "answers", answers)
	t.logGroups(o)
	t.logSection(o, "authorities", authorities)
	t.logSection(o, "additionals", additionals)
	o.End()
	return true
}

var flagNames = []struct {
	bit  uint16
	name string
}{{flagResponse, "qr"}, {0x0400, "aa"}, {0x0200, "tc"}, {0x0100, "rd"}, {0x0080, "ra"}, {flagZ, "z"}}

func (t *Tx) logQuestions(o *layer.Object) {
	open := false
	for i := range t.records {
		if r := &t.records[i]; r.section == questions {
			if !open {
				o.Array("queries")
				open = true
			}
			o.Begin("")
			o.Raw("rrname", t.text(r.name))
			o.Text("rrtype", kindName(r.kind))
			o.End()
		}
	}
	if open {
		o.EndArray()
	}
}

func (t *Tx) logSection(o *layer.Object, name string, section uint8) {
	open := false
	for i := range t.records {
		r := &t.records[i]
		if r.section != section {
			continue
		}
		if !open {
			o.Array(name)
			open = true
		}
		o.Begin("")
		o.Raw("rrname", t.text(r.name))
		o.Text("rrtype", kindName(r.kind))
		o.Uint("ttl", uint64(r.ttl))
		t.logData(o, r, rdataField(r.kind))
		o.End()
	}
	if open {
		o.EndArray()
	}
}

// grouped are the types that EVE's grouped object shows.
var grouped = []uint16{kindA, kindAAAA, kindCNAME, kindMX, kindNS, kindNULL, kindPTR, kindSOA, kindSRV, kindSSHFP, kindTXT}

// logGroups writes the answers' data by type.
func (t *Tx) logGroups(o *layer.Object) {
	open := false
	for _, kind := range grouped {
		first := true
		for i := range t.records {
			r := &t.records[i]
			if r.section != answers || r.kind != kind || !t.hasData(r) {
				continue
			}
			if !open {
				o.Begin("grouped")
				open = true
			}
			if first {
				o.Array(kindName(kind))
				first = false
			}
			t.logData(o, r, "")
		}
		if !first {
			o.EndArray()
		}
	}
	if open {
		o.End()
	}
}

// rdataField is where a type's data goes.
func rdataField(kind uint16) string {
	switch kind {
	case kindSOA:
		return "soa"
	case kindSRV:
		return "srv"
	case kindSSHFP:
		return "sshfp"
	}
	return "rdata"
}

// hasData says whether a record's data is enough for its type.
func (t *Tx) hasData(r *record) bool {
	switch r.kind {
	case kindA:
		return r.dataLen == 4
	case kindAAAA:
		return r.dataLen == 16
	case kindMX, kindSSHFP:
		return r.dataLen > 2
	case kindSRV:
		return r.dataLen > 6
	}
	return r.dataLen > 0
}

// logData writes a record's data as a field, or as an element when field is empty.
func (t *Tx) logData(o *layer.Object, r *record, field string) {
	if !t.hasData(r) {
		return
	}
	msg := t.bytes[:t.size]
	data := msg[r.data : r.data+r.dataLen]
	var room [maxName + 64]byte
	switch r.kind {
	case kindA, kindAAAA:
		ip, _ := netip.AddrFromSlice(data)
		put(o, field, ip.AppendTo(room[:0]))
	case kindCNAME, kindNS, kindPTR:
		put(o, field, nameAt(room[:0], msg, int(r.data)))
	case kindMX:
		put(o, field, nameAt(room[:0], msg, int(r.data)+2))
	case kindTXT:
		put(o, field, texts(room[:0], data))
	case kindNULL:
		put(o, field, data)
	case kindSOA:
		logSOA(o, field, msg, int(r.data), int(r.data+r.dataLen))
	case kindSRV:
		o.Begin(field)
		o.Uint("priority", uint64(binary.BigEndian.Uint16(data)))
		o.Uint("weight", uint64(binary.BigEndian.Uint16(data[2:])))
		o.Uint("port", uint64(binary.BigEndian.Uint16(data[4:])))
		o.Raw("name", nameAt(room[:0], msg, int(r.data)+6))
		o.End()
	case kindSSHFP:
		o.Begin(field)
		o.Raw("fingerprint", colons(room[:0], data[2:min(len(data), 2+maxName/3)]))
		o.Uint("algo", uint64(data[0]))
		o.Uint("type", uint64(data[1]))
		o.End()
	}
}

// logSOA writes the start of a zone (RFC 1035, 3.3.13).
func logSOA(o *layer.Object, field string, msg []byte, at, end int) {
	var ev layer.EventSet
	var mroom, rroom [maxName + 64]byte
	mname, next, ok := appendName(mroom[:0], msg[:end], at, &ev)
	var rname []byte
	if ok {
		rname, next, ok = appendName(rroom[:0], msg[:end], next, &ev)
	}
	if ok = ok && next+20 <= end; !ok {
		next = 0
	}
	o.Begin(field)
	o.Raw("mname", mname)
	o.Raw("rname", rname)
	for i, name := range []string{"serial", "refresh", "retry", "expire", "minimum"} {
		if ok {
			o.Uint(name, uint64(binary.BigEndian.Uint32(msg[next+4*i:])))
		}
	}
	o.End()
}

func put(o *layer.Object, field string, value []byte) {
	if field == "" {
		o.ItemRaw(value)
		return
	}
	o.Raw(field, value)
}

// nameAt is a name in a record's data, as far as it can be read.
func nameAt(out, msg []byte, at int) []byte {
	var ev layer.EventSet
	out, _, _ = appendName(out, msg, at, &ev)
	return out
}

// texts joins the strings of a TXT record (RFC 1035, 3.3.14), as one text is often cut into pieces of 255 bytes.
func texts(out, data []byte) []byte {
	for len(data) > 0 {
		n := min(1+int(data[0]), len(data))
		out = append(out, data[1:n]...)
		data = data[n:]
	}
	return out
}

// colons is data in hex.
func colons(out, data []byte) []byte {
	const hex = "0123456789abcdef"
	for i, c := range data {
		if i > 0 {
			out = append(out, ':')
		}
		out = append(out, hex[c>>4], hex[c&15])
	}
	return out
}
