package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// load finds the end of the log: it reads the newest segment up to limit bytes (what is acknowledged; at start
// everything counts) and removes the rest. Older segments are only read by Verify: they never change.
func (l *Log) load(limit int64) error {
	if l.f != nil {
		_ = l.f.Close()
		l.f = nil
	}
	names, err := segments(l.dir)
	if err != nil {
		return err
	}
	for i := len(names) - 1; i >= 0; i-- {
		ok, err := l.loadSegment(names[i], limit)
		if err != nil || ok {
			return err
		}
		limit = 1 << 62 // an older segment was acknowledged in full
	}
	return l.fresh()
}

// loadSegment makes a segment the open end. ok is false if its head is bad: the file is then put aside.
func (l *Log) loadSegment(name string, limit int64) (ok bool, err error) {
	path := filepath.Join(l.dir, name)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false, fmt.Errorf("open segment: %w", err)
	}
	head, headErr := readHead(f)
	if headErr == nil && head.class != l.class {
		headErr = errClass
	}
	if headErr != nil && !damage(headErr) {
		return false, errors.Join(fmt.Errorf("read segment %s: %w", name, headErr), f.Close())
	}
	if headErr != nil {
		l.cuts = append(l.cuts, Cut{File: name, Bytes: fileSize(path), Why: headErr})
		return false, errors.Join(os.Rename(path, path+cutSuffix), syncDir(l.dir, l.opts.sync), f.Close())
	}
	c := chain{class: l.class, next: head.first, head: head.prev}
	floor := l.floor
	good, scanErr := scan(io.LimitReader(f, limit-headSize), &c, func(r *Record) error {
		_, floor = quality(r.Wall, floor)
		return nil
	})
	if scanErr != nil && !damage(scanErr) {
		return false, errors.Join(fmt.Errorf("read segment %s: %w", name, scanErr), f.Close())
	}
	if err := l.cutTail(f, name, good, limit, scanErr); err != nil {
		return false, errors.Join(fmt.Errorf("cut segment %s: %w", name, err), f.Close())
	}
	l.f, l.segment, l.size = f, name, good
	l.epoch, l.chain, l.floor = head.epoch, c, floor
	return true, nil
}

// damage tells what is wrong with bytes on the disk from what is wrong with reading them.
func damage(err error) bool {
	for _, e := range []error{errCut, errAltered, errClass, errOrder, errGap, errLink} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// cutTail removes what stands behind the good records. Behind limit it was never acknowledged, so it is no loss.
func (l *Log) cutTail(f *os.File, name string, good, limit int64, why error) error {
	info, err := f.Stat()
	if err != nil || info.Size() == good {
		return err
	}
	if lost := min(info.Size(), limit) - good; lost > 0 {
		l.cuts = append(l.cuts, Cut{File: name, Offset: good, Bytes: lost, Why: why})
		l.keepTail(f, name, good, lost)
	}
	if err := f.Truncate(good); err != nil {
		return err
	}
	return l.opts.sync(f)
}

// keepTail saves a damaged end for people to look at. It is not needed to go on, so a full disk is no reason to stop.
func (l *Log) keepTail(f *os.File, name string, from, n int64) {
	tail := make([]byte, min(n, l.opts.SegmentBytes+recordHeader+MaxPayload))
	n2, _ := f.ReadAt(tail, from)
	_ = os.WriteFile(filepath.Join(l.dir, name+cutSuffix), tail[:n2], 0o640)
}
