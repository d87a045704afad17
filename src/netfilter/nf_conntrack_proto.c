/* What a packet does to its connection: UDP and everything without a tracker of its own; TCP and ICMP elsewhere.
 *
 * Decides: when UDP is a stream (answered, and two seconds old: not one question and its answer), and how long each lives.
 * RFC 4787 REQ-5 and REQ-6: both directions refresh. Called by nf_conntrack_in.
 * Tests: tests/unit/netfilter/test_conntrack.c. */
#include "netfilter/nf_conntrack.h"

#define UDP_STREAM_AFTER_NS (2 * NSEC_PER_SEC)

static enum nf_ct_verdict nf_conntrack_udp_packet(struct nf_conn *ct, struct sk_buff *skb, enum ip_conntrack_info info)
{
	struct nf_ct_net *cn = ct->cn;
	TRACE_FN(&cn->net->probe, skb->serial);
	bool replied = (ct->status & IPS_SEEN_REPLY) || CTINFO2DIR(info) == IP_CT_DIR_REPLY;

	if (!(ct->status & IPS_CONFIRMED))
		ct->proto.stream_ns = cn->net->now_ns + UDP_STREAM_AFTER_NS;
	if (!replied || cn->net->now_ns < ct->proto.stream_ns) {
		nf_ct_refresh(ct, cn->sysctl.udp_timeout[UDP_CT_UNREPLIED]);
		return NF_CT_OK;
	}
	nf_ct_refresh(ct, cn->sysctl.udp_timeout[UDP_CT_REPLIED]);
	nf_ct_assure(ct);
	return NF_CT_OK;
}

enum nf_ct_verdict nf_conntrack_handle_packet(struct nf_conn *ct, struct sk_buff *skb, uint32_t l4, enum ip_conntrack_info info)
{
	switch (ct->hash[0].tuple.proto) {
	case NF_PROTO_TCP:
		return nf_conntrack_tcp_packet(ct, skb, l4, info);
	case NF_PROTO_UDP:
		return nf_conntrack_udp_packet(ct, skb, info);
	case NF_PROTO_ICMP:
		return nf_conntrack_icmp_packet(ct, skb, l4, info);
	default:
		nf_ct_refresh(ct, ct->cn->sysctl.generic_timeout);
		if ((ct->status & IPS_SEEN_REPLY) || CTINFO2DIR(info) == IP_CT_DIR_REPLY)
			nf_ct_assure(ct);
		return NF_CT_OK;
	}
}
