package stream

import (
	"testing"
	"time"
)

func TestCounter(t *testing.T) {
	start := time.Unix(1000, 0)
	tests := []struct {
		name    string
		seqs    []uint16
		missing uint64
	}{
		{"in order", []uint16{1, 2, 3, 4}, 0},
		{"over the end of the range", []uint16{65534, 65535, 0, 1}, 0},
		{"one missing", []uint16{1, 2, 4, 5}, 1},
		{"missing at the end of the range", []uint16{65533, 1}, 3},
		{"reordered", []uint16{10, 12, 11, 13}, 0},
		{"the first is late", []uint16{11, 10, 12}, 0},
		{"the first is late, over the end of the range", []uint16{0, 65535, 1}, 0},
		{"a thousand missing", []uint16{0, 1001}, 1000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c Counter
			for i, s := range tt.seqs {
				c.Add(s, 100, start.Add(time.Duration(i)*time.Second))
			}
			var r Received
			c.Fill(&r, start.Add(time.Duration(len(tt.seqs)-1)*time.Second))
			if r.Missing != tt.missing || r.Packets != uint64(len(tt.seqs)) || r.Bytes != 100*r.Packets {
				t.Errorf("missing %d of %d packets, want %d of %d", r.Missing, r.Packets, tt.missing, len(tt.seqs))
			}
			if len(r.PerSecond) != len(tt.seqs) {
				t.Fatalf("history of %d s, want %d", len(r.PerSecond), len(tt.seqs))
			}
			for i, n := range r.PerSecond {
				if n != 1 {
					t.Errorf("second %d: %d packets, want 1", i, n)
				}
			}
		})
	}
}

func TestHistoryForgets(t *testing.T) {
	var c Counter
	start := time.Unix(5000, 0)
	c.Add(1, 1, start)
	c.Add(2, 1, start.Add(3*history*time.Second))
	var r Received
	c.Fill(&r, start.Add((3*history+2)*time.Second))
	if len(r.PerSecond) != history {
		t.Fatalf("history of %d s, want %d", len(r.PerSecond), history)
	}
	sum := uint32(0)
	for _, n := range r.PerSecond {
		sum += n
	}
	if sum != 1 || r.PerSecond[history-3] != 1 {
		t.Errorf("history %v", r.PerSecond)
	}
}
