package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// table prints rows in columns: tabs in a row separate its cells. An empty cell is a dash, so columns stay countable.
func table(w io.Writer, header string, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, header)
	for _, r := range rows {
		for i, c := range r {
			if r[i] = harmless(c); c == "" {
				r[i] = "-"
			}
		}
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	t.Flush()
}

// clock prints a time to the second, in the reader's zone.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

func number[T ~int | ~uint16 | ~uint32 | ~uint64](n T) string { return fmt.Sprint(n) }

// plural counts things: 1 device, 2 devices.
func plural[T ~int | ~uint32 | ~uint64](n T, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
