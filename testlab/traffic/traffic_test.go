package traffic

import (
	"bytes"
	"net/netip"
	"testing"
)

// TestContents: a recording has the same contents as the last one, and no two actors have the same.
func TestContents(t *testing.T) {
	for name, make := range map[string]func(actor string) []byte{
		"page":     func(a string) []byte { return htmlPage(dice(a), 4000, []string{"/a.css", "/b.js"}) },
		"script":   func(a string) []byte { return script(dice(a), 2000) },
		"picture":  func(a string) []byte { return picture(1, dice(a)) },
		"firmware": func(a string) []byte { return firmware(dice(a), 3001) },
	} {
		if !bytes.Equal(make("x"), make("x")) {
			t.Errorf("%s: differs from one recording to the next", name)
		}
		if bytes.Equal(make("x"), make("y")) {
			t.Errorf("%s: is the same for two actors", name)
		}
	}
}

func TestAddresses(t *testing.T) {
	seen := map[netip.Addr]bool{}
	for _, a := range append(clientAddrs(), serverAddrs()...) {
		if seen[a] || !a.IsValid() {
			t.Errorf("%v is there twice or invalid", a)
		}
		seen[a] = true
	}
}

func TestModbusAnswer(t *testing.T) {
	tests := []struct{ name, request, want string }{
		{"read", "\x03\x00\x00\x00\x02", "\x00\x07\x00\x00\x00\x07\x01\x03\x04\x03\xe8\x03\xef"},
		{"write", "\x10\x00\x08\x00\x02\x04\x00\x01\x00\x02", "\x00\x07\x00\x00\x00\x06\x01\x10\x00\x08\x00\x02"},
	}
	for _, tt := range tests {
		if got := modbusAnswer([7]byte{0, 7, 6: 1}, []byte(tt.request)); string(got) != tt.want {
			t.Errorf("%s: %x, want %x", tt.name, got, tt.want)
		}
	}
	var c bytes.Buffer
	c.Write(modbusFrame(9, 2, []byte{3, 0, 1, 0, 2}))
	if pdu, head, err := readModbus(&c); err != nil || head[1] != 9 || head[6] != 2 || string(pdu) != "\x03\x00\x01\x00\x02" {
		t.Errorf("read back: %x %x %v", head, pdu, err)
	}
}
