package device

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"citygate/pkg/flow"
	"citygate/rules"
)

// Bounds of a table of vendors: it may come from an update.
const (
	maxPrefixes = 1 << 18
	maxVendor   = 64 // bytes
)

// Vendors knows which vendor a MAC address belongs to.
type Vendors struct {
	blocks [3][]block // by prefix length, the longest first
}

// block is a prefix, right-aligned, and who it is assigned to.
type block struct {
	prefix uint64
	vendor string
}

// prefixDigits are the lengths in hex digits of the IEEE's blocks: MA-S and IAB, MA-M, MA-L.
var prefixDigits = [3]int{9, 7, 6}

// Embedded gives the table that ships in the binary. It is unpacked at the first call.
var Embedded = sync.OnceValues(func() (*Vendors, error) { return LoadOUI(bytes.NewReader(rules.OUI)) })

// LoadOUI reads a gzipped table: lines of prefix in hex (6, 7 or 9 digits), tab, vendor; in the order of the prefixes.
func LoadOUI(r io.Reader) (*Vendors, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("table of vendors: %w", err)
	}
	v := &Vendors{}
	names := map[string]string{} // so that a vendor's name is kept once
	lines := bufio.NewScanner(z)
	lines.Buffer(make([]byte, 0, 256), 256)
	n := 1
	for ; lines.Scan(); n++ {
		if n > maxPrefixes {
			return nil, fmt.Errorf("table of vendors: more than %d lines", maxPrefixes)
		}
		if err := v.add(lines.Text(), names); err != nil {
			return nil, fmt.Errorf("table of vendors: line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("table of vendors: line %d: %w", n, err)
	}
	for i := range v.blocks {
		v.blocks[i] = slices.Clip(v.blocks[i])
	}
	return v, nil
}

func (v *Vendors) add(line string, names map[string]string) error {
	prefix, name, ok := strings.Cut(line, "\t")
	if !ok || name == "" || len(name) > maxVendor || !utf8.ValidString(name) {
		return fmt.Errorf("%q is not a prefix, a tab and a vendor of at most %d bytes", line, maxVendor)
	}
	width := slices.Index(prefixDigits[:], len(prefix))
	if width < 0 {
		return fmt.Errorf("prefix %q has not 6, 7 or 9 digits", prefix)
	}
	bits, err := hex.DecodeString(strings.Repeat("0", 16-len(prefix)) + prefix)
	if err != nil {
		return fmt.Errorf("prefix %q: %w", prefix, err)
	}
	number := uint64(0)
	for _, b := range bits {
		number = number<<8 | uint64(b)
	}
	blocks := v.blocks[width]
	if len(blocks) > 0 && number <= blocks[len(blocks)-1].prefix {
		return fmt.Errorf("prefix %q is out of order", prefix)
	}
	kept, ok := names[name]
	if !ok {
		kept = strings.Clone(name)
		names[kept] = kept
	}
	v.blocks[width] = append(blocks, block{number, kept})
	return nil
}

// Lookup gives the vendor of the longest prefix that m has, "" if there is none. Locally administered and group
// addresses have no vendor (IEEE 802-2014, 8.4).
func (v *Vendors) Lookup(m flow.MAC) string {
	if m.Local() || m.Group() {
		return ""
	}
	number := uint64(0)
	for _, b := range m {
		number = number<<8 | uint64(b)
	}
	for i, blocks := range v.blocks {
		prefix := number >> (48 - 4*prefixDigits[i])
		at, ok := slices.BinarySearchFunc(blocks, prefix, func(b block, p uint64) int { return cmp.Compare(b.prefix, p) })
		if ok {
			return blocks[at].vendor
		}
	}
	return ""
}
