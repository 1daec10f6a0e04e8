package offline

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"citygate/pkg/app"
	"citygate/pkg/app/http"
	"citygate/pkg/app/layer"
	"citygate/pkg/detect"
	"citygate/pkg/detect/eve"
	"citygate/pkg/detect/offline/job"
	"citygate/pkg/packet"
)

// Result is what a replay counted.
type Result struct {
	detect.Counters
	Last time.Time // of the last packet
	// Broken is a *packet.CaptureError if the capture is cut or broken behind some of its records: what was before is
	// inspected.
	Broken error
	// Alerts by rule, the most frequent first.
	Alerts []job.Alerts
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
	w := eve.New(out, eve.Options{Inline: s.Engine.Inline, Transactions: !s.AlertsOnly, Flows: !s.AlertsOnly, Anomalies: !s.AlertsOnly, CommunityID: true})
	tally := &tally{Writer: w, alerts: map[[2]uint32]*job.Alerts{}}
	e := detect.New(s.engine(), rules, tally)
	for err == nil {
		var r packet.Record
		if r, err = c.Next(); err == nil {
			e.Packet(r)
			res.Last = r.Time
		}
	}
	e.Close()
	res.Counters, res.Alerts = e.Counters(), tally.sorted()
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

// tally counts alerts by rule on their way to the file.
type tally struct {
	*eve.Writer
	alerts map[[2]uint32]*job.Alerts // by gid and sid
}

// Alert counts and writes an alert.
func (t *tally) Alert(a *detect.Alert) {
	id := [2]uint32{a.Rule.GID(), a.Rule.SID()}
	n := t.alerts[id]
	if n == nil {
		n = &job.Alerts{GID: id[0], SID: id[1], Message: string(a.Rule.Msg())}
		t.alerts[id] = n
	}
	n.Count++
	t.Writer.Alert(a)
}

func (t *tally) sorted() []job.Alerts {
	var out []job.Alerts
	for _, n := range t.alerts {
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b job.Alerts) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.SID, b.SID), cmp.Compare(a.GID, b.GID))
	})
	return out
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
