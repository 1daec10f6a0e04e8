package rulecaptures

import "net/netip"

// adu is a Modbus message (Modbus Messaging on TCP/IP 1.0b, 3.1.3) of unit 1.
func adu(transaction byte, pdu string) string { return aduOf(1, transaction, pdu) }

func aduOf(unit, transaction byte, pdu string) string {
	return string([]byte{0, transaction, 0, 0, 0, byte(len(pdu) + 1), unit}) + pdu
}

// master is a conversation with the controller: requests, and what it answers.
func master(pairs ...[2]string) func(*Scene) {
	return func(s *Scene) {
		var turns []Turn
		for i, p := range pairs {
			turns = append(turns, ask(adu(byte(i+1), p[0])))
			if p[1] != "" {
				turns = append(turns, answer(adu(byte(i+1), p[1])))
			}
		}
		s.Talk(vms, plc, 502, turns...)
	}
}

// bytes is a conversation of one message that may be wrong.
func bytes(question, response string) func(*Scene) {
	return func(s *Scene) {
		turns := []Turn{ask(question)}
		if response != "" {
			turns = append(turns, answer(response))
		}
		s.Talk(vms, plc, 502, turns...)
	}
}

// What a poller asks all day long, with answers: coils, discrete inputs, holding and input registers.
var polling = [][2]string{
	{"\x03\x00\x00\x00\x02", "\x03\x04\x00\x01\x00\x02"}, {"\x04\x00\x10\x00\x01", "\x04\x02\x00\x05"},
	{"\x01\x00\x00\x00\x08", "\x01\x01\x55"}, {"\x02\x00\x00\x00\x08", "\x02\x01\x0f"},
}

// commands are requests with a rule each, and the answers.
var commands = []struct {
	sid               uint32
	question, respond string
}{
	{9300600, "\x05\x00\x07\xff\x00", "\x05\x00\x07\xff\x00"},
	{9300601, "\x06\x00\x07\x00\x01", "\x06\x00\x07\x00\x01"},
	{9300602, "\x0f\x00\x00\x00\x08\x01\x55", "\x0f\x00\x00\x00\x08"},
	{9300603, "\x10\x00\x00\x00\x01\x02\x00\x05", "\x10\x00\x00\x00\x01"},
	{9300604, "\x16\x00\x04\x00\xf2\x00\x25", "\x16\x00\x04\x00\xf2\x00\x25"},
	{9300605, "\x17\x00\x03\x00\x01\x00\x0e\x00\x01\x02\x00\xff", "\x17\x02\x00\xfe"},
	{9300606, "\x15\x09\x06\x00\x04\x00\x07\x00\x01\x06\xaf", "\x15\x09\x06\x00\x04\x00\x07\x00\x01\x06\xaf"},
	{9300610, "\x08\x00\x01\x00\x00", "\x08\x00\x01\x00\x00"},
	{9300611, "\x08\x00\x04\x00\x00", ""},
	{9300612, "\x08\x00\x0a\x00\x00", "\x08\x00\x0a\x00\x00"},
	{9300613, "\x2b\x0e\x01\x00", "\x2b\x0e\x01\x01\x00\x00\x01\x00\x03abc"},
	{9300614, "\x11", "\x11\x02\x01\xff"},
	{9300615, "\x5a\x00\x02", "\x5a\x00\xfe"},
}

func modbusStories() (list []Story) {
	clean := master(polling...)
	for _, c := range commands {
		list = append(list, Story{SID: c.sid, Attack: master(polling[0], [2]string{c.question, c.respond}), Clean: clean})
	}
	write := "\x06\x00\x07\x00\x01"
	var unknown [][2]string
	for _, function := range []byte{'\x41', '\x42', '\x43', '\x64', '\x65'} {
		unknown = append(unknown, [2]string{string([]byte{function}), string([]byte{function | 0x80, 1})})
	}
	read, value := adu(1, polling[0][0]), adu(1, polling[0][1])
	opened := func(from netip.Addr) func(*Scene) { return func(s *Scene) { s.Knock(from, plc, 502) } }
	return append(list,
		Story{SID: 9300607, Also: map[uint32]int{9300601: 1}, Attack: bytes(aduOf(0, 1, write), ""), Clean: bytes(aduOf(0, 1, polling[0][0]), "")},
		Story{SID: 9300616, Attack: master(unknown...), Clean: master(polling[0], unknown[0], polling[1])},
		Story{SID: 9300620, Attack: bytes(read+"\x00\x02\x00\x07\x00\x06\x01\x03\x00\x00\x00\x02", value), Clean: clean},
		Story{SID: 9300621, Also: map[uint32]int{9300622: 1}, Attack: bytes(read+"\x00\x02\x00\x00\x00\x05\x01\x03\x00\x00\x00", value), Clean: clean},
		Story{SID: 9300622, Attack: bytes(read+adu(2, "\x03\x00\x00\x00\xff"), value), Clean: clean},
		Story{SID: 9300623, Attack: bytes(read+adu(2, "\x83\x01"), value), Clean: clean},
		Story{SID: 9300624, Attack: bytes(read, value+adu(7, polling[0][1])), Clean: clean},
		Story{SID: 9300625, Attack: bytes(read, adu(1, "\x03\x06\x00\x01\x00\x02\x00\x03")), Clean: clean},
		Story{SID: 9300630, Attack: opened(outside), Clean: opened(vms)},
	)
}
