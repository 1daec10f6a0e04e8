/* SPDX-License-Identifier: Apache-2.0 */
/* The guard of group membership: IGMP (RFC 3376) and MLD (RFC 3810). Queries come from the server side. */
#ifndef CITYGATE_GROUP_H
#define CITYGATE_GROUP_H

static __always_inline int judge_group(struct frame *f)
{
	bool query = f->type == (f->ipv6 ? 130 : 0x11);

	if (!group_addr(f, f->key.dst) || !group_mac_matches(f))
		return REASON_MAC_MISMATCH;
	if (query && f->key.side != SIDE_SERVER)
		return REASON_MULTICAST_QUERY;
	if (!f->ipv6 && !query && f->type != 0x12 && f->type != 0x16 && f->type != 0x17 && f->type != 0x22)
		return REASON_MALFORMED_ICMP;
	if (!f->ipv6 && !unspecified(f, f->key.src) && addr_owner(f, f->key.src) != f->carrier)
		return REASON_IP_SPOOFED;
	return REASON_MULTICAST_CONTROL;
}

#endif
