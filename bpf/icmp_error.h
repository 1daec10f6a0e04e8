/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ICMP errors (RFC 792, RFC 4443): only about a live flow of the receiver. The
 * quoted packet came in on the receiver's port, so its cache key says so.
 */
#ifndef CITYGATE_ICMP_ERROR_H
#define CITYGATE_ICMP_ERROR_H

static __always_inline bool quoted_key(struct xdp_md *ctx, struct frame *f, struct flow_key *k)
{
	__u32 at = f->l4 + sizeof(struct icmp);
	struct icmp icmp;
	__be16 quoted_ports[2];

	k->vlan = f->key.vlan;
	k->side = !f->key.side;
	if (f->ipv6) {
		struct ipv6hdr ip;

		if (bpf_xdp_load_bytes(ctx, at, &ip, sizeof(ip)) || ip.version != 6)
			return false;
		__builtin_memcpy(k->src, &ip.saddr, 16);
		__builtin_memcpy(k->dst, &ip.daddr, 16);
		k->proto = ip.nexthdr;
		at += sizeof(ip);
	} else {
		struct iphdr ip;

		if (bpf_xdp_load_bytes(ctx, at, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5 ||
		    (ip.frag_off & bpf_htons(0x1fff)))
			return false;
		mapped(k->src, ip.saddr);
		mapped(k->dst, ip.daddr);
		k->proto = ip.protocol;
		at += ip.ihl * 4;
	}
	if (k->proto == IPPROTO_ICMP || k->proto == IPPROTO_ICMPV6) {
		if (bpf_xdp_load_bytes(ctx, at, &icmp, sizeof(icmp)))
			return false;
		k->sport = icmp.id;
		k->dport = bpf_htons(icmp.type);
		return true;
	}
	if (bpf_xdp_load_bytes(ctx, at, quoted_ports, sizeof(quoted_ports)))
		return false;
	k->sport = quoted_ports[0];
	k->dport = quoted_ports[1];
	return true;
}

static __noinline int judge_icmp_error(struct xdp_md *ctx, struct frame *f)
{
	struct flow_key key = {};
	struct device *d = device_of(f, f->carrier);
	struct flow *quoted;
	int r;

	if (!d || f->first_fragment)
		return REASON_ICMP_ERROR_FORGED;
	r = identify_source(f);
	/* A router on the way has an address that no policy lists; its last hop carries it. */
	if (r != CONTINUE && (r == REASON_SOURCE_GROUP || f->from || !(d->flags & DEVICE_ROUTER)))
		return r;
	r = identify_destination(f);
	if (r != CONTINUE)
		return r;
	if (!quoted_key(ctx, f, &key) || __builtin_memcmp(key.src, f->key.dst, 16))
		return REASON_ICMP_ERROR_FORGED;
	quoted = bpf_map_lookup_elem(&flows, &key);
	if (!quoted || quoted->tag != f->tag)
		return REASON_ICMP_ERROR_FORGED;
	return REASON_ICMP_ERROR;
}

#endif
