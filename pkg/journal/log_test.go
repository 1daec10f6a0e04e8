package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"citygate/pkg/event"
)

var wall = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// entry is the n-th entry of the tests.
func entry(n int) Entry {
	return Entry{
		Kind: uint16(event.TypeDrop), Mono: time.Duration(n) * time.Second, Wall: wall.Add(time.Duration(n) * time.Second),
		Payload: fmt.Appendf(nil, `{"n":%d}`, n),
	}
}

func open(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	l, err := Open(dir, event.Security, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// fill appends entries from..to-1, batch at a time.
func fill(t testing.TB, l *Log, from, to, batch int) {
	t.Helper()
	for ; from < to; from += batch {
		var entries []Entry
		for n := from; n < min(from+batch, to); n++ {
			entries = append(entries, entry(n))
		}
		if err := l.Append(entries); err != nil {
			t.Fatal(err)
		}
	}
}

// numbers reads the log and gives the n of its entries.
func numbers(t testing.TB, dir string) (got []int) {
	t.Helper()
	err := Records(dir, 0, 0, func(r *Record) error {
		var n int
		if _, err := fmt.Sscanf(string(r.Payload), `{"n":%d}`, &n); err != nil {
			return err
		}
		got = append(got, n)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func counting(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

func TestAppendReopenRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "1")
	boot := [16]byte{1, 2, 3}
	l := open(t, dir, Options{Boot: boot})
	fill(t, l, 0, 10, 3)
	epoch := l.Epoch()
	if _, err := Open(dir, event.Security, Options{}); err == nil {
		t.Error("a log opens for writing twice")
	}
	l.Close()
	l = open(t, dir, Options{Boot: boot})
	if l.Epoch() != epoch || l.Next() != 11 || len(l.Cuts()) != 0 {
		t.Errorf("reopened: epoch %x, next %d, cuts %v", l.Epoch(), l.Next(), l.cuts)
	}
	fill(t, l, 10, 12, 1)
	if got := numbers(t, dir); !slices.Equal(got, counting(12)) {
		t.Errorf("read %v", got)
	}
	var r Record
	if err := Records(dir, 7, 7, func(x *Record) error { r = *x; return nil }); err != nil {
		t.Fatal(err)
	}
	if r.Seq != 7 || r.Boot != boot || r.Mono != 6*time.Second || !r.Wall.Equal(entry(6).Wall) || r.Kind != 2 || r.Class != 1 {
		t.Errorf("record 7 is %+v", r)
	}
}

func TestPayloadLimit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "1")
	l := open(t, dir, Options{})
	if err := l.Append([]Entry{{Payload: make([]byte, MaxPayload)}}); err != nil {
		t.Error(err)
	}
	if err := l.Append([]Entry{{Payload: make([]byte, MaxPayload+1)}}); err == nil {
		t.Error("a payload above the limit is recorded")
	}
	if rep, err := Verify(dir, 0, 0); err != nil || rep.Records != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestClockBehind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "1")
	l := open(t, dir, Options{})
	for _, at := range []time.Time{wall, wall.Add(-9 * time.Second), wall.Add(-11 * time.Second), time.Unix(0, 0)} {
		if err := l.Append([]Entry{{Wall: at}}); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	l = open(t, dir, Options{})
	if err := l.Append([]Entry{{Wall: wall.Add(-time.Hour)}, {Wall: wall.Add(time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	var got []Quality
	if err := Records(dir, 0, 0, func(r *Record) error { got = append(got, r.Quality); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []Quality{0, 0, WallBehind, WallBehind, WallBehind, 0}; !slices.Equal(got, want) {
		t.Errorf("qualities %v, want %v", got, want)
	}
}

// Segments are made by size and removed by quota; what is left still verifies.
func TestRetention(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "1")
	l := open(t, dir, Options{SegmentBytes: 1000, QuotaBytes: 5000})
	fill(t, l, 0, 300, 1)
	names, err := segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, n := range names {
		total += fileSize(filepath.Join(dir, n))
	}
	if len(names) < 3 || total > 5000+200 {
		t.Errorf("%d segments of %d bytes", len(names), total)
	}
	rep, err := Verify(dir, 0, 0)
	if err != nil || rep.Last != 300 || rep.First < 200 || rep.Segments != len(names) {
		t.Errorf("%+v, %v", rep, err)
	}
	if rep, err = Verify(dir, 290, 295); err != nil || rep.First != 290 || rep.Last != 295 || rep.Records != 6 {
		t.Errorf("290..295: %+v, %v", rep, err)
	}
}

// A log that is written and trimmed meanwhile verifies, time after time.
func TestVerifyWhileWriting(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "1")
	l := open(t, dir, Options{SegmentBytes: 2000, QuotaBytes: 10000, sync: func(*os.File) error { return nil }})
	fill(t, l, 0, 3, 1)
	stop, ended := make(chan struct{}), make(chan error)
	go func() {
		for n := 3; ; n++ {
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			if err := l.Append([]Entry{entry(n)}); err != nil {
				ended <- err
				return
			}
		}
	}()
	for range 300 {
		if rep, err := Verify(dir, 0, 0); err != nil {
			t.Errorf("%+v, %v", rep, err)
			break
		}
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// After an fsync error the batch is not recorded, and the log goes on with what was acknowledged.
func TestSyncError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "1")
	broken := false
	l := open(t, dir, Options{sync: func(f *os.File) error {
		if broken {
			return errors.New("input/output error")
		}
		return f.Sync()
	}})
	fill(t, l, 0, 5, 1)
	broken = true
	for range 3 {
		if err := l.Append([]Entry{entry(99), entry(99)}); err == nil {
			t.Fatal("an append without fsync is acknowledged")
		}
	}
	broken = false
	fill(t, l, 5, 8, 1)
	if got := numbers(t, dir); !slices.Equal(got, counting(8)) {
		t.Errorf("read %v", got)
	}
	if c := l.Cuts(); len(c) != 0 {
		t.Errorf("cuts %v: nothing acknowledged was lost", c)
	}
}

// What was acknowledged and is not there after a failure is a cut.
func TestSyncErrorLosesAcknowledged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "1")
	broken := false
	l := open(t, dir, Options{sync: func(f *os.File) error {
		if broken {
			return errors.New("input/output error")
		}
		return f.Sync()
	}})
	fill(t, l, 0, 5, 1)
	path := filepath.Join(dir, l.segment)
	broken = true
	if err := l.Append([]Entry{entry(99)}); err == nil {
		t.Fatal("an append without fsync is acknowledged")
	}
	broken = false
	flip(t, path, fileSize(path)*8/2) // in the middle
	if err := l.Append([]Entry{entry(5)}); err != nil {
		t.Fatal(err)
	}
	c := l.Cuts()
	if len(c) != 1 || c[0].Bytes <= 0 || !errors.Is(c[0].Why, errAltered) {
		t.Errorf("cuts %+v", c)
	}
	if got := numbers(t, dir); got[len(got)-1] != 5 || len(got) >= 6 {
		t.Errorf("read %v", got)
	}
}

func flip(t testing.TB, path string, bit int64) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[bit/8] ^= 1 << (bit % 8)
	if err := os.WriteFile(path, b, 0o640); err != nil {
		t.Fatal(err)
	}
}

func TestRecordCodec(t *testing.T) {
	r := Record{Entry: entry(3), Seq: 9, Class: event.Bulk, Boot: [16]byte{7}, Quality: WallBehind, Prev: [32]byte{8}}
	b := r.append([]byte("before"))[6:]
	got, size, err := parseRecord(append(bytes.Clone(b), "behind"...))
	if err != nil || size != len(b) || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", r) {
		t.Errorf("%v, %d of %d bytes\n wrote %+v\n read  %+v", err, size, len(b), r, got)
	}
}

// FuzzRecord: exactly one of record and error; what parses is what append writes.
func FuzzRecord(f *testing.F) {
	r := Record{Entry: entry(3), Seq: 9}
	f.Add(r.append(nil))
	f.Add([]byte{0, 0, 0, 84})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, size, err := parseRecord(b)
		if (err == nil) != (size > 0) || size > len(b) {
			t.Fatalf("size %d, error %v", size, err)
		}
		if err == nil && !bytes.Equal(r.append(nil), b[:size]) {
			t.Fatalf("not canonical: % x", b[:size])
		}
	})
}

// Group commit: what one fsync costs is shared by a batch.
func BenchmarkAppend(b *testing.B) {
	for _, batch := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			l := open(b, filepath.Join(b.TempDir(), "1"), Options{})
			entries := make([]Entry, batch)
			for i := range entries {
				entries[i] = Entry{Wall: wall, Payload: make([]byte, 600)}
			}
			for b.Loop() {
				if err := l.Append(entries); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
