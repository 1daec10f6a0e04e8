package signature

import (
	"bytes"
	"encoding/base64"
	"testing"
)

// What the standard library encodes and decodes, base64 here does too; of any other text there is an answer of a bounded size.
func FuzzBase64(f *testing.F) {
	for _, s := range []string{"", "a", "ab", "abc", "dGVzdA==", "dG=V", "d", "dGVz\r\ndA=="} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, mode := range []base64Mode{base64Plain, base64Mail, base64Strict} {
			for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding} {
				got, good := appendBase64(nil, []byte(e.EncodeToString(data)), mode)
				if !bytes.Equal(got, data) || good != (e == base64.StdEncoding || len(data)%3 == 0) {
					t.Errorf("mode %d: %q, want %q, good %v", mode, got, data, good)
				}
			}
			got, good := appendBase64([]byte("x"), data, mode)
			if len(got) == 0 || got[0] != 'x' || len(got) > 1+len(data)*3/4+2 {
				t.Errorf("mode %d of %q: %q", mode, data, got)
			}
			want, err := base64.StdEncoding.DecodeString(string(data))
			if clean := !bytes.ContainsAny(data, "\r\n"); clean && err == nil && (!good || !bytes.Equal(got[1:], want)) {
				t.Errorf("mode %d of %q: %q %v, want %q", mode, data, got[1:], good, want)
			}
		}
	})
}

// Any bytes as BER: an answer, and the same one when more is added behind what is too long.
func FuzzASN1(f *testing.F) {
	f.Add([]byte("\x30\x04\x03\x02\x09\x00"), uint16(3))
	f.Add([]byte("\x30\x80\x1f\x81\x01\x82\xff\xff"), uint16(0))
	f.Add(bytes.Repeat([]byte("\x30\x80"), 200), uint16(9))
	f.Fuzz(func(t *testing.T, data []byte, long uint16) {
		m := Match{Flags: flagOversize, Arg: [6]int64{int64(long)}}
		c := &Context{In: Input{Data: data, End: true}}
		over := evalASN1(c, &m)
		m.Flags |= flagBitString | flagDouble
		if over && !evalASN1(c, &m) {
			t.Errorf("%q: too long alone, but not with more to look for", data)
		}
	})
}
