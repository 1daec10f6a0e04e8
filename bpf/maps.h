/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The maps. Per policy set (slot = generation % SLOTS): macs, addrs, prefixes,
 * devices, ports, rules; a set is filled while nothing reads it and never
 * changed afterwards, bindings apart. All others live as long as the bridge.
 */
#ifndef CITYGATE_MAPS_H
#define CITYGATE_MAPS_H

#define INNER(NAME, TYPE, KEY, VALUE, N, FLAGS)        \
	struct NAME##_inner {                          \
		__uint(type, TYPE);                    \
		__uint(key_size, sizeof(KEY));         \
		__uint(value_size, sizeof(VALUE));     \
		__uint(max_entries, N);                \
		__uint(map_flags, FLAGS);              \
	};                                             \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); \
		__type(key, __u32);                    \
		__uint(max_entries, SLOTS);            \
		__array(values, struct NAME##_inner);  \
	} NAME SEC(".maps")

INNER(macs, BPF_MAP_TYPE_HASH, struct mac_key, __u32, 1, 0);
INNER(addrs, BPF_MAP_TYPE_HASH, struct addr_key, __u32, 1, 0);
INNER(prefixes, BPF_MAP_TYPE_LPM_TRIE, struct prefix_key, __u32, 1, BPF_F_NO_PREALLOC);
INNER(devices, BPF_MAP_TYPE_ARRAY, __u32, struct device, DEVICES, BPF_F_MMAPABLE);
INNER(ports, BPF_MAP_TYPE_ARRAY, __u32, __u64, PORTS, BPF_F_MMAPABLE);
INNER(rules, BPF_MAP_TYPE_HASH, struct rule_key, struct rule, 1, 0);

#define MAP(NAME, TYPE, KEY, VALUE, N, FLAGS)   \
	struct {                                \
		__uint(type, TYPE);             \
		__type(key, KEY);               \
		__type(value, VALUE);           \
		__uint(max_entries, N);         \
		__uint(map_flags, FLAGS);       \
	} NAME SEC(".maps")

MAP(control_map, BPF_MAP_TYPE_ARRAY, __u32, struct control, 1, BPF_F_MMAPABLE);
MAP(inspector_map, BPF_MAP_TYPE_ARRAY, __u32, struct inspector, 1, BPF_F_MMAPABLE);
MAP(flows, BPF_MAP_TYPE_LRU_HASH, struct flow_key, struct flow, 131072, 0);
MAP(states, BPF_MAP_TYPE_LRU_HASH, struct flow_key, struct state, 65536, 0);
MAP(fragments, BPF_MAP_TYPE_LRU_HASH, struct fragment_key, struct fragment, 4096, 0);
MAP(blocks, BPF_MAP_TYPE_HASH, struct block_key, struct block, 8192, 0);
MAP(pinholes, BPF_MAP_TYPE_HASH, struct pinhole_key, struct pinhole, 4096, 0);
MAP(seen, BPF_MAP_TYPE_LRU_HASH, struct mac_key, struct seen, 16384, 0);
MAP(meters, BPF_MAP_TYPE_ARRAY, __u32, struct meter, DEVICES, 0);
MAP(sample_meters, BPF_MAP_TYPE_ARRAY, __u32, struct sample_meter, REASON_MAX * 5, 0);
MAP(reason_counts, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct reason_count, REASON_MAX, 0);
MAP(device_counts, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct device_count, DEVICES, 0);
MAP(devmap_counts, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct devmap_count, 2, 0);

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 2);
} out_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 2 * XSK_QUEUES);
} xsks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} samples SEC(".maps");

#endif
