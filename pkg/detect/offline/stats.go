package offline

import (
	"fmt"
	"io"

	"citygate/pkg/app/layer"
	"citygate/pkg/detect/offline/job"
)

// number reads one counter.
type number struct {
	name string
	get  func(*Result) uint64
}

// numbers are all counters, in the order in which they are shown: a line for each. What stands before the dot is an object of
// EVE's stats record, as Suricata has it; what it does not have is citygate's.
var numbers = []number{
	{"decoder.pkts", func(r *Result) uint64 { return r.Packets }},
	{"decoder.bytes", func(r *Result) uint64 { return r.Bytes }},
	{"decoder.invalid", func(r *Result) uint64 { return r.Malformed }},
	{"flow.total", func(r *Result) uint64 { return r.Flows.Total }},
	{"flow.active", func(r *Result) uint64 { return r.Flows.Active }},
	{"tcp.sessions", func(r *Result) uint64 { return r.Streams.Sessions }},
	{"tcp.midstream_pickups", func(r *Result) uint64 { return r.Streams.Midstream }},
	{"tcp.invalid_checksum", func(r *Result) uint64 { return r.BadChecksum }},
	{"tcp.rst", func(r *Result) uint64 { return r.Streams.Resets }},
	{"tcp.overlap_diff_data", func(r *Result) uint64 { return r.Streams.Differing }},
	{"tcp.reassembly_gap", func(r *Result) uint64 { return r.Streams.Gaps }},
	{"tcp.segment_memcap_drop", func(r *Result) uint64 { return r.Streams.MemoryLost }},
	{"tcp.stream_depth_reached", func(r *Result) uint64 { return r.Streams.DepthReached }},
	{"tcp.urgent_oob_data", func(r *Result) uint64 { return r.Streams.UrgentTaken }},
	{"tcp.memuse", func(r *Result) uint64 { return uint64(r.Streams.HighMemory) }},
	{"detect.alert", func(r *Result) uint64 { return r.Counters.Alerts }},
	{"detect.alert_queue_overflow", func(r *Result) uint64 { return r.AlertOverflow }},
	{"detect.alerts_suppressed", func(r *Result) uint64 { return r.Suppressed }},
	{"citygate.decoder_events", func(r *Result) uint64 { return r.DecoderEvents }},
	{"citygate.stream_events", func(r *Result) uint64 { return r.StreamEvents }},
	{"citygate.inspected", func(r *Result) uint64 { return r.Inspected }},
	{"citygate.passed_by_rule", func(r *Result) uint64 { return r.Passed }},
	{"citygate.dropped", func(r *Result) uint64 { return r.Dropped }},
	{"citygate.skipped_bytes", func(r *Result) uint64 { return r.Skipped }},
	{"citygate.parser_gaps", func(r *Result) uint64 { return r.Gaps }},
	{"citygate.parser_stopped", func(r *Result) uint64 { return r.ParserStopped }},
	{"citygate.midstream_ignored", func(r *Result) uint64 { return r.Midstream }},
	{"citygate.thresholds_evicted", func(r *Result) uint64 { return r.Thresholds }},
	{"citygate.flows_expired", func(r *Result) uint64 { return r.Flows.Expired }},
	{"citygate.flows_evicted", func(r *Result) uint64 { return r.Flows.Evicted }},
	{"citygate.datagrams_inspected", func(r *Result) uint64 { return r.Defragmented }},
	{"citygate.stream_bytes", func(r *Result) uint64 { return r.Streams.Bytes }},
	{"citygate.segments", func(r *Result) uint64 { return r.Streams.Segments }},
	{"citygate.segments_invalid", func(r *Result) uint64 { return r.Streams.Invalid }},
	{"citygate.segments_dropped", func(r *Result) uint64 { return r.Streams.Dropped }},
	{"citygate.segments_out_of_order", func(r *Result) uint64 { return r.Streams.OutOfOrder }},
	{"citygate.retransmissions", func(r *Result) uint64 { return r.Streams.Retransmissions }},
	{"citygate.retransmissions_unchecked", func(r *Result) uint64 { return r.Streams.Unchecked }},
	{"citygate.gap_bytes", func(r *Result) uint64 { return r.Streams.GapBytes }},
	{"citygate.syn_queue_full", func(r *Result) uint64 { return r.Streams.SynQueueFull }},
	{"citygate.urgent_limit", func(r *Result) uint64 { return r.Streams.UrgentLimit }},
	{"citygate.fragments", func(r *Result) uint64 { return r.Defragmenter.Fragments }},
	{"citygate.datagrams_reassembled", func(r *Result) uint64 { return r.Defragmenter.Reassembled }},
	{"citygate.fragments_overlapping", func(r *Result) uint64 { return r.Defragmenter.Overlaps }},
	{"citygate.fragments_differing", func(r *Result) uint64 { return r.Defragmenter.Differing }},
	{"citygate.fragments_conflicting", func(r *Result) uint64 { return r.Defragmenter.Conflicts }},
	{"citygate.fragments_too_large", func(r *Result) uint64 { return r.Defragmenter.TooLarge }},
	{"citygate.fragments_tiny", func(r *Result) uint64 { return r.Defragmenter.Tiny }},
	{"citygate.fragments_refused", func(r *Result) uint64 { return r.Defragmenter.Refused }},
	{"citygate.fragments_dropped", func(r *Result) uint64 { return r.Defragmenter.Dropped }},
	{"citygate.fragments_duplicate", func(r *Result) uint64 { return r.Defragmenter.Duplicates }},
	{"citygate.fragments_empty", func(r *Result) uint64 { return r.Defragmenter.Empty }},
	{"citygate.fragments_uneven", func(r *Result) uint64 { return r.Defragmenter.Uneven }},
	{"citygate.fragments_bad_checksum", func(r *Result) uint64 { return r.Defragmenter.BadChecksum }},
	{"citygate.fragments_of_dead_datagrams", func(r *Result) uint64 { return r.Defragmenter.Dead }},
	{"citygate.datagrams_too_many_pieces", func(r *Result) uint64 { return r.Defragmenter.TooMany }},
	{"citygate.datagrams_evicted", func(r *Result) uint64 { return r.Defragmenter.Evicted }},
	{"citygate.datagrams_expired", func(r *Result) uint64 { return r.Defragmenter.Expired }},
}

// Numbers are the counters with their names, always the same ones in the same order.
func (r *Result) Numbers() []job.Counter {
	out := make([]job.Counter, len(numbers))
	for i, n := range numbers {
		out[i] = job.Counter{Name: n.name, Value: n.get(r)}
	}
	return out
}

const timeFormat = "2006-01-02T15:04:05.000000-0700"

// writeStats writes EVE's stats record, with the time of the last packet: the clock on the wall has no say in a replay.
func (r *Result) writeStats(w io.Writer) error {
	var o layer.Object
	o.Reset([]byte{})
	o.Text("timestamp", r.Last.UTC().Format(timeFormat))
	o.Text("event_type", "stats")
	o.Begin("stats")
	o.Int("uptime", 0)
	r.objects(&o, false)
	o.End()
	o.Begin("citygate")
	r.objects(&o, true)
	o.End()
	_, err := fmt.Fprintf(w, "{%s}\n", o.Bytes())
	return err
}

// objects writes the counters of Suricata's objects, or our own.
func (r *Result) objects(o *layer.Object, ours bool) {
	group := ""
	for _, n := range numbers {
		object, name := cut(n.name)
		switch {
		case (object == "citygate") != ours:
			continue
		case ours:
		case object != group:
			if group != "" {
				o.End()
			}
			o.Begin(object)
			group = object
		}
		o.Uint(name, n.get(r))
	}
	if group != "" {
		o.End()
	}
}
