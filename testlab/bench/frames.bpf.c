//go:build ignore

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench's own programs: a generator of camera frames, what stands at the
 * gateway's port in the rows that are compared, the sink, and a wrapper that
 * gives each test run of a program another frame.
 */
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* What changes from frame to frame; user space writes it, the programs move on through it. */
struct rotation {
	__u32 sources;	  /* how many senders take turns */
	__u32 ports;	  /* how many source ports each of them has */
	__u32 first_port;
	__u32 random;	  /* at random, or each source in turn and then the next port */
	__u32 source;	  /* in turn: where it is */
	__u32 port;
	__u64 seed;	  /* at random: not zero */
};

struct rotation turns;

#define FIRST_ADDR 0x0a400000 /* 10.64.0.0 */

struct headers {
	struct ethhdr eth;
	struct iphdr ip;
	__be16 sport;
} __attribute__((packed));

/* Marsaglia's xorshift64: no helper call and no division. */
static __always_inline __u64 next_random(struct rotation *r)
{
	__u64 x = r->seed;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	r->seed = x;
	return x;
}

static __always_inline void advance(struct rotation *r)
{
	if (r->random) {
		__u64 x = next_random(r);

		r->source = (x & 0xffffffff) * r->sources >> 32;
		r->port = (x >> 32) * r->ports >> 32;
		return;
	}
	if (++r->source < r->sources)
		return;
	r->source = 0;
	if (++r->port >= r->ports)
		r->port = 0;
}

/* Makes the frame one of the next sender: hardware address, IPv4 address, source port. */
static __always_inline int rewrite(struct xdp_md *ctx)
{
	struct headers *h = (void *)(long)ctx->data;
	struct rotation *r = &turns;
	__u32 source, sum;

	if ((void *)(h + 1) > (void *)(long)ctx->data_end)
		return -1;
	advance(r);
	source = bpf_htonl(r->source);
	__builtin_memcpy(h->eth.h_source + 2, &source, 4);
	h->ip.saddr = bpf_htonl(FIRST_ADDR + r->source);
	/* The identifier undoes what the address adds to the header's checksum, which so stays right. */
	sum = (h->ip.saddr & 0xffff) + (h->ip.saddr >> 16);
	h->ip.id = ~((sum & 0xffff) + (sum >> 16));
	h->sport = bpf_htons(r->first_port + r->port);
	return 0;
}

/* Live frames: out of the interface that the run names. */
SEC("xdp")
int generate(struct xdp_md *ctx)
{
	return rewrite(ctx) ? XDP_ABORTED : XDP_TX;
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1);
} delivered SEC(".maps");

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&delivered, &zero);

	if (n)
		++*n;
	return XDP_DROP;
}

/* The generator's own cost: the frame ends at the gateway's port. */
SEC("xdp")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 1);
} out SEC(".maps");

/* The floor: forwards all and looks at nothing. */
SEC("xdp")
int redirect(struct xdp_md *ctx)
{
	return bpf_redirect_map(&out, 0, 0);
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 1);
} judge SEC(".maps");

/* Test runs: another frame each time, then the program under test. */
SEC("xdp.frags")
int rotate(struct xdp_md *ctx)
{
	if (!rewrite(ctx))
		bpf_tail_call(ctx, &judge, 0);
	return XDP_ABORTED;
}

/* The bridge's own control word: its first member is generation and, in the high half, the tag of cached verdicts. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 8);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
} control_map SEC(".maps");

/* As rotate, and each frame finds its cached verdict outdated, as all do once after a change of policy. */
SEC("xdp.frags")
int rotate_outdated(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *word = bpf_map_lookup_elem(&control_map, &zero);

	if (word && !rewrite(ctx)) {
		*word += 1ULL << 32;
		bpf_tail_call(ctx, &judge, 0);
	}
	return XDP_ABORTED;
}

/* What rotate costs alone. */
SEC("xdp.frags")
int nothing(struct xdp_md *ctx)
{
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
