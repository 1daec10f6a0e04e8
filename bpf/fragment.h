/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fragments. The first one has the whole layer-4 header and is judged like any
 * frame; when it passes it is recorded, and the rest of the datagram follows
 * in order for two seconds. RFC 5722 wants overlaps dropped for IPv6; IPv4
 * gets the same answer.
 */
#ifndef CITYGATE_FRAGMENT_H
#define CITYGATE_FRAGMENT_H

#define FRAGMENT_NS 2000000000ULL

static __always_inline void fragment_key(struct frame *f, struct fragment_key *k)
{
	__builtin_memcpy(k->src, f->key.src, 16);
	__builtin_memcpy(k->dst, f->key.dst, 16);
	k->id = f->fragment_id;
	k->vlan = f->key.vlan;
	k->proto = f->key.proto;
	k->side = f->key.side;
	k->pad[0] = 0;
	k->pad[1] = 0;
}

/* An allowed first fragment: CONTINUE, or why not. */
static __noinline int record_fragment(struct frame *f)
{
	struct fragment_key key;
	struct fragment *old, v = {
		.first_ns = f->now,
		.end = f->l4_len,
		.tag = f->tag,
		.port = f->flow_flags & FLOW_REPLY ? request_port(f) : f->port,
		.from = f->from,
		.to = f->to,
		.reply = f->flow_flags & FLOW_REPLY,
	};

	fragment_key(f, &key);
	old = bpf_map_lookup_elem(&fragments, &key);
	if (old && age(f->now, old->first_ns) < FRAGMENT_NS)
		return REASON_FRAGMENT_OVERLAP;
	__builtin_memcpy(v.smac, f->smac, 6);
	__builtin_memcpy(v.dmac, f->dmac, 6);
	if (bpf_map_update_elem(&fragments, &key, &v, BPF_ANY))
		return REASON_MAP_FULL;
	return CONTINUE;
}

static __noinline int judge_follower(struct frame *f)
{
	struct fragment_key key;
	struct fragment *v;
	__u32 end;

	fragment_key(f, &key);
	v = bpf_map_lookup_elem(&fragments, &key);
	if (!v || age(f->now, v->first_ns) > FRAGMENT_NS)
		return REASON_FRAGMENT_EARLY;
	if (!same_mac(v->smac, f->smac) || !same_mac(v->dmac, f->dmac))
		return REASON_MAC_MISMATCH;
	f->from = v->from;
	f->to = v->to;
	/* Another policy came between the fragments: its answer counts. */
	if (v->tag != f->tag) {
		struct rule *r = v->reply ? allowed(f, v->to, v->from, v->port) : allowed(f, v->from, v->to, v->port);

		if (!r)
			return REASON_NO_RULE;
		v->tag = f->tag;
	}
	end = v->end;
	if (f->fragment_off < end)
		return REASON_FRAGMENT_OVERLAP;
	if (__sync_val_compare_and_swap(&v->end, end, f->fragment_off + f->l4_len) != end)
		return REASON_FRAGMENT_OVERLAP; /* another CPU has one of the same datagram in hand */
	if (!f->more_fragments)
		bpf_map_delete_elem(&fragments, &key);
	return REASON_FRAGMENT;
}

#endif
