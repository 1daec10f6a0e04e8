/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PUNT: to the forwarder's AF_XDP socket of this port and queue. The kernel
 * decides what happens when nobody is there to look: a missing socket or a
 * heartbeat older than HEARTBEAT_NS is on_failure, a full queue on_overload.
 */
#ifndef CITYGATE_PUNT_H
#define CITYGATE_PUNT_H

#define HEARTBEAT_NS 250000000ULL

static __always_inline int punt(struct xdp_md *ctx, struct frame *f, struct control *control, __u32 *queue)
{
	__u32 zero = 0;
	struct inspector *i = bpf_map_lookup_elem(&inspector_map, &zero);

	*queue = f->key.side * XSK_QUEUES + ctx->rx_queue_index;
	if (!i || ctx->rx_queue_index >= XSK_QUEUES || age(f->now, i->heartbeat_ns) > HEARTBEAT_NS ||
	    !bpf_map_lookup_elem(&xsks, queue))
		return control->fail_closed ? REASON_FAIL_CLOSED : REASON_FAIL_OPEN;
	if (i->punted - i->released >= control->credit)
		return control->overload_drop ? REASON_OVERLOAD_DROP : REASON_OVERLOAD_PASS;
	__sync_fetch_and_add(&i->punted, 1);
	return REASON_PUNTED;
}

#endif
