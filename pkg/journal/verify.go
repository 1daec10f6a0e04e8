package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// Report says what Verify read.
type Report struct {
	Class       uint8  `json:"class"`
	Epoch       string `json:"epoch"` // hex
	Segments    int    `json:"segments"`
	Records     uint64 `json:"records"` // within the range
	First, Last uint64 // sequence numbers of the first and last of them; 0 if there is none
	Head        string `json:"head"` // hex of the last one's hash
}

// Damage is the first place where a log is not as it was written.
type Damage struct {
	What   string // "altered", "cut" or "reordered"
	File   string
	Offset int64  // of the bad record in the file
	Seq    uint64 // that the record has to have
	Why    error
}

func (d *Damage) Error() string {
	return fmt.Sprintf("record %d is %s (%s, byte %d): %v", d.Seq, d.What, d.File, d.Offset, d.Why)
}

func (d *Damage) Unwrap() error { return d.Why }

// Verify reads a log's records from..to (sequence numbers; to 0 = the last), and checks their chain from the start of
// the segment that has the first. The error is a *Damage for a log that is not as it was written. A log that
// is being written is read up to its last whole record. Without a checkpoint from elsewhere a log that lost whole
// records at its very end, or was written anew from some point on, verifies.
func Verify(dir string, from, to uint64) (Report, error) {
	var rep Report
	v := verifier{dir: dir, fn: func(r *Record) error {
		if rep.Records == 0 {
			rep.First = r.Seq
		}
		rep.Records++
		rep.Class, rep.Last, rep.Head = uint8(r.Class), r.Seq, fmt.Sprintf("%x", r.Hash)
		return nil
	}}
	err := v.run(from, to)
	rep.Segments = v.segments
	if v.segments > 0 {
		rep.Epoch = fmt.Sprintf("%x", v.epoch)
	}
	return rep, err
}

// Records hands the records from..to to fn, checked like Verify. A payload is valid during its call only.
func Records(dir string, from, to uint64, fn func(*Record) error) error {
	v := verifier{dir: dir, fn: fn}
	return v.run(from, to)
}

// verifier follows a log's chain from segment to segment.
type verifier struct {
	dir      string
	fn       func(*Record) error
	segments int // read so far
	epoch    Epoch
	chain    chain
}

func (v *verifier) run(from, to uint64) error {
	files, err := v.open(from)
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	if err != nil {
		return err
	}
	v.chain.next = 1
	fn := v.fn
	v.fn = func(r *Record) error {
		if r.Seq < from || (to != 0 && r.Seq > to) {
			return nil
		}
		return fn(r)
	}
	for i, f := range files {
		if err := v.segment(f, i == len(files)-1); err != nil {
			return err
		}
		if to != 0 && v.chain.next > to {
			return nil
		}
	}
	return nil
}

// open opens the segments from the one that has record from on, the oldest first. All are opened before the first is
// read, the newest first, because retention may remove the oldest meanwhile.
func (v *verifier) open(from uint64) (files []*os.File, err error) {
	names, err := segments(v.dir)
	if err != nil {
		return nil, err
	}
	for i := len(names) - 1; i >= 0; i-- {
		f, err := os.Open(filepath.Join(v.dir, names[i]))
		if errors.Is(err, os.ErrNotExist) {
			break
		}
		if err != nil {
			return files, fmt.Errorf("open segment: %w", err)
		}
		files = slices.Insert(files, 0, f)
		if names[i] <= (segmentHead{first: from}).name() {
			break // the range starts here
		}
	}
	return files, nil
}

func (v *verifier) segment(f *os.File, last bool) error {
	name := filepath.Base(f.Name())
	head, err := readHead(f)
	if err == nil {
		err = v.join(head)
	}
	if err != nil {
		return v.judge(err, name, 0, last)
	}
	v.segments++
	var fnErr error
	good, err := scan(f, &v.chain, func(r *Record) error {
		fnErr = v.fn(r)
		return fnErr
	})
	if fnErr != nil || err == nil {
		return fnErr
	}
	return v.judge(err, name, good, last)
}

// judge gives damage its word; other errors stay what they are. A cut at the very end of a log that is being written
// is a batch on its way.
func (v *verifier) judge(err error, file string, offset int64, last bool) error {
	what := "altered"
	switch {
	case !damage(err):
		return err
	case last && errors.Is(err, errCut) && written(v.dir):
		return nil
	case errors.Is(err, errCut), errors.Is(err, errGap):
		what = "cut"
	case errors.Is(err, errOrder):
		what = "reordered"
	}
	return &Damage{What: what, File: file, Offset: offset, Seq: v.chain.next, Why: err}
}

// join checks that a segment goes on where the one before it ended. The first one read only says where it begins:
// older ones may be gone by retention.
func (v *verifier) join(h segmentHead) error {
	if v.segments == 0 {
		v.epoch, v.chain = h.epoch, chain{class: h.class, next: h.first, head: h.prev}
		if h.first == 1 && h.prev != genesis(h.class, h.epoch) {
			return errLink
		}
		return nil
	}
	switch {
	case h.class != v.chain.class:
		return errClass
	case h.epoch != v.epoch:
		return fmt.Errorf("it belongs to another log: %w", errAltered)
	case h.first > v.chain.next:
		return fmt.Errorf("the log goes on with %d: %w", h.first, errGap)
	case h.first < v.chain.next:
		return errOrder
	case h.prev != v.chain.head:
		return errLink
	}
	return nil
}

// written reports whether a process has the log open for writing.
func written(dir string) bool {
	f, err := os.Open(filepath.Join(dir, lockName))
	if err != nil {
		return false
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) == unix.EWOULDBLOCK
}
