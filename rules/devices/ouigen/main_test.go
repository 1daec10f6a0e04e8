package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"strings"
	"testing"
)

const header = "Registry,Assignment,Organization Name,Organization Address\n"

func TestTable(t *testing.T) {
	table := map[string]string{}
	for _, list := range []string{
		"MA-L,bcad28,\"Hangzhou  Hikvision\nDigital Technology Co.,Ltd.\",somewhere\nMA-L,001BC5,IEEE Registration Authority,\n",
		"MA-S,001BC5071,Small \x01GmbH,\nMA-S,001BC5072,Private,\nMA-S,001BC5073," + strings.Repeat("я", 50) + ",\n",
	} {
		if err := read(strings.NewReader(header+list), table); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{
		"BCAD28":    "Hangzhou Hikvision Digital Technology Co.,Ltd.",
		"001BC5071": "Small GmbH",
		"001BC5073": strings.Repeat("я", 32),
	}
	if !maps.Equal(table, want) {
		t.Errorf("got %q", table)
	}
	var b bytes.Buffer
	if err := write(&b, table); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || !strings.HasPrefix(string(text), "001BC5071\tSmall GmbH\n001BC5073\t") || !strings.HasSuffix(string(text), "Ltd.\n") {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestBadList(t *testing.T) {
	for _, list := range []string{"", header + "MA-L,0011\n", header + "MA-L,0011,Name,\n", header + "MA-L,001122\n"} {
		if err := read(strings.NewReader(list), map[string]string{}); err == nil {
			t.Errorf("%q is accepted", list)
		}
	}
}
