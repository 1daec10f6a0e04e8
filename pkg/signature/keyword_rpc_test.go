package signature

import (
	"testing"

	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

func TestRPC(t *testing.T) {
	call := "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa0\x00\x00\x00\x02\x00\x00\x00\x03"
	for _, tt := range []struct {
		options, payload string
		proto            flow.Proto
		want             bool
	}{
		{`rpc:100000,2,3;`, call, flow.UDP, true},
		{`rpc:100000,*,*;`, call, flow.UDP, true},
		{`rpc:100000;`, call, flow.UDP, true},
		{`rpc:100000,2,4;`, call, flow.UDP, false},
		{`rpc:100001,*,*;`, call, flow.UDP, false},
		{`rpc:100000,2,3;`, "\x80\x00\x00\x18" + call, flow.TCP, true},
		{`rpc:100000,2,3;`, call, flow.TCP, false},
		{`rpc:100000,2,3;`, call[:20], flow.UDP, false},
		{`rpc:100000,2,3;`, "", flow.TCP, false},
	} {
		s, err := rule(t, NewEnv(), tt.options)
		if err != nil {
			t.Fatal(err)
		}
		h := &packet.Headers{Payload: []byte(tt.payload)}
		h.Tuple.Proto = tt.proto
		c := &Context{Packet: h, Blob: s.Blob}
		if got := c.Holds(s.Packet); got != tt.want {
			t.Errorf("%s on %q: %v", tt.options, tt.payload, got)
		}
	}
}
