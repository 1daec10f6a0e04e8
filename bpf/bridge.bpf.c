//go:build ignore

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge: the list of steps that every frame takes, on both ports.
 * parse -> cached verdict -> identify -> guards -> policy -> meter -> account
 * -> one exit. The cache comes before identification because an entry was
 * made for identified ends and holds their MACs. A step is a header; it
 * returns CONTINUE or the reason to leave.
 */
#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#ifndef ETH_P_8021AD
#define ETH_P_8021AD 0x88A8
#endif
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

#include "reason.h"
#include "shared.h"
#include "maps.h"
#include "parse.h"
#include "meter.h"
#include "sample.h"
#include "identify.h"
#include "policy.h"
#include "cache.h"
#include "fragment.h"
#include "arp.h"
#include "nd.h"
#include "dhcp.h"
#include "group.h"
#include "icmp_error.h"
#include "link.h"
#include "punt.h"
#include "exit.h"

/* Both ends by their addresses, then blocks, policy, pinholes, replies, the sender's rate; an allowed flow is cached. */
static __noinline int judge_flow(struct frame *f, struct control *control)
{
	struct device *d;
	__u64 until = 0;
	int r;

	r = identify_source(f);
	if (r != CONTINUE)
		return r;
	r = identify_destination(f);
	if (r != CONTINUE)
		return r;
	r = judge(f, control, &until);
	if (is_drop(r))
		return r;
	d = device_of(f, f->from);
	if (d && (d->pps || d->kbps)) {
		f->flow_flags |= FLOW_METERED;
		if (!rate_allowed(f, f->from, d))
			return REASON_RATE;
	}
	if (f->first_fragment) {
		int why = record_fragment(f);

		if (why != CONTINUE)
			return why;
	}
	remember(f, until);
	return r;
}

static __always_inline int guard(struct xdp_md *ctx, struct frame *f)
{
	switch (f->kind) {
	case KIND_ARP:
		return judge_arp(ctx, f);
	case KIND_ND:
		return judge_nd(ctx, f);
	case KIND_GROUP:
		return judge_group(f);
	case KIND_DHCP:
		return judge_dhcp(ctx, f);
	}
	return judge_icmp_error(ctx, f);
}

/* What the cache does not know. */
static __noinline int judge_slow(struct xdp_md *ctx, struct frame *f, struct control *control)
{
	int r;

	if (f->kind == KIND_LINK)
		return judge_link(ctx, f, control);
	r = identify_carrier(f);
	if (r != CONTINUE)
		return r;
	if (f->kind == KIND_FLOW)
		return judge_flow(f, control);
	if (f->kind == KIND_FOLLOWER)
		return judge_follower(f);
	r = guard(ctx, f);
	if (is_drop(r))
		return r;
	/* Only what would pass costs the sender a token: forgeries must not use up the budget of whom they name. */
	if (!control_allowed(f, f->carrier))
		return REASON_RATE;
	if (r == REASON_DHCP)
		sample_dhcp(ctx, f);
	return r;
}

SEC("xdp.frags")
int citygate_bridge(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct control *control = bpf_map_lookup_elem(&control_map, &zero);
	struct frame f = {};
	struct flow *e;
	__u64 policy;
	int r;

	if (!control)
		return XDP_DROP;
	policy = *(volatile __u64 *)&control->policy;
	f.generation = (__u32)policy;
	f.tag = policy >> 32;
	f.slot = f.generation % SLOTS;
	f.now = bpf_ktime_get_coarse_ns();
	f.length = bpf_xdp_get_buff_len(ctx);
	f.key.side = ctx->ingress_ifindex == control->ifindex[SIDE_SERVER];

	r = parse(ctx, &f);
	if (r != CONTINUE) {
		if (r != REASON_MALFORMED_ETHERNET)
			first_sight(ctx, &f);
		return leave(ctx, &f, control, r);
	}
	if (f.kind == KIND_FLOW && !f.first_fragment) {
		e = cached(&f);
		if (e)
			return leave(ctx, &f, control, judge_cached(e, &f));
	}
	first_sight(ctx, &f);
	if (!f.generation)
		return leave(ctx, &f, control, REASON_NO_POLICY);
	return leave(ctx, &f, control, judge_slow(ctx, &f, control));
}

struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

struct net {
	struct ns_common ns;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} __attribute__((preserve_access_index)) possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));

/* The side of one of our ports, or -1: the tracepoints see every device of the machine. */
static __always_inline int side_of(const struct net_device *dev)
{
	struct control *control;
	__u32 zero = 0;
	int ifindex = 0;

	control = bpf_map_lookup_elem(&control_map, &zero);
	if (!control || bpf_core_read(&ifindex, sizeof(ifindex), &dev->ifindex) ||
	    BPF_CORE_READ(dev, nd_net.net, ns.inum) != control->netns)
		return -1;
	if (ifindex == control->ifindex[SIDE_CAMERA])
		return SIDE_CAMERA;
	return ifindex == control->ifindex[SIDE_SERVER] ? SIDE_SERVER : -1;
}

static __always_inline void count_losses(int side, __u32 sent, __u32 lost)
{
	struct devmap_count *n = bpf_map_lookup_elem(&devmap_counts, &side);

	if (n) {
		n->sent += sent;
		n->lost += lost;
	}
}

/* Frames that a port took, and refused, by the kernel's own count: from_dev, to_dev, sent, drops, err. */
SEC("raw_tp/xdp_devmap_xmit")
int citygate_devmap_xmit(struct bpf_raw_tracepoint_args *ctx)
{
	count_losses(side_of((void *)ctx->args[1]), ctx->args[2], ctx->args[3]);
	return 0;
}

/* Frames that could not even be queued for the other port: dev, prog, target, err, map type, map id, index. */
SEC("raw_tp/xdp_redirect_err")
int citygate_redirect_err(struct bpf_raw_tracepoint_args *ctx)
{
	int side = side_of((void *)ctx->args[0]);

	if (side >= 0)
		count_losses(!side, 0, 1);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
