/* Counters by their SNMP names (RFC 4293, 4022, 4113; Linux's IpExt/TcpExt): what /proc/net/snmp,
 * /proc/net/netstat and nstat print. Add lines where needed; the names are what is printed. */
#ifndef CORE_MIB_H
#define CORE_MIB_H

#include "base/types.h"

#define IP_MIB(X) \
	X(InReceives) X(InHdrErrors) X(InAddrErrors) X(ForwDatagrams) X(InUnknownProtos) X(InDiscards) \
	X(InDelivers) X(OutRequests) X(OutDiscards) X(OutNoRoutes) X(ReasmTimeout) X(ReasmReqds) \
	X(ReasmOKs) X(ReasmFails) X(FragOKs) X(FragFails) X(FragCreates) X(OutTransmits)
#define IPEXT_MIB(X) \
	X(InNoRoutes) X(InTruncatedPkts) X(InMcastPkts) X(OutMcastPkts) X(InBcastPkts) X(OutBcastPkts) \
	X(InOctets) X(OutOctets) X(InMcastOctets) X(OutMcastOctets) X(InBcastOctets) X(OutBcastOctets) \
	X(InCsumErrors) X(InNoECTPkts) X(InECT1Pkts) X(InECT0Pkts) X(InCEPkts) X(ReasmOverlaps)
#define ICMP_MIB(X) \
	X(InMsgs) X(InErrors) X(InCsumErrors) X(InDestUnreachs) X(InTimeExcds) X(InParmProbs) \
	X(InSrcQuenchs) X(InRedirects) X(InEchos) X(InEchoReps) X(InTimestamps) X(InTimestampReps) \
	X(InAddrMasks) X(InAddrMaskReps) X(OutMsgs) X(OutErrors) X(OutRateLimitGlobal) \
	X(OutRateLimitHost) X(OutDestUnreachs) X(OutTimeExcds) X(OutParmProbs) X(OutSrcQuenchs) \
	X(OutRedirects) X(OutEchos) X(OutEchoReps) X(OutTimestamps) X(OutTimestampReps) \
	X(OutAddrMasks) X(OutAddrMaskReps)
#define UDP_MIB(X) \
	X(InDatagrams) X(NoPorts) X(InErrors) X(OutDatagrams) X(RcvbufErrors) X(SndbufErrors) \
	X(InCsumErrors) X(IgnoredMulti) X(MemErrors)
#define TCP_MIB(X) \
	X(ActiveOpens) X(PassiveOpens) X(AttemptFails) X(EstabResets) X(CurrEstab) X(InSegs) X(OutSegs) \
	X(RetransSegs) X(InErrs) X(OutRsts) X(InCsumErrors)
/* In the order of Linux 6.18. */
#define TCPEXT_MIB(X) \
	X(SyncookiesSent) X(SyncookiesRecv) X(SyncookiesFailed) X(EmbryonicRsts) X(PruneCalled) X(RcvPruned) \
	X(OfoPruned) X(OutOfWindowIcmps) X(LockDroppedIcmps) X(ArpFilter) X(TW) X(TWRecycled) X(TWKilled) \
	X(PAWSActive) X(PAWSEstab) X(BeyondWindow) X(TSEcrRejected) X(PAWSOldAck) X(PAWSTimewait) \
	X(DelayedACKs) X(DelayedACKLocked) X(DelayedACKLost) X(ListenOverflows) X(ListenDrops) X(TCPHPHits) \
	X(TCPPureAcks) X(TCPHPAcks) X(TCPRenoRecovery) X(TCPSackRecovery) X(TCPSACKReneging) \
	X(TCPSACKReorder) X(TCPRenoReorder) X(TCPTSReorder) X(TCPFullUndo) X(TCPPartialUndo) X(TCPDSACKUndo) \
	X(TCPLossUndo) X(TCPLostRetransmit) X(TCPRenoFailures) X(TCPSackFailures) X(TCPLossFailures) \
	X(TCPFastRetrans) X(TCPSlowStartRetrans) X(TCPTimeouts) X(TCPLossProbes) X(TCPLossProbeRecovery) \
	X(TCPRenoRecoveryFail) X(TCPSackRecoveryFail) X(TCPRcvCollapsed) X(TCPBacklogCoalesce) \
	X(TCPDSACKOldSent) X(TCPDSACKOfoSent) X(TCPDSACKRecv) X(TCPDSACKOfoRecv) X(TCPAbortOnData) \
	X(TCPAbortOnClose) X(TCPAbortOnMemory) X(TCPAbortOnTimeout) X(TCPAbortOnLinger) X(TCPAbortFailed) \
	X(TCPMemoryPressures) X(TCPMemoryPressuresChrono) X(TCPSACKDiscard) X(TCPDSACKIgnoredOld) \
	X(TCPDSACKIgnoredNoUndo) X(TCPSpuriousRTOs) X(TCPMD5NotFound) X(TCPMD5Unexpected) X(TCPMD5Failure) \
	X(TCPSackShifted) X(TCPSackMerged) X(TCPSackShiftFallback) X(TCPBacklogDrop) X(PFMemallocDrop) \
	X(TCPMinTTLDrop) X(TCPDeferAcceptDrop) X(IPReversePathFilter) X(TCPTimeWaitOverflow) \
	X(TCPReqQFullDoCookies) X(TCPReqQFullDrop) X(TCPRetransFail) X(TCPRcvCoalesce) X(TCPOFOQueue) \
	X(TCPOFODrop) X(TCPOFOMerge) X(TCPChallengeACK) X(TCPSYNChallenge) X(TCPFastOpenActive) \
	X(TCPFastOpenActiveFail) X(TCPFastOpenPassive) X(TCPFastOpenPassiveFail) \
	X(TCPFastOpenListenOverflow) X(TCPFastOpenCookieReqd) X(TCPFastOpenBlackhole) \
	X(TCPSpuriousRtxHostQueues) X(BusyPollRxPackets) X(TCPAutoCorking) X(TCPFromZeroWindowAdv) \
	X(TCPToZeroWindowAdv) X(TCPWantZeroWindowAdv) X(TCPSynRetrans) X(TCPOrigDataSent) \
	X(TCPHystartTrainDetect) X(TCPHystartTrainCwnd) X(TCPHystartDelayDetect) X(TCPHystartDelayCwnd) \
	X(TCPACKSkippedSynRecv) X(TCPACKSkippedPAWS) X(TCPACKSkippedSeq) X(TCPACKSkippedFinWait2) \
	X(TCPACKSkippedTimeWait) X(TCPACKSkippedChallenge) X(TCPWinProbe) X(TCPKeepAlive) X(TCPMTUPFail) \
	X(TCPMTUPSuccess) X(TCPDelivered) X(TCPDeliveredCE) X(TCPAckCompressed) X(TCPZeroWindowDrop) \
	X(TCPRcvQDrop) X(TCPWqueueTooBig) X(TCPFastOpenPassiveAltKey) X(TcpTimeoutRehash) \
	X(TcpDuplicateDataRehash) X(TCPDSACKRecvSegs) X(TCPDSACKIgnoredDubious) X(TCPMigrateReqSuccess) \
	X(TCPMigrateReqFailure) X(TCPPLBRehash) X(TCPAORequired) X(TCPAOBad) X(TCPAOKeyNotFound) \
	X(TCPAOGood) X(TCPAODroppedIcmps)

struct ipstats_mib {
#define X(n) uint64_t n;
	struct { IP_MIB(X) } ip;
	struct { IPEXT_MIB(X) } ipext;
	struct { ICMP_MIB(X) uint64_t in_type[256], out_type[256]; } icmp;
	struct { UDP_MIB(X) } udp;
	struct { TCP_MIB(X) } tcp;
	struct { TCPEXT_MIB(X) } tcpext;
#undef X
	uint64_t in_martian_src, in_martian_dst, rt_in_lookups, rt_out_lookups, fib_lookups, rt_dst_hits;
	uint64_t arp_requests_sent, arp_replies_sent;
};

/* Lives and copies of packets. */
struct skb_mib {
	uint64_t allocated, consumed, dropped, clones, copies, copy_bytes;
	uint64_t user_to_skb_bytes, skb_to_user_bytes;
	uint64_t sums, sum_bytes; /* checksums over payload that the CPU took, also while copying */
	int64_t live;
	int64_t bytes; /* buffers and structs of the live ones; a clone counts in full, as in truesize */
	uint64_t dropped_by[256]; /* by enum drop_reason */
};

#define IP_INC(net, f) ((net)->mib.ip.f++)
#define IPEXT_INC(net, f) ((net)->mib.ipext.f++)
#define ICMP_INC(net, f) ((net)->mib.icmp.f++)
#define UDP_INC(net, f) ((net)->mib.udp.f++)
#define TCP_INC(net, f) ((net)->mib.tcp.f++)
#define TCPEXT_INC(net, f) ((net)->mib.tcpext.f++)

#endif
