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
	First  float64   `json:"first_pass"`  // with what tables and free lists take to grow
	Steady float64   `json:"steady_pass"` // the same traffic for the last of warmPasses times, by the same engine
	Passes []float64 `json:"passes"`
}

// warmPasses is how often the traffic comes: thousands of flows end and begin with each pass, and each memory that is used
// again has to have held the largest thing once.
const warmPasses = 8

// allocations inspects the capture again and again with one engine. Records are read before: the file's reader is not counted.
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
	var per [warmPasses]float64
	for pass := range per {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, r := range records {
			r.Time = r.Time.Add(time.Duration(pass) * time.Hour)
			e.Packet(r)
		}
		runtime.ReadMemStats(&after)
		per[pass] = rounded3(float64(after.Mallocs-before.Mallocs) / float64(len(records)))
	}
	return allocations{per[0], per[warmPasses-1], per[:]}, nil
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
