package ipc

import (
	"sync"
	"time"
)

// sentence is a line of the table: who may say what to whom, how many file descriptors come with it,
// how many in a second over time and how many at once.
type sentence struct {
	from, to Process
	layout
	fds   int
	rate  float64
	burst float64
}

// table is all that the processes may say to each other.
var table = []sentence{
	{Control, Guard, of((*PolicyBegin).layout), 0, 200, 200},
	{Control, Guard, of((*PolicyPut).layout), 0, 2000, 2000},
	{Control, Guard, of((*PolicyCommit).layout), 0, 200, 200},
	{Control, Guard, of((*PolicyAbort).layout), 0, 200, 200},
	{Control, Guard, of((*SetBinding).layout), 0, 500, 1000},
	{Control, Guard, of((*ClearBinding).layout), 0, 500, 1000},
	{Control, Guard, of((*SetBlock).layout), 0, 500, 1000},
	{Control, Guard, of((*LiftBlock).layout), 0, 500, 1000},
	{Control, Guard, of((*GetPorts).layout), 0, 20, 20},

	{Guard, Control, of((*Result).layout), 0, 4000, 8000},
	{Guard, Control, of((*PortState).layout), 0, 400, 400},
	{Guard, Control, of((*MapFD).layout), 1, 50, 400},
	{Guard, Watch, of((*MapFD).layout), 1, 50, 400},

	{Watch, Control, of((*DeviceSeen).layout), 0, 200, 500},
	{Watch, Control, of((*DHCPBinding).layout), 0, 200, 500},
	{Control, Watch, of((*Names).layout), 0, 1000, 2000},
	{Watch, Journal, of((*Event).layout), 0, 5000, 5000},
	{Control, Journal, of((*Event).layout), 0, 2000, 2000},
	{Journal, Control, of((*JournalState).layout), 0, 5, 10},

	{Launch, Control, of((*ProcessExit).layout), 0, 10, 20},
	{Guard, Launch, of((*Ready).layout), 0, 1, 1},
	{Control, Launch, of((*Ready).layout), 0, 1, 1},
	{Journal, Launch, of((*Ready).layout), 0, 1, 1},
	{Watch, Launch, of((*Ready).layout), 0, 1, 1},
}

// queueSlack is added to a hearer's burst: what its socket can hold while it does not listen. The default buffer of
// 208 KiB holds under 300 of the smallest datagrams, so a speaker that keeps to the table is never over it.
const queueSlack = 512

// Channels are the pairs of processes that talk, each once.
func Channels() (pairs [][2]Process) {
	seen := map[[2]Process]bool{}
	for _, s := range table {
		pair := [2]Process{min(s.from, s.to), max(s.from, s.to)}
		if !seen[pair] {
			seen[pair] = true
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

// budget is a token bucket for one type of message in one direction of a channel.
type budget struct {
	sentence
	mu     sync.Mutex
	tokens float64
	last   time.Time
}

// budgets are those of one direction, full. A message's first byte is its place there.
func budgets(from, to Process, slack float64) (out []*budget) {
	for _, s := range table {
		if s.from == from && s.to == to {
			s.burst += slack
			out = append(out, &budget{sentence: s, tokens: s.burst, last: time.Now()})
		}
	}
	return out
}

// spend takes a token and says how long to wait until it is earned, 0 = it was there.
func (b *budget) spend() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.tokens = min(b.burst, b.tokens+now.Sub(b.last).Seconds()*b.rate) - 1
	b.last = now
	if b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / b.rate * float64(time.Second))
}
