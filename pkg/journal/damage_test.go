package journal

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"citygate/pkg/event"
)

// small is a log of five records in one segment.
func small(t testing.TB) (dir, path string, content []byte) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "1")
	l := open(t, dir, Options{})
	fill(t, l, 0, 5, 2)
	path = filepath.Join(dir, l.segment)
	l.Close()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return dir, path, content
}

// ends gives the offsets in a segment where a record ends, the head counting as one.
func ends(t testing.TB, segment []byte) []int {
	t.Helper()
	at := []int{headSize}
	for at[len(at)-1] < len(segment) {
		_, size, err := parseRecord(segment[at[len(at)-1]:])
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, at[len(at)-1]+size)
	}
	return at
}

// Every prefix of a log opens as the records that are whole in it; a prefix that ends within one is known to be cut.
func TestEveryPrefix(t *testing.T) {
	dir, path, whole := small(t)
	at := ends(t, whole)
	for n := range whole {
		if err := os.WriteFile(path, whole[:n], 0o640); err != nil {
			t.Fatal(err)
		}
		clean := slices.Contains(at, n)
		var d *Damage
		if _, err := Verify(dir, 0, 0); (err == nil) != clean || (!clean && (!errors.As(err, &d) || d.What != "cut")) {
			t.Fatalf("%d of %d bytes: verify says %v", n, len(whole), err)
		}
		l := open(t, dir, Options{})
		cuts := l.Cuts()
		if (len(cuts) == 0) != clean {
			t.Fatalf("%d of %d bytes: cuts %v", n, len(whole), cuts)
		}
		keep := 0
		for keep+1 < len(at) && at[keep+1] <= n {
			keep++
		}
		if !clean && n >= headSize && (cuts[0].Offset != int64(at[keep]) || cuts[0].Bytes != int64(n-at[keep])) {
			t.Fatalf("%d of %d bytes: cut %+v, want at %d", n, len(whole), cuts[0], at[keep])
		}
		fill(t, l, keep, 6, 1)
		l.Close()
		if got := numbers(t, dir); !slices.Equal(got, counting(6)) {
			t.Fatalf("%d of %d bytes: goes on as %v", n, len(whole), got)
		}
	}
}

// No flipped bit passes, neither when a log is verified nor when it is opened to be written on.
func TestEveryBitFlip(t *testing.T) {
	dir, path, whole := small(t)
	damaged := slices.Clone(whole)
	for bit := range len(whole) * 8 {
		damaged[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, damaged, 0o640); err != nil {
			t.Fatal(err)
		}
		damaged[bit/8] ^= 1 << (bit % 8)
		var d *Damage
		if _, err := Verify(dir, 0, 0); !errors.As(err, &d) || d.Offset > int64(bit/8) {
			t.Fatalf("bit %d: verify says %v", bit, err)
		}
		if bit%61 != 0 {
			continue // opening makes and removes files: a flip in every eighth byte has to do
		}
		l := open(t, dir, Options{})
		if cuts := l.Cuts(); len(cuts) != 1 || cuts[0].Offset > int64(bit/8) {
			t.Fatalf("bit %d: cuts %v", bit, cuts)
		}
		l.Close()
		if _, err := Verify(dir, 0, 0); err != nil {
			t.Fatalf("bit %d: after recovery %v", bit, err)
		}
	}
}

// rewrite replaces the payload of record n by forged, with a good checksum; relink also mends the chain behind it.
func rewrite(t *testing.T, whole []byte, n int, forged string, relink bool) (out []byte) {
	t.Helper()
	out = append(out, whole[:headSize]...)
	at := ends(t, whole)
	var prev [32]byte
	for i := range len(at) - 1 {
		r, _, err := parseRecord(whole[at[i]:])
		if err != nil {
			t.Fatal(err)
		}
		if i == n {
			r.Payload = []byte(forged)
		}
		if relink && i > n {
			r.Prev = prev
		}
		out = r.append(out)
		prev = r.Hash
	}
	return out
}

func TestVerifyNamesDamage(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, whole []byte, at []int) []byte
		what   string
		seq    uint64
	}{
		{"a record rewritten with a good checksum", func(t *testing.T, whole []byte, _ []int) []byte {
			return rewrite(t, whole, 2, `{"n":7}`, false)
		}, "altered", 4},
		{"two records swapped", func(_ *testing.T, whole []byte, at []int) []byte {
			return slices.Concat(whole[:at[1]], whole[at[2]:at[3]], whole[at[1]:at[2]], whole[at[3]:])
		}, "reordered", 2},
		{"a record removed", func(_ *testing.T, whole []byte, at []int) []byte {
			return slices.Concat(whole[:at[1]], whole[at[2]:])
		}, "reordered", 2},
		{"a record twice", func(_ *testing.T, whole []byte, at []int) []byte {
			return slices.Concat(whole[:at[2]], whole[at[1]:])
		}, "reordered", 3},
		{"half of the last record", func(_ *testing.T, whole []byte, at []int) []byte { return whole[:len(whole)-10] }, "cut", 5},
		{"bytes behind the last record", func(_ *testing.T, whole []byte, _ []int) []byte {
			return append(slices.Clone(whole), make([]byte, 100)...)
		}, "altered", 6},
		{"another log's head", func(t *testing.T, whole []byte, _ []int) []byte {
			_, _, other := small(t)
			return append(slices.Clone(other[:headSize]), whole[headSize:]...)
		}, "altered", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, path, whole := small(t)
			if err := os.WriteFile(path, c.damage(t, whole, ends(t, whole)), 0o640); err != nil {
				t.Fatal(err)
			}
			_, err := Verify(dir, 0, 0)
			var d *Damage
			if !errors.As(err, &d) || d.What != c.what || d.Seq != c.seq {
				t.Errorf("%v, want record %d %s", err, c.seq, c.what)
			}
		})
	}
}

func TestVerifySegments(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string, names []string)
		what   string
	}{
		{"a segment in the middle is gone", func(t *testing.T, dir string, names []string) {
			if err := os.Remove(filepath.Join(dir, names[1])); err != nil {
				t.Fatal(err)
			}
		}, "cut"},
		{"two segments have changed names", func(t *testing.T, dir string, names []string) {
			a, b := filepath.Join(dir, names[1]), filepath.Join(dir, names[2])
			for _, step := range [][2]string{{a, a + "x"}, {b, a}, {a + "x", b}} {
				if err := os.Rename(step[0], step[1]); err != nil {
					t.Fatal(err)
				}
			}
		}, "reordered"},
		{"a segment of another log", func(t *testing.T, dir string, names []string) {
			other := filepath.Join(t.TempDir(), "1")
			l := open(t, other, Options{SegmentBytes: 300})
			fill(t, l, 0, 20, 1)
			if err := os.Rename(filepath.Join(other, names[1]), filepath.Join(dir, names[1])); err != nil {
				t.Fatal(err)
			}
		}, "altered"},
		{"a segment forged and linked in itself", func(t *testing.T, dir string, names []string) {
			path := filepath.Join(dir, names[1])
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, rewrite(t, b, 0, `{"n":7}`, true), 0o640); err != nil {
				t.Fatal(err)
			}
		}, "altered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "1")
			l := open(t, dir, Options{SegmentBytes: 300})
			fill(t, l, 0, 20, 1)
			l.Close()
			names, err := segments(dir)
			if err != nil || len(names) < 4 {
				t.Fatal(names, err)
			}
			c.damage(t, dir, names)
			var d *Damage
			if _, err := Verify(dir, 0, 0); !errors.As(err, &d) || d.What != c.what {
				t.Errorf("%v, want %s", err, c.what)
			}
		})
	}
}

// That a process writes the log excuses a cut at its very end, and nothing else.
func TestVerifyWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "1")
	l := open(t, dir, Options{SegmentBytes: 300})
	fill(t, l, 0, 20, 1)
	if _, err := l.f.WriteAt([]byte{0, 0, 0, 100, 1, 2}, l.size); err != nil { // the start of a batch
		t.Fatal(err)
	}
	if rep, err := Verify(dir, 0, 0); err != nil || rep.Last != 20 {
		t.Errorf("%+v, %v", rep, err)
	}
	names, err := segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, names[len(names)-2])); err != nil {
		t.Fatal(err)
	}
	var d *Damage
	if _, err := Verify(dir, 0, 0); !errors.As(err, &d) || d.What != "cut" {
		t.Errorf("a segment is gone: %v", err)
	}
	l.Close()
	if _, err := Verify(dir, 1, 1); err != nil {
		t.Errorf("record 1 is there: %v", err)
	}
}

// What is cut off is kept beside the segment, and a damaged head sets the whole file aside.
func TestCutIsKept(t *testing.T) {
	dir, path, whole := small(t)
	flip(t, path, int64(len(whole)-1)*8)
	l := open(t, dir, Options{})
	at := ends(t, whole)
	kept, err := os.ReadFile(path + cutSuffix)
	if err != nil || len(kept) != len(whole)-at[4] {
		t.Errorf("kept %d bytes, %v", len(kept), err)
	}
	epoch := l.Epoch()
	l.Close()
	flip(t, path, 20*8)
	l, err = Open(dir, event.Security, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if c := l.Cuts(); len(c) != 1 || c[0].Bytes != int64(at[4]) {
		t.Errorf("cuts %+v", c)
	}
	if l.Epoch() == epoch || l.Next() != 1 {
		t.Errorf("a log without a readable head goes on as epoch %x, record %d", l.Epoch(), l.Next())
	}
}
