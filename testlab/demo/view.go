package demo

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
)

// Colours of the terminal's own palette, so that they fit its background.
var (
	good  = lipgloss.NewStyle().Foreground(lipgloss.Color("2"))
	bad   = lipgloss.NewStyle().Foreground(lipgloss.Color("1")).Bold(true)
	busy  = lipgloss.NewStyle().Foreground(lipgloss.Color("3")).Bold(true)
	wire  = lipgloss.NewStyle().Foreground(lipgloss.Color("6"))
	faint = lipgloss.NewStyle().Faint(true)
	title = lipgloss.NewStyle().Bold(true)
)

// The smallest picture that is worth drawing.
const (
	leastWidth  = 80
	leastHeight = 24
	wideWidth   = 110 // from here on there is room for more about the streams
)

// render draws a state. Lines are at most width cells, and there are exactly height of them.
func render(s State, width, height int, ending bool) string {
	if width <= 0 || height <= 0 {
		return ""
	}
	w, h := max(width, leastWidth), max(height, leastHeight)
	lines := []string{header(s, w)}
	lines = append(lines, picture(s, w)...)
	shown := 3
	if h >= 36 {
		shown = 8
	}
	middle := h - len(lines) - shown - 3 // two rules and the footer
	left := 33
	if w >= wideWidth {
		left = w * 52 / 100
	}
	lines = append(lines, rule("VIDEO", left)+faint.Render("┬")+rule(progress(s), w-left-1))
	streams, checks := streamLines(s, left, middle), checkLines(s, w-left-2, middle)
	for i := range middle {
		lines = append(lines, streams[i]+faint.Render("│")+" "+checks[i])
	}
	lines = append(lines, rule("EVENTS", w))
	lines = append(lines, eventLines(s, w, shown)...)
	footer := "ctrl-c ends it and cleans up"
	if ending {
		footer = "ending: the city is being taken down"
	}
	lines = append(lines, faint.Render(fit(" "+footer, w)))
	for i := range lines {
		lines[i] = cut(lines[i], width)
	}
	return strings.Join(lines[:min(len(lines), height)], "\n")
}

func header(s State, w int) string {
	_, _, lost := s.video()
	left := " " + title.Render("CityGate demo") + "  " + what(s)
	right := fmt.Sprintf("%s ns/frame   lost %s   %s ", nsText(s.Gateway), lostText(lost), clock(s.Elapsed))
	return spread(left, right, w)
}

// what says what goes on.
func what(s State) string {
	i := s.running()
	switch {
	case s.Done:
		return good.Render("done")
	case i < 0:
		return faint.Render("starting")
	case s.Hostile:
		return bad.Render(s.Checks[i].Name)
	}
	return busy.Render(s.Checks[i].Name)
}

func nsText(g Gateway) string {
	if g.NsPerFrame == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", g.NsPerFrame)
}

func lostText(lost int64) string {
	if lost == 0 {
		return good.Render("0")
	}
	return bad.Render(fmt.Sprint(lost))
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

func progress(s State) string {
	text := fmt.Sprintf("CHECKS %d/%d", s.count(Passed)+s.count(Failed), len(s.Checks))
	if n := s.count(Failed); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	return text
}

// rule is a horizontal line with a word in it.
func rule(word string, w int) string {
	return faint.Render("─ ") + title.Render(word) + faint.Render(" "+strings.Repeat("─", max(0, w-lipgloss.Width(word)-3)))
}

// spread puts two texts at the ends of a line.
func spread(left, right string, w int) string {
	return left + strings.Repeat(" ", max(1, w-lipgloss.Width(left)-lipgloss.Width(right))) + right
}

// streamLines lists the streams in n lines. A narrow list leaves out what was received and the last seconds.
func streamLines(s State, w, n int) []string {
	const name, rate, lost, received = 20, 6, 6, 10
	spark := w - name - rate - lost - received - 2
	narrow := spark < 0
	head := fit(" STREAM", name) + lead("kbit/s", rate)
	if !narrow {
		head += strings.Repeat(" ", spark+2) + lead("received", received)
	}
	out := []string{faint.Render(pad(head+lead("lost", lost), w))}
	for _, st := range s.Streams {
		line := fit(" "+st.Camera+" "+st.Server+" "+st.Transport, name)
		if !st.Open {
			line = bad.Render(line)
		}
		line += lead(fmt.Sprintf("%.0f", st.Kbps), rate)
		if !narrow {
			line += "  " + wire.Render(fit(sparkline(st.History, spark), spark)) + lead(number(st.Received), received)
		}
		out = append(out, pad(line+lead(lostText(st.Lost), lost), w))
	}
	if sent, received, lost := s.video(); sent > 0 {
		sum := " sent " + number(sent)
		if !narrow {
			sum += "  received " + number(received)
		}
		out = append(out, pad("", w), pad(sum+"  lost "+lostText(lost), w))
	}
	out = append(out, dropLines(s.Gateway.Drops, w, n-len(out))...)
	return exactly(out, n, w)
}

// leastDrops is how many lines the list of drops has to have to be worth its place.
const leastDrops = 5

// dropLines lists the reasons for which frames were dropped, in n lines.
func dropLines(drops []Drop, w, n int) []string {
	if n < leastDrops || len(drops) == 0 {
		return nil
	}
	out := []string{pad("", w), faint.Render(fit(" DROPPED FOR", w))}
	for _, d := range drops[:min(len(drops), n-len(out))] {
		line := " " + fit(d.Reason, 20) + lead(number(d.Frames), 9)
		if room := w - lipgloss.Width(line) - 4; room > 0 {
			line += "  " + bad.Render(strings.Repeat("▇", 1+int(uint64(room-1)*d.Frames/drops[0].Frames)))
		}
		out = append(out, pad(line, w))
	}
	return out
}

// sparkline draws the last whole seconds' packets.
func sparkline(history []uint32, w int) string {
	const blocks = "▁▂▃▄▅▆▇█"
	if len(history) > 0 {
		history = history[:len(history)-1] // the last second is not over
	}
	history = history[max(0, len(history)-w):]
	highest := uint32(1)
	for _, n := range history {
		highest = max(highest, n)
	}
	var b strings.Builder
	for _, n := range history {
		b.WriteRune([]rune(blocks)[int(n)*7/int(highest)])
	}
	return b.String()
}

// checkLines lists the checks in n lines: all, or those around the one that is being made.
func checkLines(s State, w, n int) []string {
	at := s.running()
	if at < 0 {
		at = s.count(Passed) + s.count(Failed)
	}
	first := max(0, min(at-n*2/3, len(s.Checks)-n))
	var out []string
	for _, c := range s.Checks[first:min(len(s.Checks), first+n)] {
		out = append(out, checkLine(c, w))
	}
	return exactly(out, n, w)
}

func checkLine(c Check, w int) string {
	name := fit(c.Name, 21)
	rest := w - 3 - lipgloss.Width(name)
	switch c.Phase {
	case Passed:
		return pad(good.Render("✓ ")+name+" "+faint.Render(fit(c.Seen, rest)), w)
	case Failed:
		return pad(bad.Render("✗ "+name)+" "+bad.Render(fit(c.Seen, rest)), w)
	case Running:
		return pad(busy.Render("▸ "+name)+" "+fit(c.Expected, rest), w)
	}
	return pad(faint.Render("· "+name), w)
}

// eventLines lists the newest events in n lines.
func eventLines(s State, w, n int) []string {
	var out []string
	for _, e := range s.Events[max(0, len(s.Events)-n):] {
		kind := fit(e.Type, 8)
		switch e.Type {
		case "drop", "anomaly":
			kind = bad.Render(kind)
		case "device":
			kind = busy.Render(kind)
		default:
			kind = good.Render(kind)
		}
		out = append(out, pad(cut(" "+faint.Render(e.Time.Local().Format("15:04:05"))+"  "+kind+" "+e.Text, w), w))
	}
	return exactly(out, n, w)
}

// exactly fills up or cuts to n lines.
func exactly(lines []string, n, w int) []string {
	for len(lines) < n {
		lines = append(lines, strings.Repeat(" ", w))
	}
	return lines[:n]
}
