/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token buckets: per device and per kind of sample. A bucket is shared by the
 * CPUs without a lock; a race loses or grants a token, which no limit here
 * depends on.
 */
#ifndef CITYGATE_METER_H
#define CITYGATE_METER_H

#define TOKEN 1000000ULL
#define EARN_NS 4000000000ULL /* most time that one take may earn for: keeps the product within 64 bits */

/* Takes n tokens from a bucket that gains rate a second and holds burst. */
static __always_inline bool take_tokens(struct bucket *b, __u64 now, __u64 rate, __u64 burst, __u64 n)
{
	__u64 tokens, elapsed = age(now, b->last_ns);

	if (elapsed > EARN_NS)
		elapsed = EARN_NS;
	tokens = b->tokens + elapsed / 1000 * rate;
	if (tokens > burst * TOKEN)
		tokens = burst * TOKEN;
	if (elapsed)
		b->last_ns = now;
	if (tokens < n * TOKEN) {
		b->tokens = tokens;
		return false;
	}
	b->tokens = tokens - n * TOKEN;
	return true;
}

static __always_inline struct meter *meter_of(__u32 device)
{
	return bpf_map_lookup_elem(&meters, &device);
}

/* ARP, ND, ICMP errors, group reports: a host needs a few a second. */
static __always_inline bool control_allowed(struct frame *f, __u32 device)
{
	struct meter *m = meter_of(device);

	return m && take_tokens(&m->control, f->now, 50, 200, 1);
}

/* New UDP and echo states: the quota that keeps one device from evicting the others' answers. */
static __always_inline bool state_allowed(struct frame *f, __u32 device)
{
	struct meter *m = meter_of(device);

	return m && take_tokens(&m->states, f->now, 64, 256, 1);
}

/* The rate that the policy gives a device; a burst is what it may send in a tenth of a second, at least 64 frames. */
static __always_inline bool rate_allowed(struct frame *f, __u32 device, const struct device *d)
{
	struct meter *m = meter_of(device);

	if (!m)
		return false;
	if (d->pps && !take_tokens(&m->frames, f->now, d->pps, d->pps / 10 + 64, 1))
		return false;
	if (d->kbps && !take_tokens(&m->bytes, f->now, d->kbps * 1000ULL, d->kbps * 100ULL + 65536, f->length))
		return false;
	return true;
}

#endif
