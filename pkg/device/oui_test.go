package device

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"citygate/pkg/flow"
	"citygate/rules"
)

func packed(lines string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(lines))
	_ = z.Close()
	return b.Bytes()
}

func mac(s string) flow.MAC {
	m, err := flow.ParseMAC(s)
	if err != nil {
		panic(err)
	}
	return m
}

func TestLookup(t *testing.T) {
	v, err := LoadOUI(bytes.NewReader(packed("001BC5\tBlock\n001BC5071\tSmall\n001BC58\tMiddle\nFFFFFF\tLast\n")))
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{
		"00:1b:c5:07:1f:ff": "Small",
		"00:1b:c5:07:20:00": "Block",
		"00:1b:c5:8f:ff:ff": "Middle",
		"00:1b:c5:90:00:00": "Block",
		"00:1b:c6:00:00:00": "",
		"00:00:00:00:00:00": "",
		"02:1b:c5:07:1f:ff": "", // locally administered
		"01:1b:c5:07:1f:ff": "", // group
		"ff:ff:ff:ff:ff:ff": "",
	} {
		if got := v.Lookup(mac(addr)); got != want {
			t.Errorf("%s: got %q, want %q", addr, got, want)
		}
	}
}

func TestLoadOUIRefuses(t *testing.T) {
	good := "001BC5\tBlock\n001BC6\tNext\n"
	for name, lines := range map[string]string{
		"order":     "001BC6\tNext\n001BC5\tBlock\n",
		"twice":     "001BC5\tBlock\n001BC5\tBlock\n",
		"digits":    "001BC51234\tBlock\n",
		"hex":       "001BCX\tBlock\n",
		"no tab":    "001BC5 Block\n",
		"no vendor": "001BC5\t\n",
		"long":      "001BC5\t" + strings.Repeat("x", maxVendor+1) + "\n",
		"longer":    "001BC5\t" + strings.Repeat("x", 1000) + "\n",
		"utf-8":     "001BC5\t\xff\n",
	} {
		if v, err := LoadOUI(bytes.NewReader(packed(lines))); err == nil || v != nil {
			t.Errorf("%s: got %v, %v", name, v, err)
		}
	}
	var many strings.Builder
	for i := range maxPrefixes + 1 {
		fmt.Fprintf(&many, "%06X\tx\n", i)
	}
	for name, b := range map[string][]byte{
		"empty": nil, "no gzip": []byte(good), "cut": packed(good)[:30], "many": packed(many.String()),
	} {
		if v, err := LoadOUI(bytes.NewReader(b)); err == nil || v != nil {
			t.Errorf("%s: got %v, %v", name, v, err)
		}
	}
}

func FuzzLoadOUI(f *testing.F) {
	f.Add("001BC5\tBlock\n001BC5071\tSmall\n")
	f.Add("001BC5\t\n")
	f.Add("zz")
	f.Fuzz(func(t *testing.T, lines string) {
		if v, err := LoadOUI(bytes.NewReader(packed(lines))); (v == nil) != (err != nil) {
			t.Fatalf("got %v, %v", v, err)
		}
	})
}

func TestEmbedded(t *testing.T) {
	v, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, b := range v.blocks {
		n += len(b)
	}
	if n < 40000 {
		t.Errorf("only %d prefixes", n)
	}
	for addr, want := range map[string]string{
		"bc:ad:28:00:00:10": "Hikvision", "3c:ef:8c:01:02:03": "Dahua", "00:40:8c:01:02:03": "AXIS",
		"00:1b:c5:07:10:01": "Center for E-Commerce", "02:00:00:00:00:11": "",
	} {
		if got := v.Lookup(mac(addr)); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: got %q, want %q", addr, got, want)
		}
	}
}

// The table must not cost a small box its memory.
func TestEmbeddedMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	v, err := LoadOUI(bytes.NewReader(rules.OUI))
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d KiB kept", kept>>10)
	if kept > 8<<20 {
		t.Errorf("%d bytes kept, want at most 8 MiB", kept)
	}
	runtime.KeepAlive(v)
}

func BenchmarkLoadOUI(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := LoadOUI(bytes.NewReader(rules.OUI)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	v, err := Embedded()
	if err != nil {
		b.Fatal(err)
	}
	m := mac("bc:ad:28:00:00:10")
	b.ReportAllocs()
	for b.Loop() {
		_ = v.Lookup(m)
	}
}
