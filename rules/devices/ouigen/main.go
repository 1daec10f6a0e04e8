// Command ouigen turns the IEEE's lists of MAC prefixes (Debian's package ieee-data) into the table that is embedded:
// gzipped lines of hex prefix, tab, vendor, sorted by prefix.
package main

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

func main() {
	from := flag.String("from", "/usr/share/ieee-data", "folder of oui.csv, mam.csv, oui36.csv and iab.csv")
	to := flag.String("to", "oui.tsv.gz", "file to write")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "ouigen:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	table := map[string]string{}
	for _, name := range []string{"oui.csv", "mam.csv", "oui36.csv", "iab.csv"} {
		f, err := os.Open(filepath.Join(from, name))
		if err != nil {
			return err
		}
		err = read(f, table)
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	return errors.Join(write(out, table), out.Close())
}

// read adds the rows of a list: registry, assignment, organisation, address.
func read(r io.Reader, table map[string]string) error {
	rows := csv.NewReader(r)
	if _, err := rows.Read(); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if len(row) < 3 {
			return fmt.Errorf("row %q has no organisation", row)
		}
		prefix, vendor := strings.ToUpper(row[1]), clean(row[2])
		if n := len(prefix); n != 6 && n != 7 && n != 9 {
			return fmt.Errorf("prefix %q has %d hex digits, want 6, 7 or 9", prefix, n)
		}
		// The authority's own blocks are those it divides further; Private names nobody.
		if vendor != "" && vendor != "Private" && vendor != "IEEE Registration Authority" {
			table[prefix] = vendor
		}
	}
}

// clean makes one printable line of a name.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	for len(s) > 64 { // event.Device cuts there
		r := []rune(s)
		s = strings.TrimSpace(string(r[:len(r)-1]))
	}
	return s
}

func write(w io.Writer, table map[string]string) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	for _, prefix := range slices.Sorted(maps.Keys(table)) {
		if _, err := fmt.Fprintf(z, "%s\t%s\n", prefix, table[prefix]); err != nil {
			return err
		}
	}
	return z.Close()
}
