package signature

import (
	"encoding/binary"
	"errors"
	"strconv"

	"citygate/pkg/flow"
)

// rpc matches calls of Sun RPC (RFC 5531): rpc:program,version|*,procedure|*. Match: Arg[0] to Arg[2] are the three numbers, -1 for
// any.
var rpc = Keyword{
	Name: "rpc", Where: OnHeader, NeedsPacket: true, Parse: parseRPC, Eval: evalRPC,
	Doc: "a call of Sun RPC: rpc:program,version,procedure; * stands for any version or procedure",
}

var errRPC = errors.New("it has the form program,version,procedure")

func parseRPC(b *Builder, value string) error {
	parts := splitOptions(value)
	if len(parts) > 3 || parts[0] == "*" {
		return errRPC
	}
	m := Match{Arg: [6]int64{-1, -1, -1}}
	for i, p := range parts {
		if p == "*" {
			continue
		}
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return errRPC
		}
		m.Arg[i] = int64(n)
	}
	b.Add(m)
	return nil
}

func evalRPC(c *Context, m *Match) bool {
	data := c.Packet.Payload
	if c.Packet.Tuple.Proto == flow.TCP {
		if len(data) < 4 {
			return false
		}
		data = data[4:] // the record's length
	}
	const call, version = 0, 2
	if len(data) < 24 || rpcWord(data, 4) != call || rpcWord(data, 8) != version {
		return false
	}
	for i := range 3 {
		if m.Arg[i] >= 0 && m.Arg[i] != rpcWord(data, 12+4*i) {
			return false
		}
	}
	return true
}

func rpcWord(data []byte, at int) int64 { return int64(binary.BigEndian.Uint32(data[at:])) }
