package control

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// store keeps control's state: one file per subject in one folder. A file is a JSON value and a last line with its
// SHA-256, and it is replaced as a whole, so after a power cut it is the old one or the new one.
type store struct{ dir string }

// maxState bounds a state file in bytes: the inventory of 4,096 devices is under 4 MiB, a saved policy under 10.
const maxState = 32 << 20

var errCorrupt = errors.New("the file is damaged")

// save writes v durably: file, fsync, rename, fsync of the folder.
func (s store) save(name string, v any) error {
	body, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("save %s: %w", name, err)
	}
	sum := sha256.Sum256(body)
	body = append(body, "\nsha256 "+hex.EncodeToString(sum[:])+"\n"...)
	path := filepath.Join(s.dir, name)
	if err := s.write(path, body); err != nil {
		os.Remove(path + ".tmp")
		return fmt.Errorf("save %s: %w", name, err)
	}
	return nil
}

func (s store) write(path string, body []byte) error {
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	d, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// load reads what save wrote into v. No file gives fs.ErrNotExist; one that is not as save left it gives errCorrupt.
func (s store) load(name string, v any) error {
	path := filepath.Join(s.dir, name)
	if info, err := os.Stat(path); err == nil && info.Size() > maxState {
		return fmt.Errorf("load %s: %w: it has %d bytes", name, errCorrupt, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("load %s: %w", name, err)
	}
	body, tail, _ := bytes.Cut(data, []byte("\nsha256 "))
	sum := sha256.Sum256(body)
	if string(tail) != hex.EncodeToString(sum[:])+"\n" {
		return fmt.Errorf("load %s: %w: its checksum is wrong", name, errCorrupt)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("load %s: %w: %w", name, errCorrupt, err)
	}
	return nil
}

// remove deletes a file; none is fine.
func (s store) remove(name string) error {
	if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return nil
}

// setAside renames a damaged file, so that a person can look at it, and gives its new name.
func (s store) setAside(name string, now time.Time) (string, error) {
	aside := name + ".damaged-" + strconv.FormatInt(now.Unix(), 10)
	if err := os.Rename(filepath.Join(s.dir, name), filepath.Join(s.dir, aside)); err != nil {
		return "", fmt.Errorf("set %s aside: %w", name, err)
	}
	return aside, nil
}
