/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program and user space both know: the layout of map keys and
 * values. pkg/datapath reads and writes them through types that bpf2go makes
 * from this file. No implicit padding: each pad is a member and zero.
 */
#ifndef CITYGATE_SHARED_H
#define CITYGATE_SHARED_H

enum side { SIDE_CAMERA, SIDE_SERVER, SIDE_ANY };
enum mode { MODE_ENFORCE, MODE_MONITOR };
enum sample_kind { SAMPLE_DROP = 1, SAMPLE_WOULD_DROP, SAMPLE_DEVICE, SAMPLE_DHCP };

enum device_flag { DEVICE_ROUTER = 1, DEVICE_DHCP = 2, DEVICE_GROUP = 4 };

enum flow_flag {
	FLOW_REPLY = 1,    /* from the answering end */
	FLOW_STATEFUL = 2, /* UDP or echo: keeps the answer's state alive */
	FLOW_METERED = 4,  /* the sender has a rate limit */
	FLOW_PUNT = 8,     /* handed to the inspector */
};

#define SLOTS 4		  /* policy sets: the one in use, its predecessors, the next */
#define DEVICES 4352	  /* ids of devices and groups; 0 is the unknown device */
#define PORTS_TCP 0	  /* index of a service's port: TCP, then UDP, ICMP, ICMPv6, protocols */
#define PORTS_UDP 65536
#define PORTS_ICMP 131072
#define PORTS_ICMP6 131328
#define PORTS_PROTO 131584
#define PORTS 131840
#define VLAN_ANY 0xffffffff
#define VLAN_QINQ (1 << 24)
#define SERVICE_PAIR 0xffff /* rule key: value is the mask of the pair's services */
#define SERVICE_PEER 0xfffe /* rule key: the two may resolve each other's address */
#define SAMPLE_BYTES 128
#define SAMPLE_DHCP_BYTES 640
#define XSK_QUEUES 64

/* What a port was before the bridge took it, for the restore. */
struct port_before {
	__u32 ifindex;
	__u32 flags;	 /* IFF_* that were set */
	__u32 offloads;	 /* bit per offload that was on, as pkg/link numbers them */
	__u32 no_ipv6;	 /* disable_ipv6 */
};

/* The one word of state that all frames read, and the settings. */
struct control {
	__u64 policy; /* generation in the low half, cache tag in the high half: one load */
	__u32 ifindex[2];
	__u32 mode;
	__u32 fail_closed;
	__u32 overload_drop;
	__u32 stp;
	__u32 lldp;
	__u32 blocks; /* how many: no look-up when none */
	__u32 pinholes;
	__u32 credit; /* frames that the inspector may hold */
	__u32 netns;  /* inode of the ports' network namespace: interface numbers are unique in one only */
	__u32 pad;
	struct port_before before[2];
};

/* Written by the forwarder (heartbeat, released), and by the program (punted). */
struct inspector {
	__u64 heartbeat_ns;
	__u64 released;
	__u64 punted;
};

struct mac_key {
	__u8 mac[6];
	__u8 pad[2];
	__u32 vlan;
};

struct addr_key {
	__u32 vlan;
	__u8 addr[16]; /* IPv4 as ::ffff:a.b.c.d */
};

struct prefix_key {
	__u32 bits; /* of vlan and addr */
	__u32 vlan; /* big endian: a trie compares from the first bit */
	__u8 addr[16];
};

struct device {
	__u16 via;
	__u8 side;
	__u8 flags;
	__u32 pps;
	__u32 kbps; /* 1,000 bytes a second */
};

struct rule_key {
	__u16 from;
	__u16 to;
	__u16 service;
	__u16 pad;
};

struct rule {
	__u64 mask; /* SERVICE_PAIR: services */
	__u16 rule;
	__u8 punt;
	__u8 pad[5];
};

struct flow_key {
	__u8 src[16];
	__u8 dst[16];
	__u16 sport; /* network order; echo: identifier */
	__u16 dport; /* echo: type */
	__u32 vlan;
	__u8 proto;
	__u8 side; /* where the frame comes in */
	__u8 pad[2];
};

struct flow {
	__u32 tag;
	__u32 generation;
	__u8 smac[6];
	__u8 dmac[6];
	__u16 from;
	__u16 to;
	__u16 rule;
	__u8 service;
	__u8 flags;
	__u8 tcp_flags;
	__u8 pad[3];
	__u64 until_ns; /* 0: as long as it stays cached */
	__u64 state_ns; /* when the answer's state was refreshed */
	__u64 first_ns;
	__u64 last_ns;
	__u64 frames;
	__u64 bytes;
};

struct state {
	__u64 until_ns;
};

struct block_key {
	__u8 src[16];
	__u8 dst[16]; /* zero: anybody */
};

struct block {
	__u64 until_ns; /* CLOCK_MONOTONIC, 0: for ever */
	__u64 hits;
	__u64 wall_until_s; /* as asked for, for the list */
	__u8 reason[32];
};

struct pinhole_key {
	__u8 src[16];
	__u8 dst[16];
	__u16 sport; /* network order, 0: any */
	__u16 dport;
	__u32 vlan;
	__u8 proto;
	__u8 pad[3];
};

/* Two generations, so that a swap can admit a pinhole to the next policy before the flip. */
struct pinhole {
	__u64 until_ns;
	__u32 generation;
	__u32 next_generation;
	__u32 port; /* of the session that negotiated it: while from may open that to to, the pinhole stands */
	__u16 from;
	__u16 to;
};

struct fragment_key {
	__u8 src[16];
	__u8 dst[16];
	__u32 id;
	__u32 vlan;
	__u8 proto;
	__u8 side;
	__u8 pad[2];
};

struct fragment {
	__u64 first_ns;
	__u32 end; /* first byte after what was seen */
	__u32 tag;
	__u32 port; /* index of the service's port */
	__u16 from;
	__u16 to;
	__u8 smac[6];
	__u8 dmac[6];
	__u8 reply;
	__u8 pad[3];
};

struct bucket {
	__u64 last_ns;
	__u64 tokens; /* in millionths */
};

/* What one device may do per second. Races lose at most a few tokens. */
struct meter {
	struct bucket frames;
	struct bucket bytes;
	struct bucket control; /* ARP, ND, ICMP errors, discovery, group reports */
	struct bucket states;
};

struct sample_meter {
	struct bucket bucket;
	__u64 suppressed;
};

struct reason_count {
	__u64 frames;
	__u64 bytes;
	__u64 would_drop;
};

struct device_count {
	__u64 pass_frames;
	__u64 pass_bytes;
	__u64 drop_frames;
	__u64 would_drop;
	__u64 quota;
	__u64 last_ns;
	__u32 drops[64]; /* by reason */
};

struct seen {
	__u64 first_ns;
};

struct sample {
	__u64 boot_ns;
	__u32 vlan;
	__u32 generation;
	__u32 suppressed;
	__u32 length; /* of the frame */
	__u16 device;
	__u8 kind;
	__u8 reason;
	__u8 side;
	__u8 pad;
	__u16 captured; /* bytes of data that hold the frame */
};

/* Frames that a devmap's port refused, from the xdp_devmap_xmit tracepoint. */
struct devmap_count {
	__u64 sent;
	__u64 lost;
};

#endif
