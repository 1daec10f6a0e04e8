package cli

import (
	"fmt"
	"io"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"citygate/pkg/detect/offline/job"
	"citygate/rules"
)

// openShipped opens the rules inside this program. Their folder in messages is that of the sources.
func (o *opened) openShipped(j *job.Job) error {
	entries, err := rules.Inspection.ReadDir(".")
	if err != nil {
		return fmt.Errorf("read the rules that ship: %w", err)
	}
	for _, e := range entries {
		text, err := rules.Inspection.ReadFile(e.Name())
		if err != nil {
			return fmt.Errorf("read the rules that ship: %w", err)
		}
		f, err := inMemory(e.Name(), text)
		if err != nil {
			return err
		}
		o.add(j, f, path.Join("rules", e.Name()), job.Rules)
	}
	return nil
}

// inMemory is an open file with a content, and without a place.
func inMemory(name string, content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if _, err = f.Write(content); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("write a file in memory: %w", err)
	}
	return f, nil
}
