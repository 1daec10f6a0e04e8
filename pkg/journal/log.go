// Package journal keeps records: what a batch of events goes in, durable hash-chained logs (one per class) and the EVE
// file come out; it reads, checks and follows both.
package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"citygate/pkg/event"
)

// Options of a log. Zero values stand for the defaults.
type Options struct {
	SegmentBytes int64 // a segment grows to about this; default 8 MiB
	QuotaBytes   int64 // of all segments together; the oldest go first, never the newest; default 256 MiB
	Boot         [16]byte

	sync func(*os.File) error // (*os.File).Sync; tests break it
}

func (o Options) filled() Options {
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 8 << 20
	}
	if o.QuotaBytes == 0 {
		o.QuotaBytes = 256 << 20
	}
	if o.sync == nil {
		o.sync = (*os.File).Sync
	}
	return o
}

// Cut says that a log lost its end: a torn write at a power cut, or damage.
type Cut struct {
	File   string // within the log's folder
	Offset int64  // where the last good record ends
	Bytes  int64  // behind it
	Why    error
}

// Log is the open end of one class's log. It belongs to one goroutine.
type Log struct {
	dir   string
	class event.Class
	opts  Options
	lock  *os.File

	epoch   Epoch
	chain   chain
	f       *os.File // the newest segment
	segment string   // its name
	size    int64    // of what is acknowledged in it
	floor   time.Time
	failed  bool // the file cannot be trusted: read it again before the next write
	cuts    []Cut
	buf     []byte
}

// Open opens the log in dir for writing, or makes it; one process at a time can. A log whose end is not a whole good
// record is cut there: Cuts tells, and what was behind is kept in a file *.cut.
func Open(dir string, class event.Class, o Options) (*Log, error) {
	l := &Log{dir: dir, class: class, opts: o.filled()}
	if err := os.Mkdir(dir, 0o750); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("make log folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("lock log: %w", err)
	}
	l.lock = lock
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock log %s: another process writes it: %w", dir, err), lock.Close())
	}
	if err := l.load(1 << 62); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

const lockName = "lock"

// Epoch is the log's name.
func (l *Log) Epoch() Epoch { return l.epoch }

// Next is the sequence number of the next record.
func (l *Log) Next() uint64 { return l.chain.next }

// Cuts gives the cuts since the last call.
func (l *Log) Cuts() []Cut {
	c := l.cuts
	l.cuts = nil
	return c
}

// Close releases the log.
func (l *Log) Close() error {
	var err error
	if l.f != nil {
		err = l.f.Close()
	}
	return errors.Join(err, l.lock.Close())
}

// Append records a batch with one fsync. nil means that all of it is on the disk; after an error none of it counts as
// recorded, and the next call first reads the log again to find out what is there.
func (l *Log) Append(batch []Entry) error {
	if err := l.ready(); err != nil {
		return err
	}
	c, floor := l.chain, l.floor
	l.buf = l.buf[:0]
	for _, e := range batch {
		if len(e.Payload) > MaxPayload {
			return fmt.Errorf("record a payload of %d bytes: the limit is %d", len(e.Payload), MaxPayload)
		}
		r := Record{Entry: e, Seq: c.next, Class: l.class, Boot: l.opts.Boot, Prev: c.head}
		r.Quality, floor = quality(e.Wall, floor)
		l.buf = r.append(l.buf)
		c.next, c.head = r.Seq+1, r.Hash
	}
	if err := l.write(); err != nil {
		return fmt.Errorf("append to log %s: %w", l.dir, err)
	}
	l.size += int64(len(l.buf))
	l.chain, l.floor = c, floor
	return nil
}

// reorder is how far records may be out of order without the clock having gone back: events are summed up before they
// are sent.
const reorder = 10 * time.Second

func quality(wall, floor time.Time) (Quality, time.Time) {
	if wall.Before(floor.Add(-reorder)) {
		return WallBehind, floor
	}
	if wall.After(floor) {
		floor = wall
	}
	return WallUnchecked, floor
}

// ready makes sure that the newest segment can be trusted and has room.
func (l *Log) ready() error {
	if l.failed {
		if err := l.reload(); err != nil {
			return err
		}
	}
	if l.size < l.opts.SegmentBytes {
		return nil
	}
	if err := l.start(); err != nil {
		return err
	}
	return l.trim()
}

// write puts buf behind the acknowledged records and waits for the disk. What an error leaves there is removed, at
// once or by reload.
func (l *Log) write() error {
	if _, err := l.f.WriteAt(l.buf, l.size); err != nil {
		if cut := l.f.Truncate(l.size); cut != nil {
			l.failed = true
			err = errors.Join(err, cut)
		}
		return err
	}
	if err := l.opts.sync(l.f); err != nil {
		// The kernel may have dropped the pages and called them clean: a second fsync would say yes to nothing.
		l.failed = true
		return err
	}
	return nil
}

// reload opens the log anew after a failure and keeps exactly what was acknowledged.
func (l *Log) reload() error {
	err := l.dropNewer(l.segment)
	if err == nil {
		err = l.load(l.size)
	}
	if err != nil {
		return fmt.Errorf("read the log again after a failed write: %w", err)
	}
	l.failed = false
	return nil
}

// dropNewer removes segments behind the one that has the log's end: they are left over from a start that failed.
func (l *Log) dropNewer(end string) error {
	names, err := segments(l.dir)
	for _, n := range names {
		if n > end {
			err = errors.Join(err, os.Remove(filepath.Join(l.dir, n)))
		}
	}
	return err
}

// start begins a segment behind the current one; a fresh log gets its epoch.
func (l *Log) start() error {
	h := segmentHead{class: l.class, epoch: l.epoch, first: l.chain.next, prev: l.chain.head}
	path := filepath.Join(l.dir, h.name())
	// A file of this name can only be left over from a start that failed: it has no acknowledged record.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("start a segment: %w", err)
	}
	_, err = f.Write(h.bytes())
	if err == nil {
		err = l.opts.sync(f)
	}
	if err == nil {
		err = syncDir(l.dir, l.opts.sync)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("start a segment: %w", err), f.Close(), os.Remove(path))
	}
	if l.f != nil {
		err = l.f.Close()
	}
	l.f, l.segment, l.size = f, h.name(), headSize
	return err
}

// fresh begins a new log in an empty folder.
func (l *Log) fresh() error {
	if _, err := rand.Read(l.epoch[:]); err != nil {
		return fmt.Errorf("make an epoch: %w", err)
	}
	l.chain = chain{class: l.class, next: 1, head: genesis(l.class, l.epoch)}
	return l.start()
}

// trim removes the oldest segments, and what was cut from them, until there is room for a new one within the quota.
func (l *Log) trim() error {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return fmt.Errorf("trim log: %w", err)
	}
	var old []string
	total := l.opts.SegmentBytes
	for _, e := range entries { // sorted by name, so by age
		if n := e.Name(); n < l.segment && n != lockName {
			old = append(old, filepath.Join(l.dir, n))
			total += fileSize(old[len(old)-1])
		}
	}
	for _, path := range old {
		if total <= l.opts.QuotaBytes {
			break
		}
		total -= fileSize(path)
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("trim log: %w", err)
		}
	}
	return nil
}

func fileSize(path string) int64 {
	if i, err := os.Stat(path); err == nil {
		return i.Size()
	}
	return 0
}

func syncDir(dir string, sync func(*os.File) error) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(sync(d), d.Close())
}
