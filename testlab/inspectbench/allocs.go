package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"citygate/pkg/detect"
	"citygate/pkg/detect/eve"
	"citygate/pkg/detect/offline"
	"citygate/pkg/packet"
)

// allocations are heap objects per packet, in this process.
type allocations struct {
	First  float64 `json:"first_pass"`  // with what tables and free lists take to grow
	Steady float64 `json:"steady_pass"` // the same traffic again, an hour later, by the same engine
}

// allocations inspects the capture twice with one engine. Records are read before: the file's reader is not counted.
func (b *bench) allocations() (allocations, error) {
	s := offline.NewSettings()
	s.CheckNone, s.AlertsOnly = true, true
	f, err := os.Open(b.rules)
	if err != nil {
		return allocations{}, err
	}
	defer f.Close()
	image, _, err := s.Load(offline.Rules{Files: []offline.File{{Name: b.rules, Reader: f}}})
	if err != nil {
		return allocations{}, err
	}
	rules, err := detect.Open(image)
	if err != nil {
		return allocations{}, err
	}
	records, err := readAll(b.capture)
	if err != nil {
		return allocations{}, err
	}
	cfg := s.Engine
	cfg.Checksums = false
	e := detect.New(cfg, rules, eve.New(io.Discard, eve.Options{CommunityID: true}))
	var per [2]float64
	for pass := range per {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, r := range records {
			r.Time = r.Time.Add(time.Duration(pass) * time.Hour)
			e.Packet(r)
		}
		runtime.ReadMemStats(&after)
		per[pass] = float64(after.Mallocs-before.Mallocs) / float64(len(records))
	}
	return allocations{rounded3(per[0]), rounded3(per[1])}, nil
}

func readAll(path string) ([]packet.Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := packet.OpenCapture(f)
	if err != nil {
		return nil, err
	}
	var out []packet.Record
	for {
		r, err := c.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		r.Data = append([]byte(nil), r.Data...)
		out = append(out, r)
	}
}
