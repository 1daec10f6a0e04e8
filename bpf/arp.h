/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ARP guard (RFC 826, RFC 5227): a sender speaks for its own address only,
 * and asks for and answers permitted peers only.
 */
#ifndef CITYGATE_ARP_H
#define CITYGATE_ARP_H

struct arp_ipv4 {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_len;
	__u8 protocol_len;
	__be16 op;
	__u8 sha[6];
	__u8 spa[4];
	__u8 tha[6];
	__u8 tpa[4];
} __attribute__((packed));

/* May a resolve b's address? The policy sets it for the two carriers of every allowed pair. */
static __always_inline bool peers(struct frame *f, __u16 a, __u16 b)
{
	return find_rule(f, a, b, SERVICE_PEER) != NULL;
}

/* To a permitted peer across the bridge: its group address, or the MAC that is its own. */
static __always_inline bool to_peer(struct frame *f, __u16 peer)
{
	if (!peer || !peers(f, f->carrier, peer))
		return false;
	return group_mac(f->dmac) || mac_owner(f, f->dmac, f->key.vlan) == peer;
}

static __noinline int judge_arp(struct xdp_md *ctx, struct frame *f)
{
	struct arp_ipv4 arp;
	struct device *d;
	__u32 sender, target;
	__u8 addr[16];
	__u16 op;

	if (bpf_xdp_load_bytes(ctx, f->l3, &arp, sizeof(arp)))
		return REASON_MALFORMED_ARP;
	op = bpf_ntohs(arp.op);
	if (arp.hardware != bpf_htons(1) || arp.protocol != bpf_htons(ETH_P_IP) || arp.hardware_len != 6 ||
	    arp.protocol_len != 4 || (op != 1 && op != 2))
		return REASON_MALFORMED_ARP;
	if (__builtin_memcmp(arp.sha, f->smac, 6))
		return REASON_ARP_SPOOF;
	mapped(addr, *(__be32 *)arp.spa);
	sender = addr_owner(f, addr);
	mapped(addr, *(__be32 *)arp.tpa);
	target = addr_owner(f, addr);
	if (!*(__be32 *)arp.spa) { /* a probe: for its own address, or one that DHCP is about to give */
		d = device_of(f, f->carrier);
		if (op == 1 && (target == f->carrier || (!target && d && (d->flags & DEVICE_DHCP))))
			return REASON_ARP;
		return REASON_ARP_SPOOF;
	}
	if (sender != f->carrier)
		return REASON_ARP_SPOOF;
	if (*(__be32 *)arp.spa == *(__be32 *)arp.tpa) /* an announcement */
		return REASON_ARP;
	if (op == 2 && __builtin_memcmp(arp.tha, f->dmac, 6))
		return REASON_ARP_SPOOF;
	return to_peer(f, target) ? REASON_ARP : REASON_ARP_PEER;
}

#endif
