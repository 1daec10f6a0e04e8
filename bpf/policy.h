/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Step 5, the policy: which flows may open, and which frames answer one.
 * An opening costs three look-ups whatever the size of the policy: the port's
 * services, the pair's services, the line.
 */
#ifndef CITYGATE_POLICY_H
#define CITYGATE_POLICY_H

#define STATE_NS 60000000000ULL	    /* UDP and echo answers */
#define DISCOVERY_NS 10000000000ULL /* unicast answers to a multicast request */
#define STATE_REFRESH_NS 1000000000ULL

static __always_inline __u32 first_bit(__u64 m)
{
	__u32 n = 0;

	if (!(m & 0xffffffff)) {
		n += 32;
		m >>= 32;
	}
	if (!(m & 0xffff)) {
		n += 16;
		m >>= 16;
	}
	if (!(m & 0xff)) {
		n += 8;
		m >>= 8;
	}
	if (!(m & 0xf)) {
		n += 4;
		m >>= 4;
	}
	if (!(m & 0x3)) {
		n += 2;
		m >>= 2;
	}
	return n + !(m & 1);
}

static __always_inline struct rule *find_rule(struct frame *f, __u16 from, __u16 to, __u16 service)
{
	struct rule_key key = { .from = from, .to = to, .service = service };

	return SET_LOOKUP(rules, f->slot, &key);
}

/* The line that lets from open a flow to port of to, or NULL; f->service says which service. */
static __noinline struct rule *allowed(struct frame *f, __u16 from, __u16 to, __u32 port)
{
	__u64 *services = SET_LOOKUP(ports, f->slot, &port);
	struct rule *pair;
	__u64 mask;

	if (!services || !*services)
		return NULL;
	pair = find_rule(f, from, to, SERVICE_PAIR);
	if (!pair)
		return NULL;
	mask = *services & pair->mask;
	if (!mask)
		return NULL;
	f->service = first_bit(mask);
	return find_rule(f, from, to, f->service);
}

static __always_inline void reverse_key(const struct flow_key *k, struct flow_key *r)
{
	__builtin_memcpy(r->src, k->dst, 16);
	__builtin_memcpy(r->dst, k->src, 16);
	r->sport = k->dport;
	r->dport = k->sport;
	r->vlan = k->vlan;
	r->proto = k->proto;
	r->side = !k->side;
	r->pad[0] = 0;
	r->pad[1] = 0;
}

/* Echo keeps its identifier both ways; the request's type stands where a port would. */
static __always_inline void request_key(const struct frame *f, struct flow_key *r)
{
	reverse_key(&f->key, r);
	if (f->key.proto == IPPROTO_ICMP || f->key.proto == IPPROTO_ICMPV6) {
		r->sport = f->key.sport;
		r->dport = bpf_htons(f->ipv6 ? 128 : 8);
	}
}

/* Remembers that a request went out, so that its answer passes. Over quota only the memory is refused. */
static __noinline void keep_state(struct frame *f)
{
	struct state s = { .until_ns = f->now + STATE_NS };
	struct flow_key key = f->key;
	struct state *old;

	if (group_addr(f, f->key.dst)) {
		__builtin_memset(key.dst, 0, 16); /* anybody may answer */
		s.until_ns = f->now + DISCOVERY_NS;
	}
	old = bpf_map_lookup_elem(&states, &key);
	if (old) {
		old->until_ns = s.until_ns;
		return;
	}
	if (state_allowed(f, f->from)) {
		bpf_map_update_elem(&states, &key, &s, BPF_ANY);
	} else {
		__u32 id = f->from;
		struct device_count *d = bpf_map_lookup_elem(&device_counts, &id);

		if (d)
			d->quota++;
	}
}

/* The port that the request of this answer went to. */
static __always_inline __u32 request_port(const struct frame *f)
{
	switch (f->key.proto) {
	case IPPROTO_TCP:
		return PORTS_TCP + bpf_ntohs(f->key.sport);
	case IPPROTO_UDP:
		return PORTS_UDP + bpf_ntohs(f->key.sport);
	case IPPROTO_ICMP:
		return f->type == 0 ? PORTS_ICMP + 8 : PORTS;
	case IPPROTO_ICMPV6:
		return f->type == 129 ? PORTS_ICMP6 + 128 : PORTS;
	}
	return PORTS_PROTO + f->key.proto;
}

/* A frame that no line lets open a flow: the answer of one? */
static __noinline int judge_reply(struct frame *f, __u64 *until)
{
	struct flow_key key;
	struct state *s;
	struct rule *r = allowed(f, f->to, f->from, request_port(f));

	if (!r)
		return REASON_NO_RULE;
	f->rule = r->rule;
	f->flow_flags |= FLOW_REPLY;
	if (r->punt)
		f->flow_flags |= FLOW_PUNT;
	if (f->key.proto == IPPROTO_TCP) {
		if ((f->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
			return REASON_TCP_NO_SESSION;
		return REASON_REPLY;
	}
	request_key(f, &key);
	s = bpf_map_lookup_elem(&states, &key);
	if ((!s || f->now > s->until_ns) && f->key.proto == IPPROTO_UDP) {
		__builtin_memset(key.dst, 0, 16);
		s = bpf_map_lookup_elem(&states, &key);
	}
	if (!s || f->now > s->until_ns)
		return REASON_NO_STATE;
	*until = s->until_ns;
	return REASON_REPLY;
}

static __always_inline bool is_blocked(struct frame *f)
{
	struct block_key key = {};
	struct block *b;

	__builtin_memcpy(key.src, f->key.src, 16);
	__builtin_memcpy(key.dst, f->key.dst, 16);
	b = bpf_map_lookup_elem(&blocks, &key);
	if (!b || (b->until_ns && f->now > b->until_ns)) {
		__builtin_memset(key.dst, 0, 16);
		b = bpf_map_lookup_elem(&blocks, &key);
	}
	if (!b || (b->until_ns && f->now > b->until_ns))
		return false;
	__sync_fetch_and_add(&b->hits, 1);
	return true;
}

/* A pinhole opens what the policy lets a session negotiate; it is never wider than its line. */
static __noinline bool in_pinhole(struct frame *f, __u64 *until)
{
	struct pinhole_key key = {};
	struct pinhole *p;

	__builtin_memcpy(key.src, f->key.src, 16);
	__builtin_memcpy(key.dst, f->key.dst, 16);
	key.sport = f->key.sport;
	key.dport = f->key.dport;
	key.vlan = f->key.vlan;
	key.proto = f->key.proto;
	p = bpf_map_lookup_elem(&pinholes, &key);
	if (!p) {
		key.sport = 0;
		p = bpf_map_lookup_elem(&pinholes, &key);
	}
	if (!p || (p->until_ns && f->now > p->until_ns))
		return false;
	if (p->generation != f->generation && p->next_generation != f->generation)
		return false;
	*until = p->until_ns;
	return true;
}

/* TCP, UDP, echo and the rest, both ends identified. */
static __noinline int judge(struct frame *f, struct control *control, __u64 *until)
{
	struct rule *r;

	if (control->blocks && is_blocked(f))
		return REASON_BLOCKED;
	r = allowed(f, f->from, f->to, f->port);
	if (r) {
		f->rule = r->rule;
		if (r->punt)
			f->flow_flags |= FLOW_PUNT;
		if (f->key.proto != IPPROTO_TCP) {
			f->flow_flags |= FLOW_STATEFUL;
			keep_state(f);
		}
		return REASON_POLICY;
	}
	if (control->pinholes && in_pinhole(f, until))
		return REASON_PINHOLE;
	return judge_reply(f, until);
}

#endif
