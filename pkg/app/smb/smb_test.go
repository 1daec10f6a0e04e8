package smb

import (
	"strings"
	"testing"

	"citygate/pkg/app/layer"
	"citygate/pkg/flow"
)

func TestProbe(t *testing.T) {
	name := " " + strings.Repeat("CA", 16) + "\x00"
	for _, c := range []struct {
		name, data string
		want       layer.Answer
	}{
		{"version 1", "\x00\x00\x00\x54\xffSMBr", layer.Yes},
		{"version 2", "\x00\x00\x00\xf0\xfeSMB@", layer.Yes},
		{"encrypted", "\x00\x00\x01\x00\xfdSMB", layer.Yes},
		{"compressed", "\x00\x00\x01\x00\xfcSMB", layer.Yes},
		{"session request", "\x81\x00\x00\x44" + name + name, layer.Yes},
		{"session granted", "\x82\x00\x00\x00", layer.Yes},
		{"session refused", "\x83\x00\x00\x01\x82", layer.Yes},
		{"nothing yet", "", layer.More},
		{"part of the magic", "\x00\x00\x00\x54\xffSM", layer.More},
		{"part of a session request", "\x81\x00", layer.More},
		{"another magic", "\x00\x00\x00\x54\xffSMC", layer.No},
		{"not a name", "\x81\x00\x00\x44\x10", layer.No},
		{"Modbus", "\x00\x01\x00\x00\x00\x06\x01\x03", layer.No},
		{"HTTP", "GET / HTTP/1.1", layer.No},
	} {
		for _, d := range []flow.Direction{flow.ToServer, flow.ToClient} {
			if got := probe(d, []byte(c.data)); got != c.want {
				t.Errorf("%s: %d, want %d", c.name, got, c.want)
			}
		}
	}
}

func FuzzProbe(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x54\xffSMBr"))
	f.Add([]byte("\x81\x00\x00\x44 "))
	f.Fuzz(func(t *testing.T, data []byte) {
		last := layer.More
		for n := range len(data) + 1 {
			a := probe(flow.ToServer, data[:n])
			if last != layer.More && a != last {
				t.Fatalf("%q is %d, one byte less was %d", data[:n], a, last)
			}
			last = a
		}
	})
}
