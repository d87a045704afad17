/* Which event becomes a step, and in what words. One table: the kind, the function that emitted it, how its text
 * begins, the sentence and the reason. Frames on cables are told by story.c itself. Called by story.c.
 * Tests: tests/unit/lab/test_story.c. */
#include <string.h>
#include "lab/story.h"

#define CLIENT true
#define ANY false
#define ONCE STORY_ONCE
#define EACH STORY_EACH
#define FOLLOWED STORY_FOLLOWED

static const struct story_rule rules[] = {
	/* the browser */
	{ TR_APP, CLIENT, EACH, "visit_one", "url parsed", "the URL says: protocol {scheme}, server {host}, port {port}, file {path}",
	  "a URL is a protocol, a server's name, perhaps a port, and a path" },
	{ TR_APP, CLIENT, EACH, NULL, "browser cache hit", "the browser remembers: {name} is {addr}", "its time to live has {ttl_left} left: nobody is asked" },
	{ TR_APP, CLIENT, EACH, NULL, "browser cache miss", "the browser does not know {name}", "its own cache is asked first" },
	{ TR_APP, CLIENT, EACH, NULL, "os cache hit", "the operating system remembers {name}", "its cache is asked second" },
	{ TR_APP, CLIENT, EACH, NULL, "os cache miss", "the operating system does not know {name} either", "its cache is asked second" },
	{ TR_APP, CLIENT, EACH, NULL, "hosts file hit", "/etc/hosts knows {name}", "it is asked before any server" },
	{ TR_APP, CLIENT, EACH, NULL, "hosts file miss", "/etc/hosts has no {name}", "it is asked before any server" },
	{ TR_APP, CLIENT, EACH, "ask_server", "query sent", "asks its name server {server} for the address of {name}", "/etc/resolv.conf names this server" },
	{ TR_APP, CLIENT, EACH, NULL, "no answer", "no answer from {server}", "" },
	{ TR_APP, CLIENT, EACH, NULL, "answer received", "the name server has answered: {rcode}, addresses: {addresses}", "" },
	{ TR_APP, CLIENT, EACH, NULL, "os cache stored", "the operating system keeps the answer for {ttl} s", "the record's time to live" },
	{ TR_APP, CLIENT, EACH, NULL, "resolved", "{name} is {addr}", "" },
	{ TR_APP, CLIENT, EACH, NULL, "connected", "connected to {addr} port {port}", "the handshake is done: connect() returns" },
	{ TR_APP, CLIENT, EACH, NULL, "request sent", "sends the request: {method} {target} for host {host}, {bytes} octets", "server name and file name of the URL make it" },
	{ TR_APP, CLIENT, EACH, NULL, "response status", "the server says {status} {reason}", "" },
	{ TR_APP, CLIENT, EACH, NULL, "body done", "the page is complete: {bytes} octets", "" },
	{ TR_APP, CLIENT, EACH, NULL, "redirect", "goes on to {to}", "the server says that the page is there" },
	{ TR_APP, CLIENT, EACH, "visit_one", "closed", "the browser closes the connection", "it has what it came for" },
	/* name servers and web server */
	{ TR_APP, ANY, EACH, "resolver_step", "query sent", "asks {server}, a server of the zone {zone}, for {name} {type}", "nothing nearer to the name is known" },
	{ TR_APP, ANY, EACH, "resolver_step", "timeout", "no answer from {server} in time", "" },
	{ TR_APP, ANY, EACH, NULL, "", "{0}", "" },
	/* neighbours */
	{ TR_NEIGH, ANY, ONCE, "__ipv4_neigh_lookup_noref", "*miss", "next hop {nexthop} on {dev}: MAC address not known", "the ARP table has no entry" },
	{ TR_NEIGH, ANY, EACH, NULL, "*state=REACHABLE was=INCOMPLETE", "now knows that {addr} has MAC {lladdr}", "the packets that waited for it go out" },
	{ TR_NEIGH, ANY, EACH, NULL, "*state=FAILED", "gives up on the MAC address of {addr}", "nobody answered" },
	{ TR_NEIGH, ANY, EACH, NULL, "address conflict", "{0}", "" },
	/* routes */
	{ TR_ROUTE, CLIENT, ONCE, "__ip_route_output_key", "*gateway=- ", "route to {dst}: on {dev}'s own network, from {src}", "the longest prefix that matches" },
	{ TR_ROUTE, CLIENT, ONCE, "__ip_route_output_key", "dst=", "route to {dst}: by the gateway {gateway} on {dev}, from {src}", "the longest prefix that matches" },
	{ TR_ROUTE, ANY, EACH, "ip_route_output_flow", "*error=", "no route to {dst}", "no entry of the tables matches" },
	/* the SYN's way through its nodes (packets_way's: only for the packet that is followed) */
	{ TR_ROUTE, ANY, FOLLOWED, "ip_route_input_noref", "*gateway=- forward", "the routing table: {dst} is on {dev}'s own network", "TTL falls by one; the addresses of IP stay, those of Ethernet change" },
	{ TR_ROUTE, ANY, FOLLOWED, "ip_route_input_noref", "*forward", "the routing table: {dst} by the gateway {gateway} on {dev}", "TTL falls by one; the addresses of IP stay, those of Ethernet change" },
	{ TR_ROUTE, ANY, FOLLOWED, "ip_route_input_noref", "*local", "{dst} is this host's own address: up to its transport", "the table local is searched first" },
	{ TR_NOTE, ANY, FOLLOWED, "nf_nat_packet", "nat source", "translates: the source {was} becomes {is}", "so that answers come to this router; checksums follow" },
	{ TR_NOTE, ANY, FOLLOWED, "nf_nat_packet", "nat destination", "translates: the destination {was} becomes {is}", "the connection's entry says who is meant" },
	{ TR_HOOK, ANY, FOLLOWED, NULL, "*hook=", "netfilter's hook {hook}: {verdict}", "" },
	{ TR_QUEUE, ANY, FOLLOWED, NULL, "qdisc=", "waits in the queue discipline {qdisc}", "of the device, not yet of the NIC" },
	{ TR_QUEUE, ANY, FOLLOWED, NULL, "ring=tx", "descriptor {slot} of the NIC's transmit ring: {len} octets at {addr}", "the driver maps the memory for DMA and rings the doorbell" },
	{ TR_DMA, ANY, FOLLOWED, NULL, "*writes data", "{dev}'s NIC has checked the FCS and writes {len} octets to memory by DMA", "then it raises its interrupt" },
	{ TR_SWITCH, ANY, FOLLOWED, NULL, "forward", "the switch forwards: in at {from}, out at {to}", "it has learnt the destination's MAC address" },
	{ TR_SWITCH, ANY, FOLLOWED, NULL, "flood", "the switch floods: in at {from}, out at {ports} ports", "the destination is not in its table" },
	/* TCP's states */
	{ TR_STATE, ANY, EACH, NULL, "*new=SYN_SENT", "TCP {tcp}: {old} to SYN_SENT", "active open; its own port is chosen next" },
	{ TR_STATE, ANY, EACH, NULL, "*new=ESTABLISHED", "TCP {tcp}: {old} to ESTABLISHED", "the handshake is complete at this end" },
	{ TR_STATE, ANY, EACH, NULL, "*new=FIN_WAIT1", "TCP {tcp}: {old} to FIN_WAIT1", "this end closes first" },
	{ TR_STATE, ANY, EACH, NULL, "*new=CLOSE_WAIT", "TCP {tcp}: {old} to CLOSE_WAIT", "the other end has sent its FIN" },
	{ TR_STATE, ANY, EACH, NULL, "*old=TIME_WAIT", "TCP {tcp}: TIME_WAIT is over, the connection is forgotten", "twice the longest life of a segment has passed" },
	{ TR_STATE, ANY, EACH, NULL, "*new=TIME_WAIT", "TCP {tcp}: TIME_WAIT", "late segments of this connection must not meet a new one" },
	{ TR_STATE, ANY, EACH, NULL, "*old=FIN_WAIT2 new=CLOSE", "TCP {tcp}: {old} to CLOSE", "the socket ends; a small remnant of it sits out TIME_WAIT" },
	{ TR_STATE, ANY, EACH, NULL, "tcp=", "TCP {tcp}: {old} to {new}", "" },
	{ TR_STATE, ANY, EACH, NULL, "*link=down", "{dev}{port} has lost its link", "" },
};

/* "*x": holds x; "x": begins with it. */
static bool text_matches(const char *text, const char *match)
{
	return match[0] == '*' ? strstr(text, match + 1) != NULL : !strncmp(text, match, strlen(match));
}

const struct story_rule *story_rule_find(const struct story *s, const struct trace_event *ev)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct story_rule *r = &rules[i];

		if (r->kind != ev->kind || (r->client_only && strcmp(ev->node, s->client) != 0) ||
		    (r->func && strcmp(r->func, ev->func) != 0) || !text_matches(ev->text, r->match))
			continue;
		return r;
	}
	return NULL;
}

/* The value of key in "a=1 b=2": up to the next blank. NULL: it is not there. */
static const char *value_of(const char *text, const char *key, size_t key_len, size_t *len)
{
	for (const char *p = text; *p; p++) {
		if ((p == text || p[-1] == ' ') && !strncmp(p, key, key_len) && p[key_len] == '=') {
			*len = strcspn(p + key_len + 1, " ");
			return p + key_len + 1;
		}
	}
	return NULL;
}

void story_fill(struct strbuf *out, const char *pattern, const char *text)
{
	while (*pattern) {
		size_t n = strcspn(pattern, "{"), len;
		const char *end, *v;

		sb_add(out, pattern, n);
		pattern += n;
		if (!*pattern)
			break;
		end = strchr(pattern, '}');
		if (!end)
			break;
		if (end == pattern + 2 && pattern[1] == '0') {
			sb_puts(out, text);
		} else {
			v = value_of(text, pattern + 1, (size_t)(end - pattern - 1), &len);
			if (v)
				sb_add(out, v, len);
		}
		pattern = end + 1;
	}
}
