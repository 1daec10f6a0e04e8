package demo

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"citygate/pkg/datapath/reader"
	"citygate/pkg/verdict"
)

// pins is the folder of the bridge's pins, which stand when no process of the gateway lives.
const pins = "/sys/fs/bpf/citygate/cctv"

// kernel is what the data path has counted.
type kernel struct {
	generation      uint32 // of the policy in force
	passed, dropped uint64
	reasons         map[string]uint64
}

// readKernel reads the pinned counters, without any process of the gateway.
func readKernel() (k kernel, err error) {
	r, err := openReader()
	if err != nil {
		return kernel{}, err
	}
	defer r.Close()
	if k.generation, err = r.Generation(); err != nil {
		return kernel{}, err
	}
	all, err := r.Reasons()
	if err != nil {
		return kernel{}, err
	}
	k.reasons = map[string]uint64{}
	for _, c := range all {
		k.reasons[c.Reason.String()] = c.Frames
		if c.Verdict == verdict.Drop {
			k.dropped += c.Frames
		} else {
			k.passed += c.Frames
		}
	}
	return k, nil
}

// openReader opens the pinned maps for reading.
func openReader() (*reader.Reader, error) {
	found, err := filepath.Glob(filepath.Join(pins, "maps-*"))
	if err != nil || len(found) == 0 {
		return nil, errors.Join(errors.New("no maps are pinned"), err)
	}
	fds := map[string]int{}
	for _, name := range reader.Names {
		m, err := ebpf.LoadPinnedMap(filepath.Join(found[0], name), &ebpf.LoadPinOptions{ReadOnly: true})
		if err != nil {
			closeAll(fds)
			return nil, fmt.Errorf("open the pinned map %s: %w", name, err)
		}
		fd, err := unix.FcntlInt(uintptr(m.FD()), unix.F_DUPFD_CLOEXEC, 3)
		m.Close()
		if err != nil {
			closeAll(fds)
			return nil, fmt.Errorf("pass on the map %s: %w", name, err)
		}
		fds[name] = fd
	}
	return reader.Open(fds)
}

func closeAll(fds map[string]int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// drops lists the reasons for which frames were dropped, the most frequent first.
func (k kernel) drops() (out []Drop) {
	for name, n := range k.reasons {
		if r, ok := verdict.ParseReason(name); ok && r.Verdict() == verdict.Drop && n > 0 {
			out = append(out, Drop{name, n})
		}
	}
	slices.SortFunc(out, func(a, b Drop) int {
		return cmp.Or(cmp.Compare(b.Frames, a.Frames), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}
