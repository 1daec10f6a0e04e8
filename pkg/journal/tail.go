package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// maxLine bounds a line of an EVE file; longer ones are left out.
const maxLine = 1 << 20

// Tail hands the lines of an EVE file to fn, without their newline: those of the rotated files (path.1, path.2, ...)
// first, the oldest first. With follow it then waits for more, over rotations, until ctx ends; that is no error. A line
// is valid during its call only. An error of fn ends it.
func Tail(ctx context.Context, path string, follow bool, fn func(line []byte) error) error {
	var wake *watcher
	if follow {
		var err error
		if wake, err = watch(ctx, filepath.Dir(path)); err != nil {
			return err
		}
		defer wake.Close()
	}
	t := tail{path: path, fn: fn}
	defer t.close()
	for {
		// The watch stands before the files are read, so that nothing falls between the two.
		if err := t.readAll(ctx); err != nil {
			return err
		}
		if !follow || ctx.Err() != nil {
			return nil
		}
		if err := wake.wait(); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
}

// tail is a place in a row of files.
type tail struct {
	path string
	fn   func([]byte) error
	f    *os.File // where it is; nil before the first file
	info os.FileInfo
	rest []byte // the start of a line whose end is not written yet
	skip bool   // within a line that is too long
}

// readAll reads to the end of the newest file.
func (t *tail) readAll(ctx context.Context) error {
	for {
		newer, err := t.newer()
		if err == nil {
			err = t.read(ctx)
		}
		for _, f := range newer {
			if err != nil {
				_ = f.Close()
				continue
			}
			t.enter(f)
			if t.info, err = f.Stat(); err == nil {
				err = t.read(ctx)
			}
		}
		if err != nil || len(newer) == 0 {
			return err
		}
	}
}

// newer opens the files that came after the one that it is in, the oldest first. It looks from the newest to the
// oldest, so that a rotation meanwhile shows a file twice rather than not at all; one number may be missing meanwhile.
func (t *tail) newer() (files []*os.File, err error) {
	var seen []os.FileInfo
	for n, missing := 0, 0; missing < 2; n++ {
		f, err := os.Open(rotated(t.path, n))
		if errors.Is(err, os.ErrNotExist) {
			missing++
			continue
		}
		if err != nil {
			return files, fmt.Errorf("read events: %w", err)
		}
		info, err := f.Stat()
		if err != nil {
			return files, errors.Join(err, f.Close())
		}
		if t.f != nil && os.SameFile(info, t.info) {
			return files, f.Close()
		}
		missing = 0
		if slices.ContainsFunc(seen, func(s os.FileInfo) bool { return os.SameFile(s, info) }) {
			_ = f.Close()
			continue
		}
		seen = append(seen, info)
		files = slices.Insert(files, 0, f)
	}
	return files, nil
}

// enter leaves the current file for another. A line that has no end there never gets one.
func (t *tail) enter(f *os.File) {
	t.close()
	t.f, t.rest, t.skip = f, nil, false
}

func (t *tail) close() {
	if t.f != nil {
		_ = t.f.Close()
	}
}

// read hands on the lines that are there.
func (t *tail) read(ctx context.Context) error {
	if t.f == nil {
		return nil
	}
	if err := t.rewind(); err != nil {
		return err
	}
	buf := make([]byte, 64<<10)
	for ctx.Err() == nil {
		n, err := t.f.Read(buf)
		if lineErr := t.lines(buf[:n]); lineErr != nil {
			return lineErr
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
	}
	return nil
}

// rewind starts again in a file that somebody has emptied.
func (t *tail) rewind() error {
	at, err := t.f.Seek(0, io.SeekCurrent)
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	if info, err := t.f.Stat(); err == nil && info.Size() < at {
		t.rest, t.skip = nil, false
		_, err = t.f.Seek(0, io.SeekStart)
		return err
	}
	return nil
}

func (t *tail) lines(b []byte) error {
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			break
		}
		line := append(t.rest, b[:i]...)
		skip := t.skip
		t.rest, t.skip, b = t.rest[:0], false, b[i+1:]
		if skip || len(line) == 0 {
			continue
		}
		if err := t.fn(line); err != nil {
			return err
		}
	}
	t.rest = append(t.rest, b...)
	if len(t.rest) > maxLine {
		t.rest, t.skip = t.rest[:0], true
	}
	return nil
}

// watcher waits for changes in a folder (inotify(7)).
type watcher struct{ *os.File }

// watch ends its waits when ctx ends.
func watch(ctx context.Context, dir string) (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("follow events: %w", err)
	}
	w := &watcher{os.NewFile(uintptr(fd), "inotify")}
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_MODIFY|unix.IN_CREATE|unix.IN_MOVED_TO); err != nil {
		return nil, errors.Join(fmt.Errorf("follow events in %s: %w", dir, err), w.Close())
	}
	context.AfterFunc(ctx, func() { _ = w.Close() })
	return w, nil
}

// wait returns when something has changed since the last call. What it was does not matter: readAll looks itself.
func (w *watcher) wait() error {
	_, err := w.Read(make([]byte, 64<<10))
	return err
}
