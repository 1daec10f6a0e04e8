package app

import (
	"testing"

	"citygate/pkg/app/layer"
)

// FuzzConn gives two directions' bytes to all protocols, whole and in pieces: what is found must not depend on that.
func FuzzConn(f *testing.F) {
	f.Add("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", uint16(80), uint8(1), false)
	f.Add("EHLO a\r\nSTARTTLS\r\n\x16\x03\x01\x00\x02\x01\x00", "220 hi\r\n250-a\r\n250 STARTTLS\r\n220 go\r\n\x16\x03\x03\x00\x02\x02\x00", uint16(25), uint8(2), false)
	f.Add("\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x01", "\x00\x01\x00\x00\x00\x05\x01\x03\x02\x00\x01", uint16(502), uint8(3), true)
	f.Add("SSH-2.0-a\r\n", "SSH-2.0-b\r\n", uint16(22), uint8(4), true)
	f.Add("blah", "blub", uint16(53), uint8(5), false)
	f.Fuzz(func(t *testing.T, client, server string, port uint16, piece uint8, midstream bool) {
		if port == 23 || port == 2323 { // there the first text decides
			return
		}
		pool := layer.NewPool(1 << 22)
		tab := NewTable(Protocols(), pool)
		h := Hint{Client: 40000, Server: port, Midstream: midstream}
		steps := []step{{d: ts, data: client}, {d: tc, data: server}}
		want := run(tab, h, steps, whole)
		if got := run(tab, h, steps, func(int) int { return 1 + int(piece) }); got != want {
			t.Fatalf("pieces of %d:\ngot  %s\nwant %s", 1+int(piece), got, want)
		}
		if pool.InUse() != 0 {
			t.Fatalf("%d bytes are not given back", pool.InUse())
		}
		var c Conn
		c.Datagram(tab, ts, h, []byte(client))
		c.Datagram(tab, tc, h, []byte(server))
		c.Close(tab)
		if pool.InUse() != 0 {
			t.Fatalf("%d bytes of datagrams are not given back", pool.InUse())
		}
	})
}
