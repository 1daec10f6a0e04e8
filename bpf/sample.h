/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a frame to user space, by ring buffer, with a token bucket per kind and reason. */
#ifndef CITYGATE_SAMPLE_H
#define CITYGATE_SAMPLE_H

struct short_sample {
	struct sample head;
	__u8 data[SAMPLE_BYTES];
};

struct dhcp_sample {
	struct sample head;
	__u8 data[SAMPLE_DHCP_BYTES];
};

static __always_inline void fill_sample(struct sample *s, struct frame *f, int kind, int reason, __u32 suppressed,
					__u32 captured)
{
	s->boot_ns = f->now;
	s->vlan = f->key.vlan;
	s->generation = f->generation;
	s->suppressed = suppressed;
	s->length = f->length;
	s->device = f->carrier;
	s->kind = kind;
	s->reason = reason;
	s->side = f->key.side;
	s->pad = 0;
	s->captured = captured;
}

/* Returns false when the sample was not sent; it is counted and told by the next one. */
static __noinline bool send_sample(struct xdp_md *ctx, struct frame *f, int kind, int reason)
{
	__u32 i = reason * 5 + kind;
	__u32 n = f->length < SAMPLE_BYTES ? f->length : SAMPLE_BYTES;
	struct sample_meter *m = bpf_map_lookup_elem(&sample_meters, &i);
	struct short_sample *s;

	if (!m)
		return false;
	if (!take_tokens(&m->bucket, f->now, 50, 200, 1)) {
		__sync_fetch_and_add(&m->suppressed, 1);
		return false;
	}
	s = bpf_ringbuf_reserve(&samples, sizeof(*s), 0);
	if (!s) {
		__sync_fetch_and_add(&m->suppressed, 1);
		return false;
	}
	if (n < 1)
		n = 1;
	if (n > SAMPLE_BYTES || bpf_xdp_load_bytes(ctx, 0, s->data, n)) {
		bpf_ringbuf_discard(s, 0);
		return false;
	}
	fill_sample(&s->head, f, kind, reason, __sync_lock_test_and_set(&m->suppressed, 0), n);
	bpf_ringbuf_submit(s, 0);
	return true;
}

static __noinline void sample_dhcp(struct xdp_md *ctx, struct frame *f)
{
	__u32 n = f->length < SAMPLE_DHCP_BYTES ? f->length : SAMPLE_DHCP_BYTES;
	struct dhcp_sample *s = bpf_ringbuf_reserve(&samples, sizeof(*s), 0);

	if (!s)
		return;
	if (n < 1)
		n = 1;
	if (n > SAMPLE_DHCP_BYTES || bpf_xdp_load_bytes(ctx, 0, s->data, n)) {
		bpf_ringbuf_discard(s, 0);
		return;
	}
	fill_sample(&s->head, f, SAMPLE_DHCP, REASON_DHCP, 0, n);
	bpf_ringbuf_submit(s, 0);
}

/* The first frame of a hardware address: one sample, then it is remembered. */
static __always_inline void first_sight(struct xdp_md *ctx, struct frame *f)
{
	struct mac_key key = { .vlan = f->key.vlan };
	struct seen s = { .first_ns = f->now };

	__builtin_memcpy(key.mac, f->smac, 6);
	if (group_mac(f->smac) || bpf_map_lookup_elem(&seen, &key))
		return;
	if (send_sample(ctx, f, SAMPLE_DEVICE, 0))
		bpf_map_update_elem(&seen, &key, &s, BPF_ANY);
}

#endif
