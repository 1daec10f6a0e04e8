package reassembly

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A conversation in lines:
//
//	c SA -1 0 data=abc ws=7 ts=1/2 win=100 urg=1 tfo | syn_recv est_invalid_ack drop
//
// The side, the flags (. is none), the offsets of seq and ack, options; behind the bar the state that follows, then the
// events by name and the parts of the Outcome. "wait 24h" lets time pass.
func converse(t *testing.T, k *talk, lines string) {
	t.Helper()
	for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if d, ok := strings.CutPrefix(line, "wait "); ok {
			wait, err := time.ParseDuration(d)
			if err != nil {
				t.Fatal(err)
			}
			k.now = k.now.Add(wait)
			continue
		}
		left, want, ok := strings.Cut(line, "|")
		if !ok {
			t.Fatalf("line %d has no bar: %s", i+1, line)
		}
		o := k.send(parseSent(t, left))
		if got := k.s.State().String() + describe(o); got != strings.Join(strings.Fields(want), " ") {
			t.Errorf("line %d: %s\ngot %s", i+1, line, got)
		}
		k.now = k.now.Add(time.Millisecond)
	}
}

func parseSent(t *testing.T, line string) (x sent) {
	t.Helper()
	f := strings.Fields(line)
	if f[0] == "s" {
		x.d = server
	}
	for _, c := range f[1] {
		if i := strings.IndexRune("FSRPAUEC", c); i >= 0 {
			x.flags |= 1 << i
		}
	}
	var err error
	if x.seq, err = strconv.ParseInt(f[2], 10, 64); err != nil {
		t.Fatal(err)
	}
	if x.ack, err = strconv.ParseInt(f[3], 10, 64); err != nil {
		t.Fatal(err)
	}
	for _, opt := range f[4:] {
		key, value, _ := strings.Cut(opt, "=")
		n, _ := strconv.Atoi(value)
		switch key {
		case "data":
			x.data = value
		case "size":
			x.data = strings.Repeat("x", n)
		case "win":
			x.win, x.closed = uint16(n), n == 0
		case "urg":
			x.urgent = uint16(n)
		case "ws":
			x.opt.Scaled, x.opt.Scale = true, uint8(n)
		case "ts":
			x.opt.Timestamped = true
			fmt.Sscanf(value, "%d/%d", &x.opt.TSval, &x.opt.TSecr)
		case "tfo":
			x.opt.FastOpen = true
		default:
			t.Fatalf("no option %s", key)
		}
	}
	return x
}

func describe(o Outcome) string {
	var b strings.Builder
	for _, e := range o.Events.AppendTo(nil) {
		b.WriteString(" " + e.String())
	}
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"drop", o.Drop},
		{"invalid", o.Invalid},
		{"ignored", o.Ignored},
		{"again", o.Retransmission},
		{"keepalive", o.KeepAlive},
		{"reuse", o.Reuse},
		{"swapped", o.Swapped},
		{"lost", o.Lost},
		{"gap", o.Gap},
	} {
		if f.set {
			b.WriteString(" " + f.name)
		}
	}
	return b.String()
}

const shaken = `
	c S -1 0 | syn_sent
	s SA -1 0 | syn_recv
	c A 0 0 | established
`

type conversation struct {
	name   string
	config Config
	lines  string
	c, s   string // what is read of the client and of the server in the end, gaps as ?
}

func runConversations(t *testing.T, list []conversation) {
	for _, x := range list {
		t.Run(x.name, func(t *testing.T) {
			k := newTalk(t, x.config)
			converse(t, k, x.lines)
			k.end()
			k.wantRead(client, x.c)
			k.wantRead(server, x.s)
		})
	}
}

var inlineConfig = Config{Inline: true, DropInvalid: true}
