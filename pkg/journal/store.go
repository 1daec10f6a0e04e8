package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/event"
)

// Config says where a Store keeps what. Zero numbers stand for the defaults.
type Config struct {
	Dir          string // the logs' folder; one sub-folder per class
	EVE          *EVEFile
	Host         string // the site's name in EVE lines
	Log          Options
	ReserveBytes int64                             // default 1 MiB
	Now          func() (time.Duration, time.Time) // CLOCK_MONOTONIC and wall clock
}

// State counts what a Store did since it was opened.
type State struct {
	Written    uint64 // records on the disk
	Suppressed uint64 // frames of which events say only the number
	Lost       uint64 // records that could not be kept
	DiskFull   bool
	LastError  string
}

// Store keeps events: each in the log of its class and as a line in the EVE file. It never fails and never waits for
// room: what cannot be kept is counted, said in State, and recorded when that is possible again.
// It belongs to one goroutine.
type Store struct {
	cfg     Config
	reserve reserve
	logs    [event.Classes]*Log
	failing [event.Classes]bool   // the last write failed
	lost    [event.Classes]uint64 // not recorded as lost yet
	eveLost bool                  // the last write of the EVE file failed
	state   State
}

// OpenStore opens the logs that exist. A log that cannot be opened is tried again at every write.
func OpenStore(cfg Config) (*Store, error) {
	if cfg.ReserveBytes == 0 {
		cfg.ReserveBytes = 1 << 20
	}
	if err := os.MkdirAll(cfg.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("make the journal's folder: %w", err)
	}
	s := &Store{cfg: cfg, reserve: reserve{filepath.Join(cfg.Dir, "reserve"), cfg.ReserveBytes}}
	var found []event.Event
	for c := range event.Class(event.Classes) {
		if _, err := os.Stat(s.logDir(c)); err != nil {
			continue // made with its first record
		}
		if l, err := s.log(c); err != nil {
			s.note(err)
		} else {
			found = append(found, s.cuts(c, l)...)
		}
	}
	s.Write(found)
	if err := s.reserve.hold(); err != nil {
		s.trouble(event.Security, err)
	}
	return s, nil
}

func (s *Store) logDir(c event.Class) string { return filepath.Join(s.cfg.Dir, strconv.Itoa(int(c))) }

func (s *Store) log(c event.Class) (*Log, error) {
	if s.logs[c] != nil {
		return s.logs[c], nil
	}
	l, err := Open(s.logDir(c), c, s.cfg.Log)
	if err == nil {
		s.logs[c] = l
	}
	return l, err
}

// Reopen opens the EVE file anew at the next write.
func (s *Store) Reopen() {
	if err := s.cfg.EVE.Reopen(); err != nil {
		s.note(err)
	}
}

// State gives the counters.
func (s *Store) State() State { return s.state }

// Close closes all files. The reserve stays.
func (s *Store) Close() error {
	var err error
	for _, l := range s.logs {
		if l != nil {
			err = errors.Join(err, l.Close())
		}
	}
	return errors.Join(err, s.cfg.EVE.Reopen())
}

// Write keeps a batch: one fsync per class that occurs in it.
func (s *Store) Write(batch []event.Event) {
	var lines []byte
	var entries [event.Classes][]Entry
	for _, e := range batch {
		c, entry := e.EventType().Class(), s.entry(e)
		entries[c] = append(entries[c], entry)
		if s.tries(c) {
			lines = append(append(lines, entry.Payload...), '\n')
		}
		if d, ok := e.(*event.Drop); ok {
			s.state.Suppressed += uint64(d.Suppressed)
		}
	}
	for i, list := range entries {
		c := event.Class(i)
		if err := s.keep(c, list); err != nil {
			s.lost[c] += uint64(len(list))
			s.state.Lost += uint64(len(list))
			s.trouble(c, err)
		}
	}
	s.eve(lines)
}

// entry renders an event. One without a time gets the present one.
func (s *Store) entry(e event.Event) Entry {
	h := e.Head()
	if h.Wall.IsZero() {
		h.Boot, h.Wall = s.cfg.Now()
	}
	return Entry{Kind: uint16(e.EventType()), Mono: h.Boot, Wall: h.Wall, Payload: event.EVE(e, s.cfg.Host)}
}

// tries reports whether a class is written now. On a full disk classes 2 and 3 are not, so that they do not eat up the
// room that the reserve gave back.
func (s *Store) tries(c event.Class) bool { return !s.state.DiskFull || c <= event.Security }

// keep records entries of one class.
func (s *Store) keep(c event.Class, list []Entry) error {
	if len(list) == 0 {
		return nil
	}
	if !s.tries(c) {
		return errFull
	}
	l, err := s.log(c)
	if err == nil {
		err = l.Append(list)
	}
	if err != nil {
		return err
	}
	s.failing[c] = false
	s.state.Written += uint64(len(list))
	if cuts := s.cuts(c, l); len(cuts) > 0 {
		s.Write(cuts)
	}
	return nil
}

var errFull = fmt.Errorf("records of this class are not kept now: %w", unix.ENOSPC)

func (s *Store) note(err error) { s.state.LastError = err.Error() }

// trouble records that a class cannot be written, once until it can be again.
func (s *Store) trouble(c event.Class, err error) {
	s.note(err)
	switch {
	case full(err) && !s.state.DiskFull:
		s.state.DiskFull = true
		if err := s.reserve.release(); err != nil {
			s.note(err)
		}
		s.Write([]event.Event{s.anomaly("disk_full", "the disk is full: records are lost until there is room", s.cfg.Dir, 0, 0)})
	case !full(err) && !s.failing[c]:
		s.failing[c] = true
		s.Write([]event.Event{s.anomaly("log_failed", err.Error(), strconv.Itoa(int(c)), 0, 0)})
	}
}

// eve writes the copy for other programs. Its lines are in the logs too, so they do not count as lost.
func (s *Store) eve(lines []byte) {
	if len(lines) == 0 {
		return
	}
	err := s.cfg.EVE.Write(lines)
	before := s.eveLost
	if s.eveLost = err != nil; s.eveLost {
		s.note(err)
	}
	if s.eveLost && !before && !s.state.DiskFull {
		s.Write([]event.Event{s.anomaly("log_failed", err.Error(), "eve.json", 0, 0)})
	}
}

// Tick does what is due now and then, about once a second: it finds out whether a full disk has room again, and
// records what was lost until a class could be written again.
func (s *Store) Tick() {
	if s.state.DiskFull && !s.roomAgain() {
		return
	}
	for c, n := range s.lost {
		if n == 0 || s.failing[c] {
			continue
		}
		e := s.entry(s.anomaly("records_lost", "these records could not be kept", strconv.Itoa(c), 0, n))
		if err := s.keep(event.Security, []Entry{e}); err != nil {
			s.trouble(event.Security, err)
			return
		}
		s.lost[c] -= n
		s.eve(append(e.Payload, '\n'))
	}
}

// roomAgain needs room for the reserve and as much again before it ends the full state.
func (s *Store) roomAgain() bool {
	if free, err := room(s.cfg.Dir); err != nil || free < 2*s.cfg.ReserveBytes {
		return false
	}
	if err := s.reserve.hold(); err != nil {
		s.note(err)
		return false
	}
	s.state.DiskFull = false
	return true
}

// cuts turns a log's cuts into events.
func (s *Store) cuts(c event.Class, l *Log) (events []event.Event) {
	for _, cut := range l.Cuts() {
		file := filepath.Join(strconv.Itoa(int(c)), cut.File)
		events = append(events, s.anomaly("log_cut", cut.Why.Error(), file, cut.Offset, uint64(cut.Bytes)))
	}
	return events
}

func (s *Store) anomaly(name, text, object string, offset int64, count uint64) event.Event {
	boot, wall := s.cfg.Now()
	return &event.Anomaly{
		Header: event.Header{Boot: boot, Wall: wall}, Type: event.AnomalyBox,
		Event: name, Text: text, Object: object, Offset: offset, Count: count,
	}
}
