package prefilter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shared is where measurements find public rules and captures; absent, those are skipped.
const shared = "../../../../shared/data"

// corpus is payload to scan, in pieces as a stream gives them.
type corpus struct {
	name   string
	pieces [][]byte
}

func (c corpus) size() (n int64) {
	for _, p := range c.pieces {
		n += int64(len(p))
	}
	return n
}

// randomCorpus is what encrypted video looks like.
func randomCorpus() corpus {
	data := make([]byte, 8<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	return corpus{"random", slices.Collect(slices.Chunk(data, 1460))}
}

// mixedCorpus is the payload of the shared captures, a piece per packet, a megabyte of each at most.
func mixedCorpus(tb testing.TB) corpus {
	files, _ := filepath.Glob(filepath.Join(shared, "suricata-verify", "*", "input.pcap"))
	if len(files) == 0 {
		tb.Skipf("no captures in %s", shared)
	}
	c := corpus{name: "mixed"}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		c.pieces = append(c.pieces, payloads(raw)...)
	}
	return c
}

// payloads returns what follows Ethernet, IPv4 and TCP or UDP headers in a classic little-endian pcap.
func payloads(raw []byte) (out [][]byte) {
	if len(raw) < 24 || binary.LittleEndian.Uint32(raw) != 0xa1b2c3d4 {
		return nil
	}
	for raw = raw[24:]; len(raw) >= 16; {
		n := int(binary.LittleEndian.Uint32(raw[8:]))
		if n > len(raw)-16 {
			break
		}
		frame := raw[16 : 16+n]
		raw = raw[16+n:]
		if len(frame) < 54 || frame[12] != 8 || frame[13] != 0 {
			continue
		}
		at := 14 + int(frame[14]&15)*4
		switch {
		case frame[23] == 6 && len(frame) > at+13:
			at += int(frame[at+12]>>4) * 4
		case frame[23] == 17:
			at += 8
		default:
			continue
		}
		if at < len(frame) {
			out = append(out, frame[at:])
		}
	}
	return out
}

// rulePatterns returns the longest content of every shared rule.
func rulePatterns(tb testing.TB) []Pattern {
	files, _ := filepath.Glob(filepath.Join(shared, "et-open", "*.rules"))
	if len(files) == 0 {
		tb.Skipf("no rules in %s", shared)
	}
	var patterns []Pattern
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if p := longestContent(line); len(p.Data) > 0 {
				p.ID = uint32(len(patterns))
				patterns = append(patterns, p)
			}
		}
	}
	return patterns
}

// longestContent reads a rule's contents, commented out or not.
func longestContent(line string) (best Pattern) {
	if i := strings.Index(line, "alert "); i < 0 || i > 2 {
		return best
	}
	for _, part := range strings.Split(line, "content:")[1:] {
		quoted, ok := strings.CutPrefix(strings.TrimSpace(part), `"`)
		if !ok {
			continue
		}
		data, rest := contentBytes(quoted)
		if len(data) > len(best.Data) {
			modifiers, _, _ := strings.Cut(rest, "content:")
			best = Pattern{Data: data, NoCase: strings.Contains(modifiers, "nocase")}
		}
	}
	return best
}

// contentBytes reads a content up to its closing quote: |hex| and \ escapes.
func contentBytes(s string) (data []byte, rest string) {
	for hex := false; s != "" && s[0] != '"'; s = s[1:] {
		switch {
		case s[0] == '|':
			hex = !hex
		case hex && s[0] == ' ':
		case hex && len(s) > 2:
			var b byte
			_, _ = fmt.Sscanf(s[:2], "%02x", &b)
			data, s = append(data, b), s[1:]
		case s[0] == '\\' && len(s) > 1:
			data, s = append(data, s[1]), s[1:]
		default:
			data = append(data, s[0])
		}
	}
	return data, s
}

// shuffled returns n of the patterns, numbered from 0.
func shuffled(patterns []Pattern, n int) []Pattern {
	out := slices.Clone(patterns)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	out = out[:min(n, len(out))]
	for i := range out {
		out[i].ID = uint32(i)
	}
	return out
}

// cpuTime is what this process used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchScan measures a table on a corpus; one set of hits per 64 pieces, as a flow has.
func benchScan(b *testing.B, patterns []Pattern, shapes []shape, c corpus) {
	table, err := Open(build(nil, patterns, shapes))
	if err != nil {
		b.Fatal(err)
	}
	hits := NewHits(len(patterns))
	b.SetBytes(c.size())
	found, before := 0, cpuTime()
	for b.Loop() {
		found = 0
		for i, p := range c.pieces {
			if i%64 == 0 {
				found += len(hits.IDs())
				hits.Reset()
			}
			table.Scan(p, 0, hits)
		}
	}
	b.ReportMetric(float64(c.size())*float64(b.N)/1e6/(cpuTime()-before).Seconds(), "MB/CPU-s")
	b.ReportMetric(float64(found), "hits")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkScan(b *testing.B) {
	corpora := []corpus{mixedCorpus(b), randomCorpus()}
	rules := rulePatterns(b)
	from4 := slices.DeleteFunc(slices.Clone(rules), func(p Pattern) bool { return len(p.Data) < minLong })
	from8 := slices.DeleteFunc(slices.Clone(rules), func(p Pattern) bool { return !longShapes[0].takes(p.Data) })
	for _, set := range []struct {
		name     string
		patterns []Pattern
	}{{"all", rules}, {"from4", from4}, {"from8", from8}, {"synthetic", synthetic(24000, 1)}} {
		for _, n := range []int{20, 200, 2000, 8000, 24000} {
			for _, c := range corpora {
				b.Run(fmt.Sprintf("%s/%d/%s", set.name, n, c.name), func(b *testing.B) {
					benchScan(b, shuffled(set.patterns, n), nil, c)
				})
			}
		}
	}
}

// BenchmarkScanShort is what most buffers are: a URI or a header of a few dozen bytes.
func BenchmarkScanShort(b *testing.B) {
	for _, n := range []int{20, 2000} {
		for _, size := range []int{8, 32, 128} {
			b.Run(fmt.Sprintf("%d/%dB", n, size), func(b *testing.B) {
				table, hits := open(b, synthetic(n, 1)), NewHits(n)
				data := bytes.Repeat([]byte("/index.html?a=12"), 16)[:size]
				for b.Loop() {
					table.Scan(data, 0, hits)
				}
			})
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{20, 2000, 24000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			patterns := shuffled(rulePatterns(b), n)
			var image []byte
			for b.Loop() {
				image = Build(image[:0], patterns)
			}
			b.ReportMetric(float64(len(image)), "bytes")
		})
	}
}
