/* SPDX-License-Identifier: Apache-2.0 */
/* Link-local control frames (IEEE 802.1D, 7.12.6): spanning tree and LLDP by the bridge's keys, the rest stays. */
#ifndef CITYGATE_LINK_H
#define CITYGATE_LINK_H

#define ETHERTYPE_LLDP 0x88cc

/* These belong to no device: their bucket is the unknown device's. */
static __always_inline int judge_link(struct xdp_md *ctx, struct frame *f, struct control *control)
{
	__u8 llc[2];

	if (f->ethertype == ETHERTYPE_LLDP) {
		if (!control->lldp)
			return REASON_LINK_LOCAL_CONTROL;
		return control_allowed(f, 0) ? REASON_LLDP : REASON_RATE;
	}
	if (f->ethertype > 1500 || f->dmac[5] != 0 || bpf_xdp_load_bytes(ctx, f->l3, llc, 2) || llc[0] != 0x42 ||
	    llc[1] != 0x42 || !control->stp)
		return REASON_LINK_LOCAL_CONTROL;
	return control_allowed(f, 0) ? REASON_STP : REASON_RATE;
}

#endif
