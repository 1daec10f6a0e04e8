package offline

import (
	"errors"
	"fmt"
	"io"

	"citygate/pkg/app"
	"citygate/pkg/app/http"
	"citygate/pkg/app/layer"
	"citygate/pkg/detect"
	"citygate/pkg/detect/eve"
	"citygate/pkg/packet"
	"citygate/pkg/signature"
)

// File is an open file with the name that people know it by.
type File struct {
	Name string
	io.Reader
}

// Rules reads rules and what belongs to them.
type Rules struct {
	Files          []File
	Threshold      *File // threshold.config
	Classification *File
	References     *File
}

// Report says what came of rules.
type Report struct {
	Rules   int // rules that are not commented out
	Loaded  int
	Skipped int
	Refused []*signature.Refusal
}

// Load reads rules in their order and compiles them.
func (s *Settings) Load(from Rules) (image []byte, rep Report, err error) {
	env := signature.NewEnv()
	env.Vars = s.Vars
	if f := from.Classification; f != nil {
		if err := env.Classes.ReadClasses(f.Name, f); err != nil {
			return nil, rep, err
		}
	}
	if f := from.References; f != nil {
		if err := signature.ReadReferences(f.Name, f, env.References); err != nil {
			return nil, rep, err
		}
	}
	set := signature.Rules{Env: env}
	for _, f := range from.Files {
		if err := set.Read(f.Name, f); err != nil {
			return nil, rep, fmt.Errorf("read %s: %w", f.Name, err)
		}
	}
	rep.Loaded, rep.Skipped, rep.Refused = len(set.Signatures), set.Skipped, set.Refused
	rep.Rules = rep.Loaded + rep.Skipped + len(rep.Refused) + set.Replaced
	var limits []signature.ThresholdRule
	if f := from.Threshold; f != nil {
		if limits, err = signature.ReadThresholds(f.Name, f, &env.Vars); err != nil {
			return nil, rep, err
		}
	}
	signature.Sort(set.Signatures)
	return detect.Compile(detect.Set{Signatures: set.Signatures, Symbols: env.Symbols, Thresholds: limits}), rep, nil
}

// Result is what a replay counted.
type Result struct {
	detect.Counters
	// Truncated: the capture ends in the middle of a record; what was there was inspected.
	Truncated bool
}

// Replay inspects a capture and writes EVE lines. The same input gives the same output, byte for byte.
func (s *Settings) Replay(capture io.Reader, image []byte, out io.Writer) (res Result, err error) {
	rules, err := detect.Open(image)
	if err != nil {
		return res, err
	}
	c, err := packet.OpenCapture(capture)
	if err != nil {
		return res, err
	}
	cfg := s.Engine
	inline := cfg.Inline
	cfg.Streams.Inline = inline
	if s.inline != nil {
		cfg.Streams.Inline = *s.inline
	}
	w := eve.New(out, eve.Options{Inline: inline, Transactions: !s.AlertsOnly, Flows: !s.AlertsOnly, CommunityID: true})
	if s.CheckNone {
		cfg.Checksums = false
	}
	s.limits(&cfg)
	e := detect.New(cfg, rules, w)
	for {
		r, err := c.Next()
		if errors.Is(err, packet.ErrTruncated) {
			res.Truncated = true
			break
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return res, err
		}
		e.Packet(r)
	}
	e.Close()
	res.Counters = e.Counters()
	return res, w.Close()
}

// limits puts the limits of parsers into the table of protocols.
func (s *Settings) limits(cfg *detect.Config) {
	if cfg.Protocols == nil {
		cfg.Protocols = app.Protocols()
	}
	for i, p := range cfg.Protocols {
		if p.Proto == layer.HTTP {
			cfg.Protocols[i] = http.ProtocolWith(s.HTTP)
		}
	}
}
