/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCP guard (RFC 2131): clients ask by the policy, servers answer from
 * the server side only. Ends are known by their MAC: a client has no address
 * yet. What passes is copied to user space, which learns bindings and names.
 */
#ifndef CITYGATE_DHCP_H
#define CITYGATE_DHCP_H

#define BOOTP_CHADDR 28

static __always_inline bool broadcast_mac(const __u8 *m)
{
	return m[0] == 0xff && m[1] == 0xff && m[2] == 0xff && m[3] == 0xff && m[4] == 0xff && m[5] == 0xff;
}

static __always_inline __u32 dhcp_receiver(struct frame *f)
{
	__u8 all[16];

	if (!broadcast_mac(f->dmac))
		return mac_owner(f, f->dmac, f->key.vlan);
	mapped(all, 0xffffffff);
	return addr_owner(f, all);
}

static __noinline int judge_dhcp(struct xdp_md *ctx, struct frame *f)
{
	bool from_server = f->key.sport == bpf_htons(67);
	__u8 bootp[BOOTP_CHADDR + 6];
	struct device *d;
	struct rule *r;

	if (bpf_xdp_load_bytes(ctx, f->l4 + sizeof(struct udphdr), bootp, sizeof(bootp)))
		return REASON_MALFORMED_UDP;
	/* A server's port, or a server's message from whatever port. */
	if (from_server || bootp[0] == 2) {
		if (f->key.side != SIDE_SERVER || !from_server || bootp[0] != 2)
			return REASON_ROGUE_DHCP;
		if (identify_source(f) != CONTINUE)
			return REASON_ROGUE_DHCP;
	} else {
		if (__builtin_memcmp(bootp + BOOTP_CHADDR, f->smac, 6))
			return REASON_IP_SPOOFED;
		f->from = f->carrier;
		if (!unspecified(f, f->key.src) && identify_source(f) != CONTINUE)
			return REASON_IP_SPOOFED;
	}
	f->to = dhcp_receiver(f);
	d = device_of(f, f->to);
	if (!f->to || !d)
		return REASON_UNKNOWN_DESTINATION;
	if (d->side == f->key.side)
		return REASON_SAME_SIDE;
	r = allowed(f, f->from, f->to, f->port);
	if (!r)
		return from_server ? REASON_ROGUE_DHCP : REASON_NO_RULE;
	f->rule = r->rule;
	return REASON_DHCP;
}

#endif
