package packet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shot is a record as the tests write and compare it.
type shot struct {
	Data   string
	Time   time.Time
	Length int
	Link   LinkType
}

var shots = []shot{
	{"one", time.Unix(1700000000, 123456000).UTC(), 3, LinkEthernet},
	{"", time.Unix(1700000000, 999999000).UTC(), 60, LinkEthernet},
	{strings.Repeat("long", 25), time.Unix(1700000001, 0).UTC(), 1500, LinkEthernet},
}

// pcapFile writes shots. Extra is the number of bytes that each record header has beyond 16.
func pcapFile(order binary.ByteOrder, magic uint32, link uint32, unit int64, extra int) []byte {
	b := make([]byte, 24)
	order.PutUint32(b, magic)
	order.PutUint16(b[4:], 2)
	order.PutUint16(b[6:], 4)
	order.PutUint32(b[16:], 65535)
	order.PutUint32(b[20:], link)
	for _, s := range shots {
		h := make([]byte, 16+extra)
		order.PutUint32(h, uint32(s.Time.Unix()))
		order.PutUint32(h[4:], uint32(int64(s.Time.Nanosecond())/unit))
		order.PutUint32(h[8:], uint32(len(s.Data)))
		order.PutUint32(h[12:], uint32(s.Length))
		b = append(append(b, h...), s.Data...)
	}
	return b
}

// ng writes pcapng blocks.
type ng struct {
	order binary.AppendByteOrder
	b     []byte
}

// block has a body of words (uint32), half words (uint16), bytes and texts, which are filled up to 4.
func (w *ng) block(kind uint32, body ...any) {
	var p []byte
	for _, x := range body {
		switch x := x.(type) {
		case int:
			p = w.order.AppendUint32(p, uint32(x))
		case uint16:
			p = w.order.AppendUint16(p, x)
		case uint64:
			p = w.order.AppendUint64(p, x)
		case string:
			p = append(p, x...)
			for len(p)%4 != 0 {
				p = append(p, 0)
			}
		}
	}
	w.b = w.order.AppendUint32(w.b, kind)
	w.b = w.order.AppendUint32(w.b, uint32(len(p)+12))
	w.b = append(w.b, p...)
	w.b = w.order.AppendUint32(w.b, uint32(len(p)+12))
}

func (w *ng) section() {
	w.block(blockSection, int(orderMagic), uint16(1), uint16(0), ^uint64(0))
}

// face declares an interface with a clock of the given code.
func (w *ng) face(link uint16, code string) {
	w.block(blockInterface, link, uint16(0), 65535, uint16(2), uint16(3), "eth", uint16(ngOptionResolution), uint16(1), code,
		uint16(0), uint16(0))
}

func (w *ng) enhanced(number int, ticks uint64, length int, data string, comment ...any) {
	w.block(blockEnhanced, append([]any{number, int(ticks >> 32), int(uint32(ticks)), len(data), length, data}, comment...)...)
}

// ngFile has two sections with different byte orders, interfaces with four clocks, all packet blocks and an unknown one.
func ngFile() ([]byte, []shot) {
	at := time.Unix(1700000000, 0).UTC()
	w := &ng{order: binary.LittleEndian}
	w.section()
	w.block(0x99, "unknown")
	w.face(1, "\x09")
	w.face(101, "\x8a") // units of 1/1024 s
	w.enhanced(0, 1700000000_000000001, 3, "abc", uint16(1), uint16(7), "comment")
	w.enhanced(1, 1700000000<<10|512, 5, "abcd")
	w.block(blockSimple, 2, "xy")
	w.block(blockPacket, uint16(1), uint16(0), int(1700000000>>22), int(1700000000<<10&0xffffffff), 1, 9, "z")
	w.order = binary.BigEndian
	w.section()
	w.block(blockInterface, uint16(113), uint16(0), 4, uint16(ngOptionOffset), uint16(8), uint64(1000))
	w.enhanced(0, 1699999000_000007, 3, "big")
	w.block(blockSimple, 6, "longer")
	return w.b, []shot{
		{"abc", at.Add(1), 3, LinkEthernet},
		{"abcd", at.Add(time.Second / 2), 5, LinkRaw},
		{"xy", time.Unix(0, 0).UTC(), 2, LinkEthernet},
		{"z", at, 9, LinkRaw},
		{"big", at.Add(7 * time.Microsecond), 3, LinkSLL},
		{"long", time.Unix(0, 0).UTC(), 6, LinkSLL}, // the interface's snap length
	}
}

// readAll reads a capture to its end.
func readAll(r io.Reader) (got []shot, err error) {
	c, err := OpenCapture(r)
	if err != nil {
		return nil, err
	}
	for {
		r, err := c.Next()
		if err != nil {
			if _, again := c.Next(); !errors.Is(again, err) && again.Error() != err.Error() {
				return got, fmt.Errorf("%w, and then %w", err, again)
			}
			return got, err
		}
		got = append(got, shot{string(r.Data), r.Time, r.Length, r.Link})
	}
}

func captures() map[string][]byte {
	blocks, _ := ngFile()
	return map[string][]byte{
		"micro, little":  pcapFile(binary.LittleEndian, magicMicro, 1, 1000, 0),
		"micro, big":     pcapFile(binary.BigEndian, magicMicro, 1, 1000, 0),
		"nano, little":   pcapFile(binary.LittleEndian, magicNano, 1, 1, 0),
		"nano, big":      pcapFile(binary.BigEndian, magicNano, 1, 1, 0),
		"modified":       pcapFile(binary.LittleEndian, magicModified, 1, 1000, 8),
		"check sequence": pcapFile(binary.LittleEndian, magicMicro, 0x24000001, 1000, 0),
		"pcapng":         blocks,
	}
}

func TestCapture(t *testing.T) {
	for name, data := range captures() {
		want := shots
		if name == "pcapng" {
			_, want = ngFile()
		}
		for kind, r := range map[string]io.Reader{
			"whole": bytes.NewReader(data), "bytes": iotest.OneByteReader(bytes.NewReader(data)),
			"data with the end": iotest.DataErrReader(bytes.NewReader(data)),
		} {
			got, err := readAll(r)
			if !errors.Is(err, io.EOF) {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s: want -, got +\n%s", name, kind, diff)
			}
		}
	}
}

// Cut anywhere a capture gives the records before, then says where it ends.
func TestCaptureCut(t *testing.T) {
	for name, data := range captures() {
		whole, _ := readAll(bytes.NewReader(data))
		before := 0
		for n := range data {
			got, err := readAll(bytes.NewReader(data[:n]))
			var ce *CaptureError
			if !errors.Is(err, io.EOF) && (!errors.As(err, &ce) || n > 0 && !errors.Is(err, ErrTruncated) || ce.Offset > int64(n)) {
				t.Fatalf("%s, %d bytes: %v", name, n, err)
			}
			if len(got) < before || len(got) > len(whole) || len(got) > 0 && !cmp.Equal(got, whole[:len(got)]) {
				t.Fatalf("%s, %d bytes: %d records after %d", name, n, len(got), before)
			}
			before = len(got)
		}
		if before < len(whole)-1 {
			t.Errorf("%s: only %d of %d records", name, before, len(whole))
		}
	}
}

func TestCaptureBroken(t *testing.T) {
	little := captures()["micro, little"]
	block := func(f func(w *ng)) []byte {
		w := &ng{order: binary.LittleEndian}
		w.section()
		w.face(1, "\x06")
		f(w)
		return w.b
	}
	for _, c := range []struct {
		name, says string
		offset     int64
		data       []byte
	}{
		{"empty", "empty", 0, nil},
		{"text", "neither pcap nor pcapng", 0, []byte("#separator \\x09 and more of it")},
		{"version", "version 3.4", 0, edit(little, 4, 3)},
		{"link type", "link type 147 is not decoded", 0, edit(little, 20, 147)},
		{"long record", "262145 bytes", 24, edit(edit(edit(little, 32, 1), 33, 0), 34, 4)},
		{"block of 8 bytes", "block of 8 bytes", 68, block(func(w *ng) { w.b = append(w.b, raw("06000000 08000000")...) })},
		{"block that ends otherwise", "says 99 at its end", 68, block(func(w *ng) { w.block(0x99); w.b[len(w.b)-4] = 99 })},
		{"no order", "byte order mark", 0, edit(block(func(*ng) {}), 8, 0)},
		{"pcapng version", "version 2", 0, edit(block(func(*ng) {}), 12, 2)},
		{"unknown interface", "interface 1, which is not declared", 68, block(func(w *ng) { w.enhanced(1, 0, 1, "a") })},
		{"packet first", "before any interface", 28, func() []byte {
			w := &ng{order: binary.LittleEndian}
			w.section()
			w.enhanced(0, 0, 1, "a")
			return w.b
		}()},
		{"fine clock", "unit of code 20", 28, func() []byte {
			w := &ng{order: binary.LittleEndian}
			w.section()
			w.face(1, "\x14")
			return w.b
		}()},
		{"refused interface", "link type 147", 28, func() []byte {
			w := &ng{order: binary.LittleEndian}
			w.section()
			w.face(147, "\x06")
			return w.b
		}()},
		{"refused second interface", "link type 147", 108, block(func(w *ng) { w.face(147, "\x06"); w.enhanced(1, 0, 1, "a") })},
		{"frame longer than its block", "too few", 68, block(func(w *ng) {
			w.enhanced(0, 0, 4, "abcd")
			w.b[68+20] = 200
		})},
		{"packet of 300 KiB", "307200 bytes", 68, block(func(w *ng) {
			w.enhanced(0, 0, 4, "abcd")
			copy(w.b[68+20:], raw("00b00400"))
		})},
	} {
		got, err := readAll(bytes.NewReader(c.data))
		var ce *CaptureError
		if !errors.As(err, &ce) || !strings.Contains(err.Error(), c.says) || ce.Offset != c.offset || len(got) != 0 {
			t.Errorf("%s: %v after %d records, want byte %d: %s", c.name, err, len(got), c.offset, c.says)
		}
	}
	if _, err := readAll(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a reader that fails: %v", err)
	}
}

// The largest records fit the buffer, wherever they begin in it.
func TestCaptureLargest(t *testing.T) {
	data := captures()["nano, big"][:24]
	for range 5 {
		h := make([]byte, 16+MaxRecord)
		binary.BigEndian.PutUint32(h[8:], MaxRecord)
		data = append(data, h...)
	}
	got, err := readAll(iotest.HalfReader(bytes.NewReader(data)))
	if !errors.Is(err, io.EOF) || len(got) != 5 || len(got[4].Data) != MaxRecord {
		t.Errorf("%d records, %v", len(got), err)
	}
}

// endless repeats a capture's records.
type endless struct {
	head, records []byte
	at            int
}

func (e *endless) Read(b []byte) (int, error) {
	if len(e.head) > 0 {
		n := copy(b, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	n := copy(b, e.records[e.at:])
	e.at = (e.at + n) % len(e.records)
	return n, nil
}

func TestCaptureAllocates(t *testing.T) {
	for name, data := range captures() {
		if name == "pcapng" {
			w := &ng{order: binary.LittleEndian}
			w.section()
			w.face(1, "\x06")
			n := len(w.b)
			w.enhanced(0, 1, 4, "abcd", uint16(0), uint16(0))
			w.block(0x99, "unknown")
			data = w.b
			testAllocs(t, name, data[:n:n], data[n:])
		} else {
			testAllocs(t, name, data[:24:24], data[24:])
		}
	}
}

func testAllocs(t *testing.T, name string, head, records []byte) {
	c, err := OpenCapture(&endless{head: head, records: records})
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := c.Next(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%s: %v allocations", name, n)
	}
}

func FuzzCapture(f *testing.F) {
	for _, data := range captures() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := OpenCapture(bytes.NewReader(data))
		var ce *CaptureError
		if err != nil {
			if !errors.As(err, &ce) || c != nil {
				t.Fatalf("%v, %v", c, err)
			}
			return
		}
		total := 0
		for {
			r, err := c.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				if !errors.As(err, &ce) || ce.Offset > int64(len(data)) {
					t.Fatal(err)
				}
				return
			}
			if total += len(r.Data); total > len(data) {
				t.Fatalf("%d bytes of records in a file of %d", total, len(data))
			}
		}
	})
}

func BenchmarkCapture(b *testing.B) {
	data := captures()["micro, little"][:24]
	frame := join(make([]byte, 16), ether("0800"), make([]byte, 786))
	binary.LittleEndian.PutUint32(frame[8:], uint32(len(frame)-16))
	records := bytes.Repeat(frame, 1000)
	c, err := OpenCapture(&endless{head: data, records: records})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Next(); err != nil {
			b.Fatal(err)
		}
	}
}
