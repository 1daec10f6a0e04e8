package journal

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// reserve is a file of zeros whose room is given back when the disk is full, so that this can still be recorded.
type reserve struct {
	path  string
	bytes int64
}

// hold makes the file, if it is not there in full.
func (r reserve) hold() error {
	if fileSize(r.path) == r.bytes {
		return nil
	}
	f, err := os.OpenFile(r.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("reserve disk space: %w", err)
	}
	_, err = f.Write(make([]byte, r.bytes))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("reserve disk space: %w", err), os.Remove(r.path))
	}
	return nil
}

// release gives the room back.
func (r reserve) release() error {
	if err := os.Remove(r.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("release reserved disk space: %w", err)
	}
	return nil
}

// room is the free space of the file system that dir is on, bytes.
func room(dir string) (int64, error) {
	d, err := os.Open(dir)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(d.Fd()), &s); err != nil {
		return 0, fmt.Errorf("ask for free disk space: %w", err)
	}
	return int64(s.Bavail) * s.Bsize, nil
}

// full tells a lack of room from other errors.
func full(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EFBIG)
}
