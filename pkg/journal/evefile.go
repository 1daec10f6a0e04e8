package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// EVEFile is the file of EVE lines that other programs read. It rotates by size and finds out by itself when somebody
// else has renamed or removed the file. It is a copy: the logs are what is durable. It belongs to one goroutine.
type EVEFile struct {
	path     string
	maxBytes int64
	keep     int
	f        *os.File
	size     int64
}

// NewEVEFile writes to path, made with mode 0640 and opened at the first Write. A file is put aside as path.1, path.2,
// ... before it exceeds maxBytes; keep files stay, the current one included.
func NewEVEFile(path string, maxBytes int64, keep int) *EVEFile {
	return &EVEFile{path: path, maxBytes: maxBytes, keep: keep}
}

// Write appends whole lines, the newlines included: all of them or, after an error, none.
func (e *EVEFile) Write(lines []byte) error {
	if err := e.open(); err != nil {
		return err
	}
	if e.size > 0 && e.size+int64(len(lines)) > e.maxBytes {
		if err := e.rotate(); err != nil {
			return err
		}
	}
	if _, err := e.f.WriteAt(lines, e.size); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", e.path, err), e.f.Truncate(e.size))
	}
	e.size += int64(len(lines))
	return nil
}

// Reopen closes the file; the next Write opens what then has its name.
func (e *EVEFile) Reopen() error {
	if e.f == nil {
		return nil
	}
	err := e.f.Close()
	e.f = nil
	return err
}

// open makes sure that f is the file that has the name.
func (e *EVEFile) open() error {
	if e.f != nil {
		here, err := e.f.Stat()
		there, statErr := os.Stat(e.path)
		if err == nil && statErr == nil && os.SameFile(here, there) && there.Size() == e.size {
			return nil
		}
		_ = e.Reopen()
	}
	f, err := os.OpenFile(e.path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("open the EVE file: %w", err)
	}
	size, err := endLine(f)
	if err == nil {
		err = f.Chmod(0o640) // whatever the umask says: the group reads it
	}
	if err != nil {
		return errors.Join(fmt.Errorf("open the EVE file: %w", err), f.Close())
	}
	e.f, e.size = f, size
	return nil
}

// endLine gives the file's size, after closing a line that a crash cut short.
func endLine(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil || last[0] == '\n' {
		return info.Size(), err
	}
	_, err = f.WriteAt([]byte{'\n'}, info.Size())
	return info.Size() + 1, err
}

// rotate puts the files one number further, the last one over the oldest.
func (e *EVEFile) rotate() error {
	for n := e.keep - 1; n >= 1; n-- {
		if err := os.Rename(rotated(e.path, n-1), rotated(e.path, n)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("rotate the EVE file: %w", err)
		}
	}
	if e.keep <= 1 {
		if err := os.Remove(e.path); err != nil {
			return fmt.Errorf("rotate the EVE file: %w", err)
		}
	}
	return e.open()
}

// rotated is the name of the n-th file before the current one; 0 is the current one.
func rotated(path string, n int) string {
	if n == 0 {
		return path
	}
	return filepath.Clean(fmt.Sprintf("%s.%d", path, n))
}
