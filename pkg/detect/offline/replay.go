package offline

import (
	"errors"
	"fmt"
	"io"
	"time"

	"citygate/pkg/app"
	"citygate/pkg/app/http"
	"citygate/pkg/app/layer"
	"citygate/pkg/detect"
	"citygate/pkg/detect/eve"
	"citygate/pkg/packet"
)

// Result is what a replay counted.
type Result struct {
	detect.Counters
	Last time.Time // of the last packet
	// Broken is a *packet.CaptureError if the capture is cut or broken behind some of its records: what was before is
	// inspected.
	Broken error
}

// Replay inspects a capture and writes EVE lines. The same input gives the same output, byte for byte.
func (s *Settings) Replay(capture io.Reader, image []byte, out io.Writer) (res Result, err error) {
	rules, err := detect.Open(image)
	if err != nil {
		return res, err
	}
	in := &source{r: capture}
	c, err := packet.OpenCapture(in)
	if err != nil {
		return res, err
	}
	w := eve.New(out, eve.Options{Inline: s.Engine.Inline, Transactions: !s.AlertsOnly, Flows: !s.AlertsOnly, CommunityID: true})
	e := detect.New(s.engine(), rules, w)
	for err == nil {
		var r packet.Record
		if r, err = c.Next(); err == nil {
			e.Packet(r)
			res.Last = r.Time
		}
	}
	e.Close()
	res.Counters = e.Counters()
	var link *packet.LinkError
	switch {
	case in.err != nil:
		return res, fmt.Errorf("read: %w", in.err)
	case errors.As(err, &link) && res.Packets == 0:
		return res, err
	case !errors.Is(err, io.EOF):
		res.Broken = err
	}
	return res, w.Close()
}

// source remembers that reading itself went wrong, which is no fault of the capture's.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// engine is the engine's part of the settings.
func (s *Settings) engine() detect.Config {
	cfg := s.Engine
	cfg.Streams.Inline = cfg.Inline
	if s.inline != nil {
		cfg.Streams.Inline = *s.inline
	}
	if s.CheckNone {
		cfg.Checksums = false
	}
	s.limits(&cfg)
	return cfg
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
