// Package offline runs the inspection engine over a capture, and reads rules for it: what citygate replay and citygate
// rules do. It is given open files, never names: it works in a sandbox without any.
package offline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"citygate/pkg/app"
	"citygate/pkg/app/http"
	"citygate/pkg/app/layer"
	"citygate/pkg/detect"
	"citygate/pkg/detect/offline/job"
	"citygate/pkg/reassembly"
	"citygate/pkg/signature"
)

// Settings are how a capture is inspected.
type Settings struct {
	Engine     detect.Config
	Vars       signature.Vars
	HTTP       http.Config
	CheckNone  bool // -k none: wrong checksums do not matter
	AlertsOnly bool
	// Sets are keys and values of --set, in order; the last one wins.
	inline *bool
}

// NewSettings are Suricata's defaults.
func NewSettings() *Settings {
	return &Settings{
		Engine: detect.Config{
			Streams: reassembly.Config{
				Depth: reassembly.DefaultDepth, DropInvalid: true, SessionMemory: reassembly.DefaultSessionMemory,
			},
			Checksums: true,
		},
		Vars: signature.DefaultVars(),
	}
}

// setting is a key of --set.
type setting struct {
	doc string
	set func(s *Settings, value string) error
}

// settings are the keys of --set besides variables, by Suricata's names.
var settings = map[string]setting{
	"stream.inline": {"streams as in line: bytes count when they come, the first copy wins (yes, no, auto)", func(s *Settings, v string) error {
		if v == "auto" {
			s.inline = nil
			return nil
		}
		b, err := parseBool(v)
		s.inline = &b
		return err
	}},
	"stream.midstream":           {"pick up connections whose start is not in the capture", boolean(func(s *Settings) *bool { return &s.Engine.Streams.Midstream })},
	"stream.async-oneside":       {"expect to see only one side of a connection", boolean(func(s *Settings) *bool { return &s.Engine.Streams.AsyncOneSide })},
	"stream.drop-invalid":        {"in line, drop segments that no host would take", boolean(func(s *Settings) *bool { return &s.Engine.Streams.DropInvalid })},
	"stream.checksum-validation": {"leave segments with a wrong checksum out of streams", boolean(func(s *Settings) *bool { return &s.Engine.Checksums })},
	"stream.midstream-policy":    {"what to do with connections whose start was not seen", exception(func(s *Settings) *detect.Exception { return &s.Engine.MidstreamPolicy })},
	"stream.memcap":              {"memory of all streams", size(func(s *Settings, n int64) { s.Engine.Streams.TotalMemory = n })},
	"stream.reassembly.depth":    {"bytes of a stream that are inspected; 0 is all", size(func(s *Settings, n int64) { s.Engine.Streams.Depth = uint64(n) })},
	"stream.reassembly.urgent.policy": {"the urgent byte of a segment: oob, inline, drop, gap", choice(map[string]func(*Settings){
		"oob":    func(s *Settings) { s.Engine.Streams.Urgent = reassembly.UrgentOOB },
		"inline": func(s *Settings) { s.Engine.Streams.Urgent = reassembly.UrgentInline },
		"drop":   func(s *Settings) { s.Engine.Streams.Urgent = reassembly.UrgentDrop },
		"gap":    func(s *Settings) { s.Engine.Streams.Urgent = reassembly.UrgentGap },
	})},
	"vlan.use-for-tracking": {"tell flows apart by their VLAN", func(s *Settings, v string) error {
		b, err := parseBool(v)
		s.Engine.IgnoreVLAN = !b
		return err
	}},
	"packet-alert-max": {"alerts per packet", size(func(s *Settings, n int64) { s.Engine.MaxAlerts = int(n) })},
	"app-layer.protocols.http.libhtp.default-config.request-body-limit":                   {"bytes of a request's body that are inspected", size(func(s *Settings, n int64) { s.HTTP.RequestBody = int(n) })},
	"app-layer.protocols.http.libhtp.default-config.response-body-limit":                  {"bytes of a response's body that are inspected", size(func(s *Settings, n int64) { s.HTTP.ResponseBody = int(n) })},
	"app-layer.protocols.http.libhtp.default-config.response-body-decompress-layer-limit": {"encodings undone on top of each other", size(func(s *Settings, n int64) { s.HTTP.Layers = int(n) })},
	"exception-policy":          {"what to do with what cannot be inspected: ignore, auto (drop in line), pass-flow, ...", exceptionForAll},
	"app-layer.error-policy":    {"what to do with flows whose protocol breaks its rules", exception(func(s *Settings) *detect.Exception { return &s.Engine.ErrorPolicy })},
	"detect.prefilter.default":  {"", noEffect},
	"flow.hash-size":            {"", noEffect},
	"mpm-algo":                  {"", noEffect},
	"spm-algo":                  {"", noEffect},
	"runmode":                   {"", noEffect},
	"stats.decoder-events":      {"", noEffect},
	"stats.stream-events":       {"", noEffect},
	"logging.default-log-level": {"", noEffect},
	"stream.bypass":             {"", noEffect},
	"detect.guess-applayer-tx":  {"taken, without effect: an alert on a stream's bytes names no transaction", noEffect},
	"app-layer.protocols.ssh.encryption-handling": {"taken, without effect: nothing behind the handshake is read as a protocol", noEffect},
	"app-layer.protocols.tls.encryption-handling": {"taken, without effect: nothing behind the handshake is read as a protocol", noEffect},
	"host-os-policy.default": {"which copy of overlapping data wins: first, last, bsd, linux, windows, solaris", func(s *Settings, v string) error {
		p, err := reassembly.ParsePolicy(v)
		if err != nil {
			return err
		}
		s.Engine.Streams.Policy, s.Engine.Defragment.Policy = p, p
		return nil
	}},
}

// protocols of Suricata that can be switched by app-layer.protocols.NAME.enabled.
const protocolPrefix, enabledSuffix = "app-layer.protocols.", ".enabled"

// Set is --set KEY=VALUE.
func (s *Settings) Set(keyValue string) error {
	key, value, ok := strings.Cut(keyValue, "=")
	if !ok {
		return fmt.Errorf("--set %s: it has the form KEY=VALUE", keyValue)
	}
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	switch {
	case strings.HasPrefix(key, "vars."):
		if err := s.Vars.Set(key, value); err != nil {
			return fmt.Errorf("--set %s: %w", key, err)
		}
		return nil
	case strings.HasPrefix(key, protocolPrefix) && strings.HasSuffix(key, enabledSuffix):
		if err := s.enable(strings.TrimSuffix(strings.TrimPrefix(key, protocolPrefix), enabledSuffix), value); err != nil {
			return fmt.Errorf("--set %s: %w", key, err)
		}
		return nil
	}
	at, ok := settings[key]
	if !ok {
		return fmt.Errorf("--set %s: unknown key; %scitygate replay --list-settings prints all", key, nearest(key))
	}
	if err := at.set(s, value); err != nil {
		return fmt.Errorf("--set %s: %w", key, err)
	}
	return nil
}

// Keys are the keys of --set besides variables.
func Keys() []string { return slices.Sorted(maps.Keys(settings)) }

// AllKeys are the keys of --set with what they mean, those of variables and files too.
func AllKeys() []job.Key {
	out := []job.Key{
		{Name: "vars.address-groups.NAME", Doc: "addresses of a variable of rules, such as HOME_NET"},
		{Name: "vars.port-groups.NAME", Doc: "ports of a variable of rules, such as RTSP_PORTS"},
		{Name: protocolPrefix + "NAME" + enabledSuffix, Doc: "parse this protocol (yes, no)"},
		{Name: "threshold-file", Doc: "FILE: threshold.config"},
		{Name: "classification-file", Doc: "FILE: classification.config"},
		{Name: "reference-config-file", Doc: "FILE: reference.config"},
	}
	for _, k := range Keys() {
		out = append(out, job.Key{Name: k, Doc: cmp.Or(settings[k].doc, "taken, without effect: it changes how Suricata works, not what it finds")})
	}
	return out
}

// nearest names the known key that is likely to be meant; nothing if a third of the letters or more differ.
func nearest(key string) string {
	best, least := "", len(shorten(key))/3
	for _, k := range AllKeys() {
		if d := distance(shorten(key), k.Name); d < least {
			best, least = "the nearest that is known is "+k.Name+"; ", d
		}
	}
	return best
}

// maxKey is how much of an unknown key is compared: longer ones are near to none.
const maxKey = 120

func shorten(key string) string { return key[:min(len(key), maxKey)] }

// distance is how many letters have to be put in, taken out or changed to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// enable switches a protocol on or off. One that we do not have is off already, and cannot be on.
func (s *Settings) enable(name, value string) error {
	on, err := parseBool(value)
	if err != nil && value != "detection-only" {
		return err
	}
	p, known := layer.ProtoByName(name)
	if s.Engine.Protocols == nil {
		s.Engine.Protocols = app.Protocols()
	}
	switch {
	case !known && on:
		return fmt.Errorf("this engine does not parse %s", name)
	case known && !on:
		s.Engine.Protocols = slices.DeleteFunc(s.Engine.Protocols, func(l *layer.Protocol) bool { return l.Proto == p })
	}
	return nil
}

func parseBool(v string) (bool, error) {
	switch strings.ToLower(v) {
	case "yes", "true", "on", "1":
		return true, nil
	case "no", "false", "off", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither yes nor no", v)
}

func boolean(at func(*Settings) *bool) func(*Settings, string) error {
	return func(s *Settings, v string) (err error) {
		*at(s), err = parseBool(v)
		return err
	}
}

func choice(of map[string]func(*Settings)) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		do, ok := of[v]
		if !ok {
			return fmt.Errorf("%q is none of %s", v, strings.Join(slices.Sorted(maps.Keys(of)), ", "))
		}
		do(s)
		return nil
	}
}

// size reads a number of bytes with Suricata's units.
func size(set func(*Settings, int64)) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		text, unit := strings.ToLower(strings.ReplaceAll(v, " ", "")), int64(1)
		for suffix, n := range map[string]int64{"kb": 1 << 10, "kib": 1 << 10, "mb": 1 << 20, "mib": 1 << 20, "gb": 1 << 30, "gib": 1 << 30} {
			if rest, ok := strings.CutSuffix(text, suffix); ok {
				text, unit = rest, n
				break
			}
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > 1<<40/unit {
			return fmt.Errorf("%q is no size, such as 100kb", v)
		}
		set(s, n*unit)
		return nil
	}
}

// exceptions are Suricata's words for the answers.
var exceptions = map[string]detect.Exception{
	"ignore": detect.Ignore, "pass-packet": detect.PassPacket, "pass-flow": detect.PassFlow, "bypass": detect.Bypass,
	"drop-packet": detect.DropPacket, "drop-flow": detect.DropFlow, "reject": detect.RejectPacket,
}

// noEffect is of keys that change how Suricata works, not what it finds: they are taken so that command lines paste in.
func noEffect(*Settings, string) error { return nil }

// exceptionForAll sets every exception policy.
func exceptionForAll(s *Settings, v string) error {
	if v == "auto" {
		v = "ignore"
		if s.Engine.Inline {
			v = "drop-flow"
		}
	}
	for _, at := range []*detect.Exception{&s.Engine.MidstreamPolicy, &s.Engine.ErrorPolicy} {
		if err := exception(func(*Settings) *detect.Exception { return at })(s, v); err != nil {
			return err
		}
	}
	return nil
}

func exception(at func(*Settings) *detect.Exception) func(*Settings, string) error {
	return func(s *Settings, v string) error {
		x, ok := exceptions[v]
		if !ok {
			return fmt.Errorf("%q is none of %s", v, strings.Join(slices.Sorted(maps.Keys(exceptions)), ", "))
		}
		*at(s) = x
		return nil
	}
}
