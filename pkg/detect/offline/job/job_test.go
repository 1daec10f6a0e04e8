package job

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func testJob() *Job {
	return &Job{
		Verb: Replay, Person: true, Memory: 1 << 30, Capture: "a b.pcap", Files: []File{{"x.rules", Rules}, {"out", Events}},
		Set: []string{"stream.inline=yes"}, Inline: true, Stats: true, SIDs: []uint32{7}, Grep: "x|y",
	}
}

func TestJob(t *testing.T) {
	b, err := testJob().Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Read(bytes.NewReader(b)); err != nil || !reflect.DeepEqual(got, testJob()) {
		t.Errorf("got %+v, %v", got, err)
	}
	for n := range b {
		if _, err := Read(bytes.NewReader(b[:n])); err == nil {
			t.Errorf("a job cut to %d bytes is read", n)
		}
	}
	for _, bad := range []string{"", "null x", `{"Nonsense":1}`, string(b) + "{}", `{"Memory":-1}`} {
		if _, err := Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestJobLimits(t *testing.T) {
	j := &Job{Files: make([]File, MaxFiles+1)}
	if _, err := j.Append(nil); err == nil || err.Error() != "901 files; at most 900 are read" {
		t.Errorf("got %v", err)
	}
	j = &Job{Set: []string{strings.Repeat("x", maxJob)}}
	if _, err := j.Append(nil); err == nil {
		t.Error("a job of more than 8 MiB is written")
	}
}

func TestAnswer(t *testing.T) {
	want := &Answer{
		Warnings: []string{"cut"}, Rules: Load{Rules: 3, Loaded: 2, Refused: 1, Refusals: []Refusal{{"f", 1, 2, "k", "r"}}},
		Replay: Result{Packets: 9}, Alerts: []Alerts{{1, 1, 4, "m"}}, List: []Rule{{SID: 1, Words: []Word{{"a", "b"}}}},
	}
	var b bytes.Buffer
	if err := want.Write(&b); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadAnswer(b.Bytes()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// The command reads the answer of a process that hostile bytes may have taken over.
func FuzzReadAnswer(f *testing.F) {
	var b bytes.Buffer
	if err := (&Answer{Error: "x", Rules: Load{Refusals: []Refusal{{"f", 1, 2, "k", "r"}}}}).Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"List":[{}],"Keys":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ReadAnswer(data)
		if (a == nil) == (err == nil) {
			t.Fatalf("both or neither: %v, %v", a, err)
		}
	})
}
