/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Step 1: bytes -> struct frame. A cursor moves over the linear part of the
 * frame; each header is checked once. Returns a reason when the frame is
 * malformed, else CONTINUE.
 */
#ifndef CITYGATE_PARSE_H
#define CITYGATE_PARSE_H

#define CONTINUE (-1) /* no reason to leave yet */

enum kind {
	KIND_FLOW,	 /* TCP, UDP, echo, and what has neither ports nor a guard */
	KIND_FOLLOWER,	 /* a fragment after the first */
	KIND_ARP,
	KIND_ND,
	KIND_GROUP,	 /* IGMP, MLD */
	KIND_ICMP_ERROR,
	KIND_DHCP,
	KIND_LINK,	 /* link-local control: STP, LLDP */
};

struct frame {
	struct flow_key key; /* key.src and key.dst are 16 bytes also for IPv4 */
	__u64 now;
	__u32 length;
	__u32 generation;
	__u32 tag;
	__u32 slot;
	__u32 port;	  /* index of the service's port */
	__u32 fragment_id;
	__u32 fragment_off;
	__u32 l4_len; /* bytes from l4 to the end of this packet or fragment */
	__u16 l3;
	__u16 l4;
	__u16 ethertype;
	__u16 carrier;	  /* the device of the source MAC */
	__u16 from;
	__u16 to;
	__u16 rule;
	__u8 service;
	__u8 kind;
	__u8 first_fragment; /* of more than one */
	__u8 more_fragments;
	__u8 ipv6;
	__u8 tcp_flags;
	__u8 type;	  /* ICMP, IGMP */
	__u8 hop_limit;
	__u8 flow_flags;
	__u8 pad[3];
	__u8 smac[6] __attribute__((aligned(8)));
	__u8 dmac[6] __attribute__((aligned(8)));
};

/*
 * How long ago; 0 for what another CPU, or user space with its finer clock,
 * stamped since this frame read the coarse one.
 */
static __always_inline __u64 age(__u64 now, __u64 then)
{
	return now > then ? now - then : 0;
}

struct cursor {
	void *at;
	void *end;
};

/* The next n bytes, or NULL. */
static __always_inline void *take(struct cursor *c, __u32 n)
{
	void *p = c->at;

	if (p + n > c->end)
		return NULL;
	c->at = p + n;
	return p;
}

static __always_inline bool same_mac(const __u8 *a, const __u8 *b)
{
	const __u16 *x = (const __u16 *)a, *y = (const __u16 *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2];
}

static __always_inline bool zero_addr(const __u8 *a)
{
	const __u64 *w = (const __u64 *)a;

	return !w[0] && !w[1];
}

/* 0.0.0.0 or :: */
static __always_inline bool unspecified(const struct frame *f, const __u8 *a)
{
	if (f->ipv6)
		return zero_addr(a);
	return !*(__u32 *)(a + 12);
}

static __always_inline void mapped(__u8 *to, __be32 addr)
{
	__u32 *w = (__u32 *)to;

	w[0] = 0;
	w[1] = 0;
	w[2] = bpf_htonl(0xffff);
	w[3] = addr;
}

static __always_inline bool group_addr(const struct frame *f, const __u8 *a)
{
	if (f->ipv6)
		return a[0] == 0xff;
	return a[12] >= 224; /* 224/4 multicast, 240/4 reserved and broadcast */
}

static __always_inline bool group_mac(const __u8 *mac)
{
	return mac[0] & 1;
}

struct tag {
	__be16 tci;
	__be16 ethertype;
};

static __always_inline int parse_ethernet(struct cursor *c, struct frame *f)
{
	struct ethhdr *eth = take(c, sizeof(*eth));
	__u16 type;

	if (!eth)
		return REASON_MALFORMED_ETHERNET;
	__builtin_memcpy(f->dmac, eth->h_dest, 6);
	__builtin_memcpy(f->smac, eth->h_source, 6);
	type = bpf_ntohs(eth->h_proto);
	f->l3 = sizeof(*eth);
	if (type == ETH_P_8021Q || type == ETH_P_8021AD) {
		struct tag *t = take(c, sizeof(*t));

		if (!t)
			return REASON_MALFORMED_VLAN;
		f->key.vlan = bpf_ntohs(t->tci) & 0xfff;
		type = bpf_ntohs(t->ethertype);
		f->l3 += sizeof(*t);
		if (type == ETH_P_8021Q || type == ETH_P_8021AD) {
			t = take(c, sizeof(*t));
			if (!t)
				return REASON_MALFORMED_VLAN;
			f->key.vlan = VLAN_QINQ | f->key.vlan << 12 | (bpf_ntohs(t->tci) & 0xfff);
			type = bpf_ntohs(t->ethertype);
			f->l3 += sizeof(*t);
			if (type == ETH_P_8021Q || type == ETH_P_8021AD)
				return REASON_MALFORMED_VLAN;
		}
	}
	f->ethertype = type;
	return CONTINUE;
}

static __always_inline int parse_tcp(struct cursor *c, struct frame *f, __u32 left)
{
	struct tcphdr *tcp = take(c, sizeof(*tcp));
	__u8 flags;

	if (!tcp || left < sizeof(*tcp))
		return f->first_fragment ? REASON_FRAGMENT_TINY : REASON_MALFORMED_TCP;
	if (tcp->doff < 5 || !tcp->source || !tcp->dest)
		return REASON_MALFORMED_TCP;
	if (tcp->doff * 4 > left)
		return f->first_fragment ? REASON_FRAGMENT_TINY : REASON_MALFORMED_TCP;
	flags = ((__u8 *)tcp)[13] & 0x3f;
	/* No stack sends these (RFC 9293, 3.10): nothing, SYN with FIN or RST, FIN without ACK. */
	if (!(flags & (TCP_SYN | TCP_RST | TCP_ACK)) || ((flags & TCP_SYN) && (flags & (TCP_FIN | TCP_RST))) ||
	    (flags & (TCP_FIN | TCP_ACK)) == TCP_FIN)
		return REASON_MALFORMED_TCP;
	f->tcp_flags = flags;
	f->key.sport = tcp->source;
	f->key.dport = tcp->dest;
	f->port = PORTS_TCP + bpf_ntohs(tcp->dest);
	return CONTINUE;
}

static __always_inline int parse_udp(struct cursor *c, struct frame *f, __u32 left)
{
	struct udphdr *udp = take(c, sizeof(*udp));
	__u16 length, sport, dport;

	if (!udp || left < sizeof(*udp))
		return f->first_fragment ? REASON_FRAGMENT_TINY : REASON_MALFORMED_UDP;
	length = bpf_ntohs(udp->len);
	if (length < sizeof(*udp) || (!f->first_fragment && length > left) || !udp->source || !udp->dest)
		return REASON_MALFORMED_UDP;
	f->key.sport = udp->source;
	f->key.dport = udp->dest;
	sport = bpf_ntohs(udp->source);
	dport = bpf_ntohs(udp->dest);
	f->port = PORTS_UDP + dport;
	if (!f->ipv6 && (dport == 67 || dport == 68 || sport == 67))
		f->kind = KIND_DHCP;
	return CONTINUE;
}

struct icmp {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 id; /* echo */
	__be16 sequence;
};

static __always_inline int parse_icmp(struct cursor *c, struct frame *f, __u32 left)
{
	struct icmp *icmp = take(c, sizeof(*icmp));

	if (!icmp || left < sizeof(*icmp))
		return f->first_fragment ? REASON_FRAGMENT_TINY : REASON_MALFORMED_ICMP;
	f->type = icmp->type;
	f->port = PORTS_ICMP + icmp->type;
	switch (icmp->type) {
	case 0: /* echo reply, echo (RFC 792) */
	case 8:
		if (icmp->code)
			return REASON_MALFORMED_ICMP;
		f->key.sport = icmp->id;
		f->key.dport = bpf_htons(icmp->type);
		break;
	case 3: /* unreachable, time exceeded, parameter problem */
	case 11:
	case 12:
		f->kind = KIND_ICMP_ERROR;
		break;
	case 5:
		return REASON_ICMP_REDIRECT;
	}
	return CONTINUE;
}

static __always_inline int parse_icmp6(struct cursor *c, struct frame *f, __u32 left)
{
	struct icmp *icmp = take(c, sizeof(*icmp));

	if (!icmp || left < sizeof(*icmp))
		return f->first_fragment ? REASON_FRAGMENT_TINY : REASON_MALFORMED_ICMP;
	f->type = icmp->type;
	f->port = PORTS_ICMP6 + icmp->type;
	switch (icmp->type) {
	case 128: /* echo, echo reply (RFC 4443) */
	case 129:
		if (icmp->code)
			return REASON_MALFORMED_ICMP;
		f->key.sport = icmp->id;
		f->key.dport = bpf_htons(icmp->type);
		break;
	case 1: /* unreachable, too big, time exceeded, parameter problem */
	case 2:
	case 3:
	case 4:
		f->kind = KIND_ICMP_ERROR;
		break;
	case 130: /* MLD (RFC 2710, RFC 3810) */
	case 131:
	case 132:
	case 143:
		f->kind = KIND_GROUP;
		break;
	case 133: /* ND (RFC 4861): RS, RA, NS, NA */
	case 134:
	case 135:
	case 136:
		f->kind = KIND_ND;
		break;
	case 137:
		return REASON_ICMP_REDIRECT;
	}
	return CONTINUE;
}

static __always_inline int parse_l4(struct cursor *c, struct frame *f, __u8 proto, __u32 left)
{
	f->key.proto = proto;
	f->l4_len = left;
	switch (proto) {
	case IPPROTO_TCP:
		return parse_tcp(c, f, left);
	case IPPROTO_UDP:
		return parse_udp(c, f, left);
	case IPPROTO_ICMP:
		if (f->ipv6)
			return REASON_UNKNOWN_PROTOCOL;
		return parse_icmp(c, f, left);
	case IPPROTO_ICMPV6:
		if (!f->ipv6)
			return REASON_UNKNOWN_PROTOCOL;
		return parse_icmp6(c, f, left);
	case IPPROTO_IGMP: {
		__u8 *type = take(c, 8);

		if (f->ipv6)
			return REASON_UNKNOWN_PROTOCOL;
		if (!type || left < 8)
			return REASON_MALFORMED_ICMP;
		f->type = *type;
		f->kind = KIND_GROUP;
		return CONTINUE;
	}
	}
	f->port = PORTS_PROTO + proto;
	return CONTINUE;
}

/* Fragment fields -> what kind of fragment; the same answer for both IP versions. */
static __always_inline int parse_fragment(struct frame *f, __u8 proto, __u32 left, int malformed)
{
	f->l4_len = left;
	if (f->fragment_off + left > 65535 || (f->more_fragments && (left & 7)) || !left)
		return malformed;
	if (f->fragment_off) {
		f->key.proto = proto;
		f->kind = KIND_FOLLOWER;
	} else {
		f->first_fragment = f->more_fragments;
	}
	return CONTINUE;
}

static __always_inline int parse_ipv4(struct cursor *c, struct frame *f)
{
	struct iphdr *ip = take(c, sizeof(*ip));
	__u32 options, total, left;
	__u16 off;

	if (!ip)
		return REASON_MALFORMED_IPV4;
	total = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || ip->ihl < 5 || total < ip->ihl * 4 || f->l3 + total > f->length || !ip->ttl)
		return REASON_MALFORMED_IPV4;
	options = (ip->ihl * 4 - sizeof(*ip)) & 0x3c; /* the mask tells the verifier */
	if (options && !take(c, options))
		return REASON_MALFORMED_IPV4;
	f->l4 = f->l3 + ip->ihl * 4;
	left = total - ip->ihl * 4;
	f->hop_limit = ip->ttl;
	mapped(f->key.src, ip->saddr);
	mapped(f->key.dst, ip->daddr);
	off = bpf_ntohs(ip->frag_off);
	if (off & 0x8000) /* the reserved bit (RFC 791) */
		return REASON_MALFORMED_IPV4;
	if (off & 0x3fff) {
		int r;

		f->fragment_id = bpf_ntohs(ip->id);
		f->fragment_off = (off & 0x1fff) * 8;
		f->more_fragments = !!(off & 0x2000);
		r = parse_fragment(f, ip->protocol, left, REASON_MALFORMED_IPV4);
		if (r != CONTINUE || f->kind == KIND_FOLLOWER)
			return r;
	}
	return parse_l4(c, f, ip->protocol, left);
}

struct ipv6_extension {
	__u8 next;
	__u8 length;
	__u16 fragment_off;
	__be32 fragment_id;
};

static __always_inline int parse_ipv6(struct cursor *c, struct frame *f)
{
	struct ipv6hdr *ip = take(c, sizeof(*ip));
	__u32 left;
	__u8 next;

	f->ipv6 = 1;
	if (!ip)
		return REASON_MALFORMED_IPV6;
	left = bpf_ntohs(ip->payload_len);
	if (ip->version != 6 || f->l3 + sizeof(*ip) + left > f->length || !ip->hop_limit)
		return REASON_MALFORMED_IPV6;
	f->hop_limit = ip->hop_limit;
	__builtin_memcpy(f->key.src, &ip->saddr, 16);
	__builtin_memcpy(f->key.dst, &ip->daddr, 16);
	f->l4 = f->l3 + sizeof(*ip);
	next = ip->nexthdr;

#pragma unroll
	for (int i = 0; i < 7; i++) {
		struct ipv6_extension *x;
		__u32 size;

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_FRAGMENT &&
		    next != IPPROTO_DSTOPTS)
			break;
		if (i == 6)
			return REASON_IPV6_EXTENSIONS;
		x = take(c, sizeof(*x));
		if (!x || left < sizeof(*x))
			return REASON_MALFORMED_IPV6;
		if (next == IPPROTO_ROUTING && ((__u8 *)x)[2] == 0) /* deprecated by RFC 5095 */
			return REASON_IPV6_EXTENSIONS;
		size = 8;
		if (next == IPPROTO_FRAGMENT) {
			int r;
			__u16 off = bpf_ntohs(x->fragment_off);

			if (f->fragment_id || f->kind == KIND_FOLLOWER)
				return REASON_IPV6_EXTENSIONS;
			f->fragment_id = bpf_ntohl(x->fragment_id);
			f->fragment_off = off & 0xfff8;
			f->more_fragments = off & 1;
			left -= size;
			f->l4 += size;
			next = x->next;
			r = parse_fragment(f, next, left, REASON_MALFORMED_IPV6);
			if (r != CONTINUE || f->kind == KIND_FOLLOWER)
				return r;
			continue;
		}
		size += (x->length * 8) & 0x7f8;
		if (size > left || (size > 8 && !take(c, size - 8)))
			return REASON_MALFORMED_IPV6;
		left -= size;
		f->l4 += size;
		next = x->next;
	}
	if (next == IPPROTO_NONE || next == IPPROTO_HOPOPTS)
		return REASON_UNKNOWN_PROTOCOL;
	return parse_l4(c, f, next, left);
}

static __always_inline int parse(struct xdp_md *ctx, struct frame *f)
{
	struct cursor c = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	int r = parse_ethernet(&c, f);

	if (r != CONTINUE)
		return r;
	/* 01:80:c2:00:00:0x: never forwarded by an IEEE 802.1D bridge but by its own keys. */
	if (f->dmac[0] == 0x01 && f->dmac[1] == 0x80 && f->dmac[2] == 0xc2) {
		f->kind = KIND_LINK;
		return CONTINUE;
	}
	switch (f->ethertype) {
	case ETH_P_IP:
		return parse_ipv4(&c, f);
	case ETH_P_IPV6:
		return parse_ipv6(&c, f);
	case ETH_P_ARP:
		f->kind = KIND_ARP;
		return CONTINUE;
	}
	return REASON_UNKNOWN_ETHERTYPE;
}

#endif
