/* SPDX-License-Identifier: Apache-2.0 */
/* The one exit: every frame is counted under its reason and its sender, then forwarded or dropped. */
#ifndef CITYGATE_EXIT_H
#define CITYGATE_EXIT_H

static __always_inline bool is_drop(int reason)
{
	return reason >= REASON_NO_POLICY;
}

/* In monitor mode all is forwarded that a plain bridge would forward. */
static __always_inline bool forwardable(int reason)
{
	return reason != REASON_LINK_LOCAL_CONTROL && reason != REASON_MALFORMED_ETHERNET;
}

static __always_inline int leave(struct xdp_md *ctx, struct frame *f, struct control *control, int reason)
{
	__u32 r = reason, id, queue = 0;
	struct reason_count *rc;
	struct device_count *dc;
	bool drop, would = false;

	if ((f->flow_flags & FLOW_PUNT) && !is_drop(reason))
		r = reason = punt(ctx, f, control, &queue);
	drop = is_drop(reason);
	if (drop && control->mode == MODE_MONITOR && forwardable(reason)) {
		drop = false;
		would = true;
	}
	/* What passes counts for the address's owner, what does not for the MAC's: the address may be a lie. */
	id = is_drop(reason) || !f->from ? f->carrier : f->from;
	rc = bpf_map_lookup_elem(&reason_counts, &r);
	dc = bpf_map_lookup_elem(&device_counts, &id);
	if (rc) {
		rc->frames++;
		rc->bytes += f->length;
		rc->would_drop += would;
	}
	if (dc) {
		dc->last_ns = f->now;
		if (drop || would) {
			dc->drop_frames += drop;
			dc->would_drop += would;
			dc->drops[r & 63]++;
		} else {
			dc->pass_frames++;
			dc->pass_bytes += f->length;
		}
	}
	if (drop || would)
		send_sample(ctx, f, would ? SAMPLE_WOULD_DROP : SAMPLE_DROP, reason);
	if (drop)
		return XDP_DROP;
	if (reason == REASON_PUNTED)
		return bpf_redirect_map(&xsks, queue, 0);
	return bpf_redirect_map(&out_ports, !f->key.side, 0);
}

#endif
