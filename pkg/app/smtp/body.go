package smtp

import (
	"bytes"

	"citygate/pkg/app/line"
	"citygate/pkg/flow"
)

// Limits of a mail's content.
const (
	maxPiece    = 4096       // bytes of a line that are handled at a time; RFC 5322, 2.1.1 allows 998
	maxDepth    = 8          // multiparts and messages in one another; mail programs make three
	maxBoundary = 256        // RFC 2046, 5.1.1 allows 70
	maxHeader   = 4096       // bytes kept of a header with its folded lines
	maxName     = 256        // of a header's name
	maxFiles    = 64         // parts kept of a mail
	maxFile     = 256 << 10  // bytes kept of a part
	maxMail     = 1024 << 10 // bytes kept of all parts
)

type bodyState uint8

const (
	skipped bodyState = iota // preambles and epilogues
	inHeaders
	inPart
)

// body reads a mail's content (RFC 2045, 2046) line by line.
type body struct {
	open  bool
	fresh bool // at the start of a line
	lost  bool // bytes are missing
	seen  int
	state bodyState
	stack [maxDepth]boundary
	depth int
	nests int
	head  [maxHeader]byte
	n     int
	part  part
	file  int // where the part goes, -1 if it is not kept
	dec   decoder
}

type boundary struct {
	b [maxBoundary]byte
	n int
}

// part is what the headers of a part say.
type part struct {
	multipart, message bool
	boundary           boundary
	name               [maxName]byte
	named              int
	encoding           encoding
}

// begin starts a mail's content.
func (b *body) begin(p *Parser) {
	p.scan[flow.ToServer].Reset()
	b.open, b.fresh, b.lost, b.seen = true, true, false, 0
	b.depth, b.nests = 0, 0
	b.headers()
}

func (b *body) headers() {
	b.state, b.n, b.file = inHeaders, 0, -1
	b.part.multipart, b.part.message, b.part.boundary.n, b.part.named, b.part.encoding = false, false, 0, 0, identity
	b.dec.reset()
}

// cut gives the next line, or a piece of a long one. Pieces do not depend on how the bytes came.
func (b *body) cut(data []byte, whole bool) (text []byte, n int, ended, ok bool) {
	limit := min(len(data), maxPiece+1)
	from := min(b.seen, limit)
	i := bytes.IndexByte(data[from:limit], '\n')
	b.seen = 0
	switch {
	case i >= 0:
		text = data[:from+i]
		return bytes.TrimSuffix(text, []byte{'\r'}), len(text) + 1, true, true
	case len(data) > maxPiece:
		return data[:maxPiece], maxPiece, false, true
	case whole && len(data) > 0:
		return data, len(data), false, true
	}
	b.seen = limit
	return nil, 0, false, false
}

// line takes a line or a piece of one.
func (b *body) line(p *Parser, text []byte, ended bool) {
	fresh := b.fresh
	b.fresh = ended
	t := p.tx
	if t == nil || !b.open {
		return
	}
	if !ended && len(text) == maxPiece {
		t.raise(flow.ToServer, eventLongLine)
	}
	if fresh && b.depth > 0 && b.border(p, text) {
		return
	}
	switch b.state {
	case inHeaders:
		b.header(p, text, fresh, ended)
	case inPart:
		b.decode(p, text, ended)
	}
}

// border handles a line that ends a part.
func (b *body) border(p *Parser, text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte("--"))
	if !ok {
		return false
	}
	for i := b.depth - 1; i >= 0; i-- {
		tail, ok := bytes.CutPrefix(rest, b.stack[i].b[:b.stack[i].n])
		if !ok {
			continue
		}
		tail = bytes.TrimRight(tail, " \t")
		last := string(tail) == "--"
		if len(tail) > 0 && !last {
			continue
		}
		b.endPart(p)
		b.depth = i + 1
		b.headers()
		if last {
			b.depth = i
			b.state = skipped
		}
		return true
	}
	return false
}

// header takes a line of headers.
func (b *body) header(p *Parser, text []byte, fresh, ended bool) {
	if fresh && len(text) == 0 && ended {
		b.flush(p)
		b.content(p)
		return
	}
	folded := fresh && len(text) > 0 && (text[0] == ' ' || text[0] == '\t')
	if fresh && !folded {
		b.flush(p)
	}
	if len(text) > maxHeader-b.n {
		p.tx.raise(flow.ToServer, eventLongValue)
	}
	b.n += copy(b.head[b.n:], text)
}

// flush reads the header that is put together.
func (b *body) flush(p *Parser) {
	h := b.head[:b.n]
	b.n = 0
	if len(h) == 0 {
		return
	}
	name, value, ok := line.Field(h)
	switch {
	case !ok:
		p.tx.raise(flow.ToServer, eventMalformed)
	case len(name) > maxName:
		p.tx.raise(flow.ToServer, eventLongName)
	case line.Is(name, "content-type"):
		b.contentType(p, value)
	case line.Is(name, "content-disposition"):
		b.name(value, "filename")
	case line.Is(name, "content-transfer-encoding"):
		b.part.encoding = encodingOf(value)
	}
}

func (b *body) contentType(p *Parser, value []byte) {
	b.part.multipart = line.Starts(value, "multipart/")
	b.part.message = line.Starts(value, "message/rfc822") || line.Starts(value, "message/global")
	n, fits := parameter(b.part.boundary.b[:], value, "boundary")
	b.part.boundary.n = n
	if !fits {
		p.tx.raise(flow.ToServer, eventLongBoundary)
	}
	if b.part.named == 0 {
		b.name(value, "name")
	}
}

func (b *body) name(value []byte, key string) {
	if n, _ := parameter(b.part.name[:], value, key); n > 0 {
		b.part.named = n
	}
}

// content is the end of a part's headers.
func (b *body) content(p *Parser) {
	nested := b.part.multipart && b.part.boundary.n > 0 || b.part.message && b.part.encoding == identity
	if nested && (b.depth == maxDepth || b.nests == maxDepth*maxFiles) {
		p.tx.raise(flow.ToServer, eventDeep)
		nested = false
	}
	switch {
	case nested && b.part.multipart:
		b.stack[b.depth] = b.part.boundary
		b.depth++
		b.state = skipped
	case nested:
		b.nests++
		b.headers()
	default:
		b.openFile(p)
		b.state = inPart
	}
}

// openFile begins to keep a part.
func (b *body) openFile(p *Parser) {
	t := p.tx
	b.file = -1
	if len(t.files) == maxFiles {
		t.raise(flow.ToServer, eventUnparsable)
		return
	}
	b.file = len(t.files)
	t.files = append(t.files, file{})
	if b.part.named > 0 {
		t.keep(p.pool, &t.files[b.file].name, b.part.name[:b.part.named])
	}
}

// endPart ends what is being read.
func (b *body) endPart(p *Parser) {
	if b.state == inPart {
		b.flushBase64(p)
	}
}

// finish ends the content.
func (b *body) finish(p *Parser) {
	if b.open && p.tx != nil {
		if b.state == inHeaders {
			b.flush(p)
		}
		b.endPart(p)
		if b.depth > 0 {
			p.tx.raise(flow.ToServer, eventParse) // a multipart without end
		}
	}
	b.open, b.seen, b.file = false, 0, -1
}

// broken goes on behind missing bytes.
func (b *body) broken() {
	b.seen, b.fresh, b.lost = 0, false, true
	b.dec.reset()
}

// emit keeps decoded bytes.
func (b *body) emit(p *Parser, data []byte) {
	t := p.tx
	if b.file < 0 || b.file >= len(t.files) || len(data) == 0 {
		return
	}
	f := &t.files[b.file]
	room := max(0, min(maxFile-f.content.Len(), maxMail-t.kept))
	if len(data) > room {
		data = data[:room]
		t.raise(flow.ToServer, eventFile)
	}
	if len(data) == 0 {
		return
	}
	ok := true
	if f.content.Present() {
		f.content, ok = f.store.Extend(p.pool, f.content, data)
	} else {
		f.content, ok = f.store.Keep(p.pool, data)
	}
	if !ok {
		t.raise(flow.ToServer, eventMemory)
		return
	}
	t.kept += len(data)
}
