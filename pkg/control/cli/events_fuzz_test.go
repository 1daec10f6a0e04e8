package cli

import (
	"strings"
	"testing"
	"unicode"

	"citygate/pkg/event"
)

// Whatever stands in the file, an event is one line, and nothing in it moves a terminal.
func FuzzPrintEvent(f *testing.F) {
	for _, e := range day() {
		f.Add(event.EVE(e, "school-14"))
	}
	f.Add([]byte(`{"event_type":"dev\u001b[2Jice","timestamp":"\n","citygate":{"device":{"mac":"\u009b"}}}`))
	f.Add([]byte("\x1b]0;x\x07\n"))
	f.Fuzz(func(t *testing.T, line []byte) {
		var out strings.Builder
		printEvent(&out, line)
		text, ended := strings.CutSuffix(out.String(), "\n")
		if !ended || strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("%q prints %q", line, out.String())
		}
	})
}
