/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Step 4, the cached verdict: one look-up for a frame of a known flow. An
 * entry holds only while its tag is the control word's, so a policy swap or a
 * new block empties the cache at once; and only for the MACs it was judged for.
 */
#ifndef CITYGATE_CACHE_H
#define CITYGATE_CACHE_H

static __always_inline struct flow *cached(struct frame *f)
{
	struct flow *e = bpf_map_lookup_elem(&flows, &f->key);

	if (!e || e->tag != f->tag || !same_mac(e->smac, f->smac) || !same_mac(e->dmac, f->dmac))
		return NULL;
	if (e->until_ns && f->now > e->until_ns)
		return NULL;
	return e;
}

static __always_inline void account(struct flow *e, struct frame *f)
{
	e->last_ns = f->now;
	__sync_fetch_and_add(&e->frames, 1);
	__sync_fetch_and_add(&e->bytes, f->length);
	if (f->tcp_flags & ~e->tcp_flags)
		e->tcp_flags |= f->tcp_flags;
}

/* A cached flow's frame: what can still end it. */
static __always_inline int judge_cached(struct flow *e, struct frame *f)
{
	f->carrier = e->from; /* whom the frame is counted for */
	f->from = e->from;
	f->flow_flags = e->flags;
	if ((e->flags & FLOW_REPLY) && (f->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return REASON_TCP_NO_SESSION;
	if (e->flags & FLOW_METERED) {
		struct device *d = device_of(f, e->from);

		if (!d || !rate_allowed(f, e->from, d))
			return REASON_RATE;
	}
	if ((e->flags & FLOW_STATEFUL) && age(f->now, e->state_ns) > STATE_REFRESH_NS) {
		e->state_ns = f->now;
		keep_state(f);
	}
	account(e, f);
	return REASON_CACHED;
}

static __noinline void remember(struct frame *f, __u64 until)
{
	struct flow e = {
		.tag = f->tag,
		.generation = f->generation,
		.from = f->from,
		.to = f->to,
		.rule = f->rule,
		.service = f->service,
		.flags = f->flow_flags,
		.tcp_flags = f->tcp_flags,
		.until_ns = until,
		.state_ns = f->now,
		.first_ns = f->now,
		.last_ns = f->now,
		.frames = 1,
		.bytes = f->length,
	};
	struct flow *old = bpf_map_lookup_elem(&flows, &f->key);

	if (old) { /* judged anew: the flow goes on counting */
		e.first_ns = old->first_ns;
		e.frames += old->frames;
		e.bytes += old->bytes;
		e.tcp_flags |= old->tcp_flags;
	}
	__builtin_memcpy(e.smac, f->smac, 6);
	__builtin_memcpy(e.dmac, f->dmac, 6);
	bpf_map_update_elem(&flows, &f->key, &e, BPF_ANY);
}

#endif
