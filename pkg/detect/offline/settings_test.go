package offline

import (
	"strings"
	"testing"

	"citygate/pkg/detect"
	"citygate/pkg/reassembly"
)

func TestSet(t *testing.T) {
	for set, check := range map[string]func(s *Settings) bool{
		"stream.inline=yes":                              func(s *Settings) bool { return s.engine().Streams.Inline },
		"stream.inline = no":                             func(s *Settings) bool { s.Engine.Inline = true; return !s.engine().Streams.Inline },
		"stream.inline=auto":                             func(s *Settings) bool { s.Engine.Inline = true; return s.engine().Streams.Inline },
		"stream.midstream=true":                          func(s *Settings) bool { return s.engine().Streams.Midstream },
		"stream.async-oneside=on":                        func(s *Settings) bool { return s.engine().Streams.AsyncOneSide },
		"stream.drop-invalid=no":                         func(s *Settings) bool { return !s.engine().Streams.DropInvalid },
		"stream.checksum-validation=0":                   func(s *Settings) bool { return !s.engine().Checksums },
		"stream.midstream-policy=drop-flow":              func(s *Settings) bool { return s.engine().MidstreamPolicy == detect.DropFlow },
		"app-layer.error-policy=pass-packet":             func(s *Settings) bool { return s.engine().ErrorPolicy == detect.PassPacket },
		"exception-policy=bypass":                        func(s *Settings) bool { return s.engine().ErrorPolicy == detect.Bypass },
		"stream.memcap=64mb":                             func(s *Settings) bool { return s.engine().Streams.TotalMemory == 64<<20 },
		"stream.reassembly.depth=0":                      func(s *Settings) bool { return s.engine().Streams.Depth == 0 },
		"stream.reassembly.depth=1 MiB":                  func(s *Settings) bool { return s.engine().Streams.Depth == 1<<20 },
		"stream.reassembly.urgent.policy=drop":           func(s *Settings) bool { return s.engine().Streams.Urgent == reassembly.UrgentDrop },
		"vlan.use-for-tracking=false":                    func(s *Settings) bool { return s.engine().IgnoreVLAN },
		"packet-alert-max=3":                             func(s *Settings) bool { return s.engine().MaxAlerts == 3 },
		"host-os-policy.default=linux":                   func(s *Settings) bool { return s.engine().Streams.Policy == reassembly.PolicyLinux },
		"app-layer.protocols.dns.enabled=no":             func(s *Settings) bool { return len(s.engine().Protocols) < len(NewSettings().engine().Protocols) },
		"app-layer.protocols.enip.enabled=no":            func(s *Settings) bool { return len(s.engine().Protocols) == len(NewSettings().engine().Protocols) },
		"app-layer.protocols.tls.enabled=detection-only": func(s *Settings) bool { return true },
		"vars.address-groups.HOME_NET=10.0.0.0/8":        func(s *Settings) bool { return true },
		"mpm-algo=hs":                                    func(s *Settings) bool { return true },
	} {
		s := NewSettings()
		if err := s.Set(set); err != nil || !check(s) {
			t.Errorf("%s: %v", set, err)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	for set, want := range map[string]string{
		"stream.inline":                       "--set stream.inline: it has the form KEY=VALUE",
		"stream.inline=perhaps":               `--set stream.inline: "perhaps" is neither yes nor no`,
		"stream.midstrem=yes":                 "--set stream.midstrem: unknown key; the nearest that is known is stream.midstream; citygate replay --list-settings prints all",
		"app-layer.protocols.enip.enabled=on": "--set app-layer.protocols.enip.enabled: this engine does not parse enip",
		"stream.memcap=many":                  `--set stream.memcap: "many" is no size, such as 100kb`,
		"stream.memcap=-1":                    `"-1" is no size`,
		"stream.memcap=99999999gb":            "is no size",
		"exception-policy=explode":            `"explode" is none of bypass, drop-flow, drop-packet, ignore, pass-flow, pass-packet, reject`,
		"stream.reassembly.urgent.policy=x":   `"x" is none of drop, gap, inline, oob`,
		"pcap-file.delete-when-done=yes":      "--set pcap-file.delete-when-done: unknown key; citygate replay --list-settings prints all",
		"threshhold-file=x":                   "the nearest that is known is threshold-file;",
		strings.Repeat("a", 1<<20) + "=x":     "unknown key",
	} {
		if err := NewSettings().Set(set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %.200v, want %s", set, err, want)
		}
	}
}

// Every key says what it does, and is set by a value.
func TestKeys(t *testing.T) {
	keys := AllKeys()
	if len(keys) < 25 {
		t.Errorf("only %d keys", len(keys))
	}
	for _, k := range keys {
		if k.Name == "" || k.Doc == "" {
			t.Errorf("%q: %q", k.Name, k.Doc)
		}
	}
}
