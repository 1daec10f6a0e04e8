/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The neighbour-discovery guard (RFC 4861, RFC 4862): like ARP's, for IPv6.
 * A link-local address counts as a device's own when it is made from its MAC
 * (RFC 4291, appendix A) or listed.
 */
#ifndef CITYGATE_ND_H
#define CITYGATE_ND_H

#define ND_OPTIONS 4

struct nd_target {
	struct icmp icmp;
	__u8 target[16];
};

/* The MAC inside an EUI-64 link-local address, or false. */
static __always_inline bool eui64_mac(const __u8 *a, __u8 *mac)
{
	if (a[0] != 0xfe || a[1] != 0x80 || a[11] != 0xff || a[12] != 0xfe)
		return false;
	mac[0] = a[8] ^ 2;
	mac[1] = a[9];
	mac[2] = a[10];
	mac[3] = a[13];
	mac[4] = a[14];
	mac[5] = a[15];
	return true;
}

static __noinline __u32 nd_owner(struct frame *f, const __u8 *addr)
{
	__u8 mac[6] = {};
	__u32 id = addr_owner(f, addr);

	if (!id && eui64_mac(addr, mac))
		id = mac_owner(f, mac, f->key.vlan);
	return id;
}

/* Every link-layer address option must be the sender's. */
static __always_inline bool nd_options_own(struct xdp_md *ctx, struct frame *f, __u32 at, __u32 end)
{
#pragma unroll
	for (int i = 0; i < ND_OPTIONS; i++) {
		__u8 o[8];

		if (at + 8 > end)
			return at == end;
		if (bpf_xdp_load_bytes(ctx, at, o, 8) || !o[1])
			return false;
		if ((o[0] == 1 || o[0] == 2) && (o[1] != 1 || __builtin_memcmp(o + 2, f->smac, 6)))
			return false;
		at += o[1] * 8;
	}
	return at == end;
}

static __always_inline int judge_ra(struct frame *f)
{
	struct device *d = device_of(f, f->carrier);

	if (f->key.side != SIDE_SERVER || !d || !(d->flags & DEVICE_ROUTER))
		return REASON_ROGUE_RA;
	return nd_owner(f, f->key.src) == f->carrier ? REASON_ND : REASON_ROGUE_RA;
}

static __noinline int judge_nd(struct xdp_md *ctx, struct frame *f)
{
	struct nd_target nd;
	__u32 end = f->l4 + f->l4_len, target;
	bool probe = zero_addr(f->key.src);

	if (f->hop_limit != 255 || f->first_fragment)
		return f->type == 134 ? REASON_ROGUE_RA : REASON_ND_SPOOF;
	if (f->type == 134)
		return judge_ra(f);
	if (!probe && nd_owner(f, f->key.src) != f->carrier)
		return REASON_ND_SPOOF;
	if (f->type == 133)
		return nd_options_own(ctx, f, f->l4 + sizeof(struct icmp), end) ? REASON_ND : REASON_ND_SPOOF;
	if (bpf_xdp_load_bytes(ctx, f->l4, &nd, sizeof(nd)))
		return REASON_MALFORMED_ICMP;
	if (!nd_options_own(ctx, f, f->l4 + sizeof(nd), end))
		return REASON_ND_SPOOF;
	target = nd_owner(f, nd.target);
	if (f->type == 136) { /* an advertisement: of its own, to the asker or to all */
		if (probe || target != f->carrier)
			return REASON_ND_SPOOF;
		if (group_addr(f, f->key.dst))
			return group_mac_matches(f) ? REASON_ND : REASON_MAC_MISMATCH;
		return to_peer(f, nd_owner(f, f->key.dst)) ? REASON_ND : REASON_ND_PEER;
	}
	if (probe) /* duplicate address detection: only for its own */
		return target == f->carrier ? REASON_ND : REASON_ND_SPOOF;
	return to_peer(f, target) ? REASON_ND : REASON_ND_PEER;
}

#endif
