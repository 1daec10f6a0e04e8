package demo

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"citygate/testlab/topology"
)

// Widths of the picture's parts; the wires take what is left.
const (
	leftWidth  = 21
	boxWidth   = 22
	rightWidth = 24
)

// flowTime is how often what flows in a wire moves on by a cell.
const flowTime = 250 * time.Millisecond

// picture draws the city: cameras, gateway, servers, and on both sides an attacker.
func picture(s State, w int) []string {
	left, right := leftSide(s), rightSide(s)
	room := w - leftWidth - boxWidth - rightWidth
	in, out := room/2, room-room/2
	box := gatewayBox(s.Gateway)
	playing := false
	for _, st := range s.Streams {
		playing = playing || st.Kbps > 0
	}
	var lines []string
	for i := range box {
		a, b := strings.Repeat(" ", in), strings.Repeat(" ", out)
		if i == bus {
			a, b = cable("g0", in, s.Elapsed, playing), cable("g1", out, s.Elapsed, playing)
		}
		lines = append(lines, pad(left[i], leftWidth)+a+box[i]+b+pad(right[i], rightWidth))
	}
	return lines
}

// bus is the line of the picture that the cable is in.
const bus = 2

// host is a name with its address; an attacker is red while it works.
func host(s State, name string) string {
	h := topology.Find(name)
	if h.Role != topology.Attacker {
		return fmt.Sprintf("%-7s %s", name, h.Addr4())
	}
	if s.Hostile {
		return bad.Render("✗ " + name)
	}
	return faint.Render("✗ " + name)
}

func leftSide(s State) []string {
	joint := []string{"╮", "┤", "┼", "┤", "╯", " "}
	names := []string{"lobby-1", "gate-1", "yard-1", "hall-1", "attacker-cam"}
	out := make([]string, 6)
	for i, name := range names {
		text := " " + host(s, name) + " "
		dashes := strings.Repeat("─", max(0, leftWidth-1-lipgloss.Width(text)))
		out[i] = text + wire.Render(dashes+joint[i])
	}
	return out
}

func rightSide(s State) []string {
	joint := func(j string) string { return wire.Render(j + "─ ") }
	return []string{
		joint("╭") + host(s, topology.Main),
		joint("├") + host(s, topology.Core),
		wire.Render("┼  ╰─ ") + host(s, topology.Remote),
		joint("╰") + host(s, "attacker-srv"),
		"", "",
	}
}

// cable is a wire with a port's name in it; what flows moves from left to right.
func cable(port string, w int, elapsed time.Duration, flows bool) string {
	cells := []rune(strings.Repeat("─", w))
	if flows {
		for i := range cells {
			if (i-int(elapsed/flowTime))%4 == 0 {
				cells[i] = '●'
			}
		}
	}
	if w >= 6 { // the port stands beside the gateway
		at := 1
		if port == "g0" {
			at = w - 3
		}
		copy(cells[at:], []rune(port))
	}
	return wire.Render(string(cells))
}

// gatewayBox is the product: alive or dead, and what it did.
func gatewayBox(g Gateway) []string {
	inner := boxWidth - 2
	state := good.Render(fit(fmt.Sprintf(" ● %d processes", g.Processes), inner))
	switch {
	case g.Generation == 0:
		state = faint.Render(fit(" ○ starting", inner))
	case g.Processes == 0:
		state = bad.Render(fit(" ✗ no process lives", inner))
	}
	line := func(text string) string { return "│" + text + "│" }
	return []string{
		"╭" + center(" CityGate ", inner) + "╮",
		line(state),
		"┤" + fit(" policy "+fmt.Sprint(g.Generation)+", enforce", inner) + "├",
		line(fit(" passed  "+lead(number(g.Passed), inner-10), inner)),
		line(fit(" dropped ", 9) + bad.Render(lead(number(g.Dropped), inner-10)) + " "),
		"╰" + strings.Repeat("─", inner) + "╯",
	}
}

func center(text string, w int) string {
	n := max(0, w-lipgloss.Width(text))
	return strings.Repeat("─", n/2) + title.Render(text) + strings.Repeat("─", n-n/2)
}

// lead pads text on its left.
func lead(text string, w int) string {
	return strings.Repeat(" ", max(0, w-lipgloss.Width(text))) + text
}

// pad fills a styled line up to w cells.
func pad(text string, w int) string {
	return text + strings.Repeat(" ", max(0, w-lipgloss.Width(text)))
}

// cut shortens a styled line to w cells.
func cut(text string, w int) string { return ansi.Truncate(text, w, "") }
