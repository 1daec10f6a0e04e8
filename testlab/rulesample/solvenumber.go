package main

// number writes a number that satisfies a byte_test, lets a byte_jump land on free ground, or is extracted.
func (v *solver) number(t *test, last int) (int, bool) {
	f := &t.bytesOf
	at := f.offset.value(v.names)
	if t.relative {
		at += last
	}
	if at < 0 || at+f.count > v.high {
		return 0, false
	}
	v.low = max(v.low, at+f.count)
	if known, ok := v.known(at, f.count); ok {
		n, taken, ok := f.read(known, 0)
		if !ok {
			return 0, false
		}
		return v.use(t, last, at, taken, n)
	}
	for range 60 {
		n := v.guess(t, at)
		b, ok := f.write(n)
		if !ok || t.kind == byteTest && !t.holds(n, v.names) {
			continue
		}
		if t.kind == byteJump {
			if to := f.jump(n, at+f.count); to < 0 || to >= v.high || to > maxCells/2 {
				continue
			}
		}
		if v.put(t, at, b) {
			return v.use(t, last, at, f.count, n)
		}
	}
	return 0, false
}

// known are cells that are all taken.
func (v *solver) known(at, n int) ([]byte, bool) {
	b := make([]byte, n)
	for i := range b {
		if at+i >= len(v.cells) || v.cells[at+i] < 0 {
			return nil, false
		}
		b[i] = byte(v.cells[at+i])
	}
	return b, true
}

func (v *solver) use(t *test, last, at, taken int, n uint64) (int, bool) {
	f := &t.bytesOf
	switch t.kind {
	case byteTest:
		return last, t.holds(n, v.names)
	case byteExtract:
		v.names = with(v.names, f.name, int(n)*max(f.times, 1))
		return at + taken, true
	}
	to := f.jump(n, at+taken)
	v.low = max(v.low, to+1)
	return to, to >= 0 && v.low <= v.high && to < maxCells
}

// guess is a number that may do.
func (v *solver) guess(t *test, at int) uint64 {
	f := &t.bytesOf
	want := uint64(f.value.value(v.names))
	if t.kind == byteTest {
		switch v.rng.IntN(8) {
		case 0:
			return want
		case 1:
			return want + 1
		case 2:
			return want - 1
		case 3:
			return 0
		case 4:
			return want &^ v.rng.Uint64N(256)
		case 5:
			if want > 0 {
				return v.rng.Uint64N(want)
			}
		case 6:
			return want + v.rng.Uint64N(1000)
		}
		return v.rng.Uint64() >> v.rng.IntN(60) >> max(0, 64-8*min(f.count, 8))
	}
	// Land behind all that is there, or close.
	to := max(len(v.cells), at+f.count) + v.rng.IntN(8)
	if v.rng.IntN(4) == 0 {
		to = at + f.count + v.rng.IntN(40)
	}
	n := to - f.post
	if !f.fromBeginning {
		n -= at + f.count
	}
	if t.kind == byteExtract {
		n = v.rng.IntN(20)
	}
	return uint64(max(0, n) / max(1, f.times))
}
