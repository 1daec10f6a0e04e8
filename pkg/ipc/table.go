package ipc

import (
	"sync"
	"time"
)

// sentence is a line of the table: who may say what to whom, how many file descriptors come with it,
// how many in a second over time and how many at once.
type sentence struct {
	from, to Process
	kind     Kind
	fds      int
	rate     float64
	burst    float64
}

// table is all that the processes may say to each other.
var table = []sentence{
	{Control, Guard, KindPolicyBegin, 0, 200, 200},
	{Control, Guard, KindPolicyPut, 0, 2000, 2000},
	{Control, Guard, KindPolicyCommit, 0, 200, 200},
	{Control, Guard, KindPolicyAbort, 0, 200, 200},
	{Control, Guard, KindSetBinding, 0, 500, 1000},
	{Control, Guard, KindClearBinding, 0, 500, 1000},
	{Control, Guard, KindSetBlock, 0, 500, 1000},
	{Control, Guard, KindLiftBlock, 0, 500, 1000},
	{Control, Guard, KindGetPorts, 0, 20, 20},

	{Guard, Control, KindResult, 0, 4000, 8000},
	{Guard, Control, KindPortState, 0, 400, 400},
	{Guard, Control, KindMapFD, 1, 50, 400},
	{Guard, Watch, KindMapFD, 1, 50, 400},

	{Watch, Control, KindDeviceSeen, 0, 200, 500},
	{Watch, Control, KindDHCPBinding, 0, 200, 500},
	{Watch, Journal, KindEvent, 0, 5000, 5000},
	{Control, Journal, KindEvent, 0, 2000, 2000},
	{Journal, Control, KindJournalState, 0, 5, 10},

	{Launch, Control, KindProcessExit, 0, 10, 20},
	{Guard, Launch, KindReady, 0, 1, 1},
	{Control, Launch, KindReady, 0, 1, 1},
	{Journal, Launch, KindReady, 0, 1, 1},
	{Watch, Launch, KindReady, 0, 1, 1},
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

// budget is a token bucket for one kind on one channel.
type budget struct {
	sentence
	mu     sync.Mutex
	tokens float64
	last   time.Time
}

// budgets are those of one direction, full.
func budgets(from, to Process, slack float64) map[Kind]*budget {
	out := map[Kind]*budget{}
	for _, s := range table {
		if s.from == from && s.to == to {
			s.burst += slack
			out[s.kind] = &budget{sentence: s, tokens: s.burst, last: time.Now()}
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
