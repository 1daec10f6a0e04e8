package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/event"
	"citygate/pkg/verdict"
)

// disk stands for a disk that is full or broken: its fsync gives err.
type disk struct{ err error }

func (d *disk) sync(f *os.File) error {
	if d.err != nil {
		return d.err
	}
	return f.Sync()
}

func openStore(t testing.TB, dir string, d *disk) *Store {
	t.Helper()
	s, err := OpenStore(Config{
		Dir: filepath.Join(dir, "journal"), EVE: NewEVEFile(filepath.Join(dir, "eve.json"), 1<<20, 3), Host: "school-14",
		Log: Options{sync: d.sync}, ReserveBytes: 64 << 10,
		Now: func() (time.Duration, time.Time) { return time.Minute, wall },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// names gives type, or the event of an anomaly, of each record in a class's log, and of each line in eve.json.
func recorded(t testing.TB, dir string, c event.Class) (names []string) {
	t.Helper()
	err := Records(filepath.Join(dir, "journal", fmt.Sprint(c)), 0, 0, func(r *Record) error {
		names = append(names, lineName(t, r.Payload))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func lineName(t testing.TB, line []byte) string {
	t.Helper()
	var r struct {
		EventType string `json:"event_type"`
		Anomaly   struct{ Event string }
		CityGate  struct {
			Object string
			Count  int
		}
	}
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	switch {
	case r.Anomaly.Event == "records_lost":
		return fmt.Sprintf("records_lost %s %d", r.CityGate.Object, r.CityGate.Count)
	case r.Anomaly.Event != "":
		return r.Anomaly.Event
	}
	return r.EventType
}

func eveNames(t testing.TB, dir string) (names []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "eve.json"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		names = append(names, lineName(t, line))
	}
	return names
}

func want(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestStoreClasses(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, &disk{})
	s.Write([]event.Event{
		&event.Drop{Reason: verdict.ReasonNoRule, Count: 1, Suppressed: 40},
		&event.Stats{},
		&event.Audit{Header: event.Header{Wall: wall}, Verb: "apply"},
	})
	s.Write([]event.Event{&event.Flow{}})
	want(t, "class 1", recorded(t, dir, event.Security), "drop", "audit")
	want(t, "class 3", recorded(t, dir, event.Bulk), "stats", "flow")
	want(t, "eve.json", eveNames(t, dir), "drop", "stats", "audit", "flow")
	if st := s.State(); st != (State{Written: 4, Suppressed: 40}) {
		t.Errorf("state %+v", st)
	}
	for _, c := range []string{"0", "2"} {
		if _, err := os.Stat(filepath.Join(dir, "journal", c)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the log of class %s is made although nothing is in it", c)
		}
	}
	line, _ := os.ReadFile(filepath.Join(dir, "eve.json"))
	if !bytes.Contains(line, []byte(`{"timestamp":"2026-03-01T12:00:00.000000+0000"`)) || !bytes.Contains(line, []byte(`"school-14"`)) {
		t.Errorf("%s", line)
	}
}

func TestStoreRecordsCut(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, &disk{})
	s.Write([]event.Event{&event.Audit{Verb: "one"}, &event.Audit{Verb: "two"}})
	s.Close()
	path := filepath.Join(dir, "journal", "1", s.logs[1].segment)
	if err := os.Truncate(path, fileSize(path)-5); err != nil {
		t.Fatal(err)
	}
	openStore(t, dir, &disk{}).Close()
	want(t, "class 1", recorded(t, dir, event.Security), "audit", "log_cut")
	want(t, "eve.json", eveNames(t, dir), "audit", "audit", "log_cut")
}

func TestStoreFullDisk(t *testing.T) {
	dir := t.TempDir()
	d := &disk{}
	s := openStore(t, dir, d)
	reserve := filepath.Join(dir, "journal", "reserve")
	if fileSize(reserve) != 64<<10 {
		t.Errorf("%d bytes are reserved", fileSize(reserve))
	}
	s.Write([]event.Event{&event.Audit{Verb: "before"}, &event.Stats{}})
	// The disk is full until the reserve is released.
	d.err = unix.ENOSPC
	s.cfg.Log.sync = d.sync
	s.logs[1].opts.sync = func(f *os.File) error {
		if _, err := os.Stat(reserve); err == nil {
			return unix.ENOSPC
		}
		return f.Sync()
	}
	s.Write([]event.Event{&event.Drop{}, &event.Stats{}})
	if st := s.State(); !st.DiskFull || st.Lost != 2 || !strings.Contains(st.LastError, "no space left") {
		t.Errorf("state %+v", st)
	}
	s.Write([]event.Event{&event.Audit{Verb: "meanwhile"}, &event.Stats{}})
	want(t, "class 1", recorded(t, dir, event.Security), "audit", "disk_full", "audit")
	// The test's disk has room in truth, so the next tick finds it.
	d.err = nil
	s.logs[1].opts.sync = d.sync
	s.Tick()
	s.Write([]event.Event{&event.Stats{}})
	s.Tick()
	want(t, "class 1", recorded(t, dir, event.Security), "audit", "disk_full", "audit", "records_lost 1 1", "records_lost 3 2")
	want(t, "class 3", recorded(t, dir, event.Bulk), "stats", "stats")
	if st := s.State(); st.DiskFull || st.Lost != 3 || fileSize(reserve) != 64<<10 {
		t.Errorf("state %+v, reserve %d", st, fileSize(reserve))
	}
}

func TestStoreBrokenDisk(t *testing.T) {
	dir := t.TempDir()
	d := &disk{}
	s := openStore(t, dir, d)
	s.Write([]event.Event{&event.Stats{}})
	s.logs[3].opts.sync = func(*os.File) error { return unix.EIO }
	for range 3 {
		s.Write([]event.Event{&event.Stats{}})
		s.Tick()
	}
	want(t, "class 1", recorded(t, dir, event.Security), "log_failed")
	s.logs[3].opts.sync = d.sync
	s.Write([]event.Event{&event.Stats{}})
	s.Tick()
	s.Tick()
	want(t, "class 1", recorded(t, dir, event.Security), "log_failed", "records_lost 3 3")
	want(t, "class 3", recorded(t, dir, event.Bulk), "stats", "stats")
	if st := s.State(); st.Lost != 3 || st.DiskFull {
		t.Errorf("state %+v", st)
	}
}

// With everything broken Write returns, and all is counted.
func TestStoreAllBroken(t *testing.T) {
	dir := t.TempDir()
	d := &disk{}
	s := openStore(t, dir, d)
	s.Write([]event.Event{&event.Audit{}})
	d.err = unix.EIO
	if err := os.Remove(filepath.Join(dir, "eve.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "eve.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		s.Write([]event.Event{&event.Audit{}, &event.Stats{}})
		s.Tick()
	}
	lost := s.State().Lost
	if lost < 10 || s.State().Written != 1 {
		t.Errorf("state %+v", s.State())
	}
	d.err = nil
	s.Write([]event.Event{&event.Audit{}, &event.Stats{}})
	s.Tick()
	var sum uint64
	for _, n := range s.lost {
		sum += n
	}
	if sum != 0 || s.State().Lost != lost {
		t.Errorf("not recorded as lost: %v, state %+v", s.lost, s.State())
	}
}
