package signature

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Odd rules and all that is read from them.
func TestGolden(t *testing.T) {
	in, err := os.Open("testdata/odd.rules")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var got bytes.Buffer
	err = ReadRules("odd.rules", in, NewEnv(), func(s *Signature, r *Refusal) {
		if r != nil {
			t.Error(r)
			return
		}
		describe(&got, s)
	})
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/odd.golden"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs (%v), -update rewrites it:\n%s", golden, err, got.Bytes())
	}
}

var flagNames = []struct {
	flag Flags
	name string
}{
	{ToServer, "to_server"}, {ToClient, "to_client"}, {Established, "established"}, {NotEstablished, "not_established"}, {Stateless, "stateless"},
	{OnlyStream, "only_stream"}, {NoStream, "no_stream"}, {OnlyFrag, "only_frag"}, {NoFrag, "no_frag"}, {OnPacket, "on_packet"},
	{OnStream, "on_stream"}, {NoAlert, "noalert"}, {Says, "says"}, {Bidirectional, "bidirectional"}, {OnIPv4, "ipv4"}, {OnIPv6, "ipv6"},
	{DecodeEvent, "decode_event"}, {IPOnly, "ip_only"}, {Bypass, "bypass"}, {AppEvent, "app_event"}, {TransactionTwo, "two_ways"},
	{ProtocolOnly, "protocol_only"},
}

func describe(b *bytes.Buffer, s *Signature) {
	fmt.Fprintf(b, "%d %s\n\t%v %d:%d:%d, priority %d, class %q, app %v, protocols %x\n", s.Line, s.Msg, s.Action, s.GID, s.SID, s.Rev, s.Priority, s.Classtype, s.App, s.Protocols)
	var flags []string
	for _, f := range flagNames {
		if s.Flags&f.flag != 0 {
			flags = append(flags, f.name)
		}
	}
	fmt.Fprintf(b, "\tflags %s\n", strings.Join(flags, " "))
	for _, set := range []struct {
		name  string
		addrs Addresses
		ports Ports
	}{{"from", s.Src, s.SrcPort}, {"to", s.Dst, s.DstPort}} {
		if !set.addrs.Any() || !set.ports.Any() {
			fmt.Fprintf(b, "\t%s %x %x ports %v\n", set.name, set.addrs.V4, set.addrs.V6, set.ports)
		}
	}
	if len(s.References)+len(s.Metadata)+len(s.Target) > 0 {
		fmt.Fprintf(b, "\treferences %q metadata %q target %q\n", s.References, s.Metadata, s.Target)
	}
	for _, th := range s.Thresholds {
		fmt.Fprintf(b, "\tthreshold %+v\n", th)
	}
	describeMatches(b, "packet", s, s.Packet)
	for _, l := range s.Lists {
		describeMatches(b, fmt.Sprintf("%v way %d transforms", l.Buffer, l.Way), s, l.Transforms)
		describeMatches(b, l.Buffer.String(), s, l.Matches)
	}
	describeMatches(b, "after", s, s.Post)
}

func describeMatches(b *bytes.Buffer, where string, s *Signature, list []Match) {
	for _, m := range list {
		fmt.Fprintf(b, "\t%s: %s flags %x args %x data %q\n", where, keywords[m.Kind].Name, m.Flags, m.Arg, s.Blob[m.Data.Off:m.Data.Off+m.Data.Len])
	}
}
