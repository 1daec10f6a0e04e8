package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Scorecard is demo/scorecard.json.
type Scorecard struct {
	Passed int      `json:"passed"`
	Failed int      `json:"failed"`
	Checks []Result `json:"checks"`
}

// Result is a check that was made.
type Result struct {
	Name     string `json:"name"`
	Expected string `json:"expected"`
	Seen     string `json:"seen"`
	OK       bool   `json:"ok"`
}

// Score sums up checks. One that was never made has failed.
func Score(checks []Check) Scorecard {
	s := Scorecard{Checks: []Result{}}
	for _, c := range checks {
		r := Result{Name: c.Name, Expected: c.Expected, Seen: c.Seen, OK: c.Phase == Passed}
		if c.Phase == Pending || c.Phase == Running {
			r.Seen = "not reached"
		}
		if r.OK {
			s.Passed++
		} else {
			s.Failed++
		}
		s.Checks = append(s.Checks, r)
	}
	return s
}

// Well reports whether every check passed, and there was one.
func (s Scorecard) Well() bool { return s.Failed == 0 && s.Passed > 0 }

// JSON is the text of the file.
func (s Scorecard) JSON() []byte {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("a scorecard is not JSON: " + err.Error())
	}
	return append(b, '\n')
}

// Write puts the scorecard into a file, and makes its folder.
func (s Scorecard) Write(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the scorecard's folder: %w", err)
	}
	return os.WriteFile(path, s.JSON(), 0o644)
}

// WriteTable prints the scorecard for people, at most width cells wide (0: as wide as it gets).
func (s Scorecard) WriteTable(w io.Writer, width int) {
	rows := [][]string{{"CHECK", "EXPECTED", "SEEN", "VERDICT"}}
	for _, r := range s.Checks {
		verdict := "ok"
		if !r.OK {
			verdict = "FAILED"
		}
		rows = append(rows, []string{r.Name, r.Expected, r.Seen, verdict})
	}
	writeTable(w, rows, width)
}

// WriteStreams prints what each stream sent, received and lost.
func WriteStreams(w io.Writer, streams []Stream) {
	rows := [][]string{{"STREAM", "SENT", "RECEIVED", "LOST"}}
	for _, s := range streams {
		rows = append(rows, []string{s.Name(), number(s.Sent), number(s.Received), fmt.Sprint(s.Lost)})
	}
	writeTable(w, rows, 0)
}

const gap = "  "

// writeTable aligns columns, and wraps the cells of the widest ones where the table is wider than width.
func writeTable(w io.Writer, rows [][]string, width int) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	if width > 0 {
		squeeze(widths, width-len(gap)*(len(widths)-1))
	}
	for _, row := range rows {
		cells, height := make([][]string, len(row)), 1
		for i, cell := range row {
			cells[i] = wrap(cell, widths[i])
			height = max(height, len(cells[i]))
		}
		for y := range height {
			var line strings.Builder
			for i, c := range cells {
				part := ""
				if y < len(c) {
					part = c[y]
				}
				line.WriteString(fit(part, widths[i]) + gap)
			}
			fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
		}
	}
}

// wrap breaks text between words, and a word that is longer than a line within it.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && ansi.StringWidth(line)+1+ansi.StringWidth(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for line = word; ansi.StringWidth(line) > width; line = ansi.TruncateLeft(line, width, "") {
			lines = append(lines, ansi.Truncate(line, width, ""))
		}
	}
	return append(lines, line)
}

// squeeze narrows the widest columns until all fit into room.
func squeeze(widths []int, room int) {
	const least = 8
	for {
		sum, widest := 0, 0
		for i, n := range widths {
			if sum += n; n > widths[widest] {
				widest = i
			}
		}
		if sum <= room || widths[widest] <= least {
			return
		}
		widths[widest]--
	}
}

// fit cuts or pads text to a width in cells.
func fit(text string, width int) string {
	if width <= 0 {
		return ""
	}
	text = ansi.Truncate(text, width, "…")
	return text + strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
}

// number groups digits by thousands.
func number(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
