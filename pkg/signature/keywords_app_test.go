package signature

import (
	"net/netip"
	"testing"

	"citygate/pkg/app/dns"
	"citygate/pkg/app/ftp"
	"citygate/pkg/app/modbus"
	"citygate/pkg/app/tls"
	"citygate/pkg/flow"
	"citygate/pkg/packet"
)

func TestDNSKeywords(t *testing.T) {
	query := onTx(&dns.Tx{Opcode: 4, RRTypes: []uint16{1, 28}}, flow.ToServer)
	answer := onTx(&dns.Tx{Direction: flow.ToClient, RCode: 3}, flow.ToClient)
	otherWay := onTx(&dns.Tx{Direction: flow.ToClient, Opcode: 4, RCode: 3, RRTypes: []uint16{28}}, flow.ToServer)
	checkKeywords(t, []keywordCase{
		{"dns.opcode:4", contexts{query}, contexts{answer, otherWay}},
		{"dns.opcode:!0", contexts{query}, contexts{answer}},
		{"dns.rcode:3", contexts{answer}, contexts{query, otherWay}},
		{"dns.rrtype:28", contexts{query}, contexts{answer, otherWay}},
		{"dns.rrtype:>28", nil, contexts{query}},
	})
	refusal(t, "alert http any any -> any any (dns.opcode:4; sid:1;)")
	refusal(t, "alert dns any any -> any any (dns.opcode:16; sid:1;)")
}

func TestTLSKeywords(t *testing.T) {
	const year2025 = 1735689600
	server := &tls.Tx{
		Versions: [2]uint16{tls.TLS13, tls.TLS12}, Seen: tls.ClientHello | tls.ServerHello,
		Certs: [2]tls.Certificate{{}, {Count: 2, Dated: true, NotBefore: year2025, NotAfter: year2025 + 1000}},
	}
	at := func(now int64, d flow.Direction) func(*Context) {
		return func(c *Context) { c.Tx, c.Direction, c.Now = server, d, now*1e9 }
	}
	client, early, now, late := at(year2025, flow.ToServer), at(year2025-1, flow.ToClient), at(year2025+1, flow.ToClient), at(year2025+1001, flow.ToClient)
	empty := onTx(&tls.Tx{}, flow.ToClient)
	checkKeywords(t, []keywordCase{
		{"tls.version:1.3", contexts{client}, contexts{now}},
		{`tls.version:"1.2"`, contexts{now}, contexts{client, empty}},
		{"tls.version:0x0303", contexts{now}, contexts{client}},
		{"ssl_version:tls1.0,tls1.2", contexts{now}, contexts{client}},
		{"ssl_version:!tls1.0,!tls1.2", contexts{client}, contexts{now, empty}},
		{"ssl_state:server_hello", contexts{now, client}, contexts{empty}},
		{"ssl_state:client_keyx|server_keyx", nil, contexts{now, empty}},
		{"ssl_state:!client_keyx", contexts{now, empty}, nil},
		{"tls_cert_notbefore:2025", contexts{now}, contexts{client, empty}},
		{"tls_cert_notbefore:<2025", nil, contexts{now}},
		{"tls_cert_notafter:>2024-12-31T23:59:59", contexts{now}, contexts{client}},
		{"tls_cert_notafter:2024<>2026-01-01", contexts{now}, contexts{client}},
		{"tls_cert_valid", contexts{now}, contexts{early, late, client}},
		{"tls_cert_expired", contexts{late}, contexts{early, now, client}},
		{"tls.cert_chain_len:>1", contexts{now}, contexts{client, empty}},
	})
	for _, wrong := range []string{
		"tls.version:2", "ssl_version:tls2", "ssl_version:tls1.0,!tls1.1", "ssl_version:a,b,c,d,e,f,g", "ssl_state:asleep", "ssl_state:!",
		"tls_cert_notbefore:soon", "tls_cert_notbefore:2026<>2025", "tls_cert_valid:yes", "tls.cert_chain_len:x",
	} {
		refusal(t, "alert tls any any -> any any ("+wrong+"; sid:1;)")
	}
}

func TestFTPBounce(t *testing.T) {
	on := func(verb ftp.Verb, addr string, d flow.Direction) func(*Context) {
		tuple := flow.FiveTuple{Src: testSrc, Dst: testDst}
		if d == flow.ToClient {
			tuple = tuple.Reverse()
		}
		return func(c *Context) {
			c.Tx, c.Direction = &ftp.Tx{Verb: verb, DataAddr: netip.MustParseAddrPort(addr)}, d
			c.Packet = &packet.Headers{Tuple: tuple}
		}
	}
	checkKeywords(t, []keywordCase{{
		"ftpbounce",
		contexts{on(ftp.Port, "10.9.9.9:20", flow.ToServer), on(ftp.EPRT, "10.9.9.9:20", flow.ToServer)},
		contexts{on(ftp.Port, "10.0.0.1:20", flow.ToServer), on(ftp.Port, "10.9.9.9:20", flow.ToClient), on(ftp.PASV, "10.9.9.9:20", flow.ToServer)},
	}})
}

func TestModbus(t *testing.T) {
	on := func(m modbus.Message) func(*Context) {
		m.Present = true
		tx := &modbus.Tx{}
		tx.Messages[flow.ToServer] = m
		return onTx(tx, flow.ToServer)
	}
	read := on(modbus.Message{Unit: 9, Function: 3, SubFunction: -1, Category: modbus.Assigned, Access: modbus.Read | modbus.Holding, ReadAddress: 100, ReadQuantity: 10})
	write := on(modbus.Message{
		Unit: 10, Function: 16, SubFunction: -1, Category: modbus.Assigned, Access: modbus.Write | modbus.Holding | modbus.Multiple,
		WriteAddress: 500, WriteQuantity: 2, Data: []byte{1, 0xf4, 0, 2, 4, 0, 1, 0x10, 0},
	})
	coil := on(modbus.Message{Function: 5, SubFunction: -1, Category: modbus.Assigned, Access: modbus.Write | modbus.Coils | modbus.Single, WriteAddress: 7, WriteQuantity: 1, Data: []byte{0, 7, 0xff, 0}})
	coils := on(modbus.Message{Function: 15, SubFunction: -1, Category: modbus.Assigned, Access: modbus.Write | modbus.Coils | modbus.Multiple, WriteAddress: 16, WriteQuantity: 10, Data: []byte{0, 16, 0, 10, 2, 0, 2}})
	both := on(modbus.Message{
		Function: 23, SubFunction: -1, Category: modbus.Assigned, Access: modbus.Read | modbus.Write | modbus.Holding | modbus.Multiple,
		ReadAddress: 1, ReadQuantity: 1, WriteAddress: 30, WriteQuantity: 1, Data: []byte{0, 1, 0, 1, 0, 30, 0, 1, 2, 0, 99},
	})
	diagnostic := on(modbus.Message{Function: 8, SubFunction: 4, Category: modbus.Assigned})
	user := on(modbus.Message{Function: 100, SubFunction: -1, Category: modbus.User})
	short := on(modbus.Message{Function: 6, SubFunction: -1, Category: modbus.Assigned, Access: modbus.Write | modbus.Holding | modbus.Single, WriteAddress: 3, WriteQuantity: 1, Data: []byte{0, 3}})
	response := onTx(&modbus.Tx{}, flow.ToClient)
	checkKeywords(t, []keywordCase{
		{"modbus:function 3", contexts{read}, contexts{write, diagnostic, response}},
		{"modbus:unit 9, function 3", contexts{read}, contexts{write}},
		{"modbus:unit >9", contexts{write}, contexts{read}},
		{"modbus:function 8, subfunction 4", contexts{diagnostic}, contexts{read}},
		{"modbus:function 8, subfunction 5", nil, contexts{diagnostic}},
		{"modbus:function user", contexts{user}, contexts{read}},
		{"modbus:function !public", contexts{user}, contexts{read, diagnostic}},
		{"modbus:access read", contexts{read, both}, contexts{write, diagnostic}},
		{"modbus:access write coils", contexts{coil, coils}, contexts{write, read}},
		{"modbus:access read holding, address 109", contexts{read}, contexts{both}},
		{"modbus:access read holding, address 110", nil, contexts{read}},
		{"modbus:access read holding, address <101", contexts{read}, nil},
		{"modbus:access write holding, address 501, value 4096", contexts{write}, contexts{both}},
		{"modbus:access write holding, address 500, value 4096", nil, contexts{write}},
		{"modbus:access write holding, address 499<>502, value >4000", contexts{write}, nil},
		{"modbus:access write coils, address 7, value 1", contexts{coil}, contexts{coils}},
		{"modbus:access write coils, address 25, value 1", contexts{coils}, nil},
		{"modbus:access write coils, address 24, value 1", nil, contexts{coils}},
		{"modbus:access write holding, address 30, value 99", contexts{both}, contexts{write}},
		{"modbus:access write holding, address 3, value >0", nil, contexts{short}},
	})
	for _, wrong := range []string{
		"", "function", "function 0", "function strange", "subfunction 4", "access", "access steal", "access write input", "access read coils input",
		"address 5", "access read, address 5, value 5", "access write coils, value 5", "unit !5", "unit 256", "colour 7",
	} {
		refusal(t, "alert modbus any any -> any any (modbus:"+wrong+"; sid:1;)")
	}
}
