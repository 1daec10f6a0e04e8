package signature

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Decompression: gunzip[:max-size n], zlib_deflate[:max-size n]. More than max-size is cut off; what is not compressed, or is
// damaged before its first byte, gives an empty value. Match: Arg[0] is max-size.
var (
	gunzip = Keyword{
		Name: "gunzip", Where: OnValue, Parse: parseInflate, Doc: "decompresses gzip; max-size n (1024 without it)",
		Apply: func(c *Context, m *Match, in, out []byte) []byte { return c.inflater().gzip(c, m, in, out) },
	}
	zlibDeflate = Keyword{
		Name: "zlib_deflate", Where: OnValue, Parse: parseInflate, Doc: "decompresses zlib (RFC 1950); max-size n (1024 without it)",
		Apply: func(c *Context, m *Match, in, out []byte) []byte { return c.inflater().zlib(c, m, in, out) },
	}
)

// defaultInflated is max-size where a rule has none: Suricata's.
const defaultInflated = 1024

var errMaxSize = errors.New("it takes max-size and a number of bytes, which may end in kb or mb")

func parseInflate(b *Builder, value string) error {
	m := Match{Arg: [6]int64{defaultInflated}}
	if value != "" {
		f := strings.Fields(strings.ToLower(value))
		if len(f) != 2 || f[0] != "max-size" {
			return errMaxSize
		}
		number, shift := f[1], 0
		for unit, bits := range map[string]int{"kb": 10, "kib": 10, "mb": 20, "mib": 20} {
			if s, ok := strings.CutSuffix(f[1], unit); ok {
				number, shift = s, bits
			}
		}
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n == 0 || n<<shift > maxTransformed {
			return errMaxSize
		}
		m.Arg[0] = int64(n << shift)
	}
	return b.transform(m)
}

// inflater is the memory of decompression, made when it is first needed.
type inflater struct {
	in    bytes.Reader
	unzip *gzip.Reader
	unz   io.ReadCloser
}

func (c *Context) inflater() *inflater {
	if c.inflate == nil {
		c.inflate = &inflater{}
	}
	return c.inflate
}

func (f *inflater) gzip(c *Context, m *Match, in, out []byte) []byte {
	f.in.Reset(in)
	var err error
	if f.unzip == nil {
		f.unzip, err = gzip.NewReader(&f.in)
	} else {
		err = f.unzip.Reset(&f.in)
	}
	if err != nil {
		return out
	}
	return readAtMost(c, f.unzip, m.Arg[0], out)
}

func (f *inflater) zlib(c *Context, m *Match, in, out []byte) []byte {
	f.in.Reset(in)
	var err error
	if f.unz == nil {
		f.unz, err = zlib.NewReader(&f.in)
	} else {
		err = f.unz.(zlib.Resetter).Reset(&f.in, nil)
	}
	if err != nil {
		return out
	}
	return readAtMost(c, f.unz, m.Arg[0], out)
}

// readAtMost appends what a reader gives, up to most bytes.
func readAtMost(c *Context, r io.Reader, most int64, out []byte) []byte {
	limit := len(out) + int(most)
	for len(out) < limit {
		if cap(out) == len(out) {
			grown := make([]byte, len(out), min(2*cap(out)+512, limit))
			copy(grown, out)
			out = grown
		}
		n, err := r.Read(out[len(out):min(cap(out), limit)])
		out = out[:len(out)+n]
		if err != nil {
			return out
		}
	}
	var one [1]byte
	if n, _ := r.Read(one[:]); n > 0 {
		c.Counters.Inflate++
	}
	return out
}
