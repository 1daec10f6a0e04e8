/* SPDX-License-Identifier: Apache-2.0 */
/* Step 2: whose frame it is. Tables of the active policy set; a set is chosen once per frame. */
#ifndef CITYGATE_IDENTIFY_H
#define CITYGATE_IDENTIFY_H

#define SET_LOOKUP(NAME, SLOT, KEY)                                             \
	({                                                                      \
		__u32 __slot = (SLOT);                                          \
		void *__set = bpf_map_lookup_elem(&NAME, &__slot);              \
		__set ? bpf_map_lookup_elem(__set, KEY) : NULL;                 \
	})

static __always_inline __u32 mac_owner(struct frame *f, const __u8 *mac, __u32 vlan)
{
	struct mac_key key = { .vlan = vlan };
	__u32 *id;

	__builtin_memcpy(key.mac, mac, 6);
	id = SET_LOOKUP(macs, f->slot, &key);
	return id ? *id : 0;
}

static __always_inline struct device *device_of(struct frame *f, __u32 id)
{
	return SET_LOOKUP(devices, f->slot, &id);
}

/* Whose address it is: an exact one first, then the longest prefix; 0 nobody's. */
static __noinline __u32 addr_owner(struct frame *f, const __u8 *addr)
{
	struct addr_key key = { .vlan = f->key.vlan };
	struct prefix_key prefix = { .bits = 32 + 128, .vlan = bpf_htonl(f->key.vlan) };
	__u32 *id;

	__builtin_memcpy(key.addr, addr, 16);
	id = SET_LOOKUP(addrs, f->slot, &key);
	if (id)
		return *id;
	__builtin_memcpy(prefix.addr, addr, 16);
	id = SET_LOOKUP(prefixes, f->slot, &prefix);
	return id ? *id : 0;
}

/* The sender by its MAC, VLAN and bridge port. */
static __always_inline int identify_carrier(struct frame *f)
{
	struct device *d;
	__u32 id;

	if (group_mac(f->smac))
		return REASON_SOURCE_GROUP;
	id = mac_owner(f, f->smac, f->key.vlan);
	if (!id)
		return mac_owner(f, f->smac, VLAN_ANY) ? REASON_VLAN_HOP : REASON_UNKNOWN_DEVICE;
	f->carrier = id;
	d = device_of(f, id);
	if (!d)
		return REASON_UNKNOWN_DEVICE;
	if (d->side != f->key.side)
		return REASON_WRONG_SIDE;
	return CONTINUE;
}

/* The sender by its IP address: its own, or one that the router carries. */
static __always_inline int identify_source(struct frame *f)
{
	struct device *d;

	if (group_addr(f, f->key.src))
		return REASON_SOURCE_GROUP;
	f->from = addr_owner(f, f->key.src);
	d = device_of(f, f->from);
	if (!f->from || !d || d->via != f->carrier)
		return REASON_IP_SPOOFED;
	return CONTINUE;
}

/* The hardware address that a group's frames must have (RFC 1112, 6.4; RFC 2464, 7). */
static __always_inline bool group_mac_matches(struct frame *f)
{
	const __u8 *d = f->key.dst;

	if (f->ipv6)
		return f->dmac[0] == 0x33 && f->dmac[1] == 0x33 && f->dmac[2] == d[12] && f->dmac[3] == d[13] &&
		       f->dmac[4] == d[14] && f->dmac[5] == d[15];
	if (d[12] == 255)
		return f->dmac[0] == 0xff && f->dmac[1] == 0xff && f->dmac[2] == 0xff && f->dmac[3] == 0xff &&
		       f->dmac[4] == 0xff && f->dmac[5] == 0xff;
	return f->dmac[0] == 0x01 && f->dmac[1] == 0x00 && f->dmac[2] == 0x5e && f->dmac[3] == (d[13] & 0x7f) &&
	       f->dmac[4] == d[14] && f->dmac[5] == d[15];
}

/* The receiver: its address, its side, and the MAC that carries it. */
static __always_inline int identify_destination(struct frame *f)
{
	struct device *d;

	f->to = addr_owner(f, f->key.dst);
	if (group_addr(f, f->key.dst) || group_mac(f->dmac)) {
		if (!f->to || !group_addr(f, f->key.dst))
			return REASON_BROADCAST;
		return group_mac_matches(f) ? CONTINUE : REASON_MAC_MISMATCH;
	}
	d = device_of(f, f->to);
	if (!f->to || !d)
		return REASON_UNKNOWN_DESTINATION;
	if (d->side == f->key.side)
		return REASON_SAME_SIDE;
	if (mac_owner(f, f->dmac, f->key.vlan) != d->via)
		return REASON_MAC_MISMATCH;
	return CONTINUE;
}

#endif
