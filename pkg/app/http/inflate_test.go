package http

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"citygate/pkg/app/layer"
)

// inflateAll runs an inflater over pieces of a size, with room for limit bytes.
func inflateAll(in []byte, piece, limit int) (out []byte, r result) {
	var z inflater
	z.reset()
	out = make([]byte, 0, limit)
	for len(in) > 0 {
		k := min(piece, len(in))
		var rest []byte
		rest, out, r = z.run(in[:k], out)
		in = in[k:]
		if r != zInput {
			return out, r
		}
		if len(rest) > 0 {
			return out, zFailed
		}
	}
	return out, r
}

func deflate(t testing.TB, data []byte, level int) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data[:len(data)/2])
	w.Flush()
	w.Write(data[len(data)/2:])
	w.Close()
	return b.Bytes()
}

func TestInflate(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 100000)
	for i := range noise {
		noise[i] = byte(r.IntN(256))
	}
	for name, data := range map[string][]byte{
		"empty": nil, "one": {7}, "text": []byte(strings.Repeat(envelope, 300)), "noise": noise,
		"zeros": make([]byte, 300000), "far": append(append([]byte{}, noise[:40000]...), noise[:32768]...),
	} {
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, 1, 6, 9} {
			in := deflate(t, data, level)
			for _, piece := range []int{1, 3, 1460, 1 << 20} {
				out, res := inflateAll(in, piece, len(data)+1)
				if res != zDone || !bytes.Equal(out, data) {
					t.Errorf("%s, level %d, pieces of %d: result %d, %d bytes of %d", name, level, piece, res, len(out), len(data))
				}
			}
		}
	}
}

func TestInflateRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"reserved block":       "\x07",
		"stored length":        "\x01\x05\x00\x00\x00hello",
		"distance before data": "\x03\x02\x00",
		"all ones":             strings.Repeat("\xff", 50),
		"no end of block":      "\x05\xe0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb\x00\x00\x00",
	} {
		if _, r := inflateAll([]byte(in), 1, 1000); r != zFailed && r != zInput {
			t.Errorf("%s: result %d", name, r)
		}
	}
}

// FuzzInflate compares with compress/flate.
func FuzzInflate(f *testing.F) {
	for _, s := range []string{"", "a", envelope, strings.Repeat("abc", 1000)} {
		f.Add(deflate(f, []byte(s), 6), uint8(3))
		f.Add(deflate(f, []byte(s), flate.HuffmanOnly), uint8(1))
	}
	f.Fuzz(func(t *testing.T, in []byte, piece uint8) {
		const limit = 1 << 16
		out, r := inflateAll(in, int(piece)+1, limit)
		again, s := inflateAll(in, 1<<20, limit)
		if r != s || !bytes.Equal(out, again) {
			t.Fatalf("pieces of %d: %d, %q; at once %d, %q", piece+1, r, out, s, again)
		}
		want, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(in)), limit+1))
		switch {
		case len(want) > limit:
			if r != zRoom {
				t.Fatalf("result %d, want %d", r, zRoom)
			}
		case err == nil && r != zDone && r != zRoom:
			t.Fatalf("result %d for a good stream", r)
		case err != nil && r == zDone:
			t.Fatalf("a bad stream is taken: %v", err)
		}
		if n := min(len(out), len(want)); !bytes.Equal(out[:n], want[:n]) {
			t.Fatalf("%q, want %q", out, want)
		}
	})
}

func TestCodecSpends(t *testing.T) {
	pool := layer.NewPool(1 << 20)
	bomb := []byte(gz(strings.Repeat("\x00", 50<<20)))
	var c codec
	c.reset()
	var out []byte
	c.feed(pool, &out, 100<<10, bomb, true)
	if !c.full || len(out) != 100<<10 || cap(out) > 256<<10 {
		t.Errorf("full %v, %d bytes in %d", c.full, len(out), cap(out))
	}
}

func BenchmarkInflate(b *testing.B) {
	text := bytes.Repeat([]byte(envelope), 500)
	in := deflate(b, text, 6)
	out := make([]byte, 0, len(text)+300)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var z inflater
		z.run(in, out)
	}
}
