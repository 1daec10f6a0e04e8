package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// alertCounts counts the alerts of an EVE file by signature.
func alertCounts(path string) (map[int]int, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	counts := map[int]int{}
	d := json.NewDecoder(bufio.NewReaderSize(f, 1<<20))
	for {
		var e struct {
			Type  string `json:"event_type"`
			Alert struct {
				SID int `json:"signature_id"`
			} `json:"alert"`
		}
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return counts, nil
		} else if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if e.Type == "alert" {
			counts[e.Alert.SID]++
		}
	}
}

func sum(counts map[int]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// difference is a signature that two engines do not agree on.
type difference struct {
	SID    int `json:"sid"`
	Ours   int `json:"ours"`
	Theirs int `json:"suricata"`
}

func differences(ours, theirs map[int]int) (out []difference) {
	all := maps.Clone(ours)
	maps.Copy(all, theirs)
	for _, sid := range slices.Sorted(maps.Keys(all)) {
		if ours[sid] != theirs[sid] {
			out = append(out, difference{sid, ours[sid], theirs[sid]})
		}
	}
	return out
}
