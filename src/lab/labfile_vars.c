/* What is culver's own in a node of a lab file: config.vars, where containerlab's schema leaves keys free
 * (processes, files, nic, cpus, bridge, nat; sim in the defaults). Called by labfile.c.
 * Tests: tests/unit/lab/test_labfile.c. */
#include <stdio.h>
#include <string.h>
#include "base/pool.h"
#include "lab/labfile.h"
#include "lab/units.h"

#define LF_EPOCH_2000 946684800ULL

static bool lf_size_u32(struct labfile *lf, const struct ynode *v, const char *what, uint32_t *out)
{
	const char *s = lf_text(lf, v, what), *why;
	uint64_t x;

	if (!s)
		return false;
	why = unit_size(s, &x);
	if (!why && x > UINT32_MAX)
		why = "at most 4GiB";
	if (why)
		return lf_fail(lf, v, "%s: %s, not '%.40s'", what, why, s);
	*out = (uint32_t)x;
	return true;
}

static bool proc_path(struct labfile *lf, void *obj, const struct ynode *v)
{
	struct topo_process *p = obj;
	const char *s = lf_text(lf, v, "a process's path");

	if (s)
		p->path = xstrdup(s);
	return s != NULL;
}

static bool proc_args(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_words(lf, v, "a process's args", &((struct topo_process *)obj)->args);
}

static bool proc_start(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_time(lf, v, "start_time", &((struct topo_process *)obj)->start_ns);
}

static bool vars_processes(struct labfile *lf, void *obj, const struct ynode *v)
{
	static const struct lf_key keys[] = {
		{ "path", proc_path, LF_READ },
		{ "args", proc_args, LF_READ },
		{ "start_time", proc_start, LF_READ },
	};
	struct topo_node *n = obj;

	if (!lf_list(lf, v, "processes"))
		return false;
	for (uint32_t i = 0; i < v->n; i++) {
		struct topo_process *p;

		n->process = xrealloc(n->process, (n->n_process + 1u) * sizeof(*n->process));
		p = &n->process[n->n_process++];
		memset(p, 0, sizeof(*p));
		p->at = lf_at(v->val[i]);
		if (!LF_MAP(lf, v->val[i], "a process", keys, p))
			return false;
		if (!p->path)
			return lf_fail(lf, v->val[i], "a process needs a path: the name of a program, as in http-server");
	}
	return true;
}

static bool file_from(struct labfile *lf, void *obj, const struct ynode *v)
{
	const char *s = lf_text(lf, v, "a file's 'from'");

	if (s)
		((struct topo_file *)obj)->from = xstrdup(s);
	return s != NULL;
}

static bool file_memory(struct labfile *lf, void *obj, const struct ynode *v)
{
	const char *s = lf_text(lf, v, "memory"), *why;

	if (!s)
		return false;
	why = unit_size(s, &((struct topo_file *)obj)->mem_bytes);
	return why ? lf_fail(lf, v, "memory: %s, not '%.40s'", why, s) : true;
}

/* Days of the civil calendar since 1970-01-01 (proleptic Gregorian). */
static int64_t civil_days(int64_t y, unsigned m, unsigned d)
{
	int64_t era;
	unsigned yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = (unsigned)(y - era * 400);
	doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
	return era * 146097 + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

/* "1999-12-31T23:59:59Z" or "1999-12-31". */
static bool parse_date(const char *s, uint64_t *out)
{
	static const unsigned days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned y, mo, d, h = 0, mi = 0, sec = 0;
	int end = -1;
	int64_t t;

	if (sscanf(s, "%4u-%2u-%2u%n", &y, &mo, &d, &end) != 3 || end != 10)
		return false;
	if (s[10]) {
		int more = -1;

		if (sscanf(s + 10, "T%2u:%2u:%2uZ%n", &h, &mi, &sec, &more) != 3 || more != 10 || s[20])
			return false;
	}
	if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > days[mo - 1] || h > 23 || mi > 59 || sec > 59)
		return false;
	t = civil_days(y, mo, d) * 86400 + (int64_t)(h * 3600 + mi * 60 + sec);
	*out = (uint64_t)t;
	return true;
}

static bool file_mtime(struct labfile *lf, void *obj, const struct ynode *v)
{
	const char *s = lf_text(lf, v, "mtime");

	if (!s)
		return false;
	if (!parse_date(s, &((struct topo_file *)obj)->mtime_s))
		return lf_fail(lf, v, "mtime must be a date as in 1999-12-31 or 1999-12-31T23:59:59Z, not '%.40s'", s);
	return true;
}

static bool vars_file(struct labfile *lf, struct topo_node *n, const struct ynode *key, const struct ynode *v)
{
	static const struct lf_key keys[] = {
		{ "from", file_from, LF_READ },
		{ "memory", file_memory, LF_READ },
		{ "mtime", file_mtime, LF_READ },
	};
	struct topo_file *f;

	if (key->text[0] != '/' || strstr(key->text, "//") || strstr(key->text, "/../") ||
	    (strlen(key->text) > 1 && key->text[strlen(key->text) - 1] == '/'))
		return lf_fail(lf, key, "'%.60s' must be an absolute path in the node, as in /srv/www", key->text);
	n->file = xrealloc(n->file, (n->n_file + 1u) * sizeof(*n->file));
	f = &n->file[n->n_file++];
	memset(f, 0, sizeof(*f));
	f->point = xstrdup(key->text);
	f->at = lf_at(key);
	f->mtime_s = LF_EPOCH_2000;
	if (v->kind == Y_SCALAR)
		return file_from(lf, f, v);
	if (!LF_MAP(lf, v, "a file", keys, f))
		return false;
	if (!f->from == !f->mem_bytes)
		return lf_fail(lf, key, "'%.60s' needs either 'from' (a path beside the lab file) or 'memory' (a size)",
			       key->text);
	return true;
}

static bool vars_files(struct labfile *lf, void *obj, const struct ynode *v)
{
	if (v->kind == Y_NULL)
		return true;
	if (v->kind != Y_MAP)
		return lf_fail(lf, v, "files must be a map from paths in the node to paths beside the lab file, not %s",
			       ytree_kind(v));
	for (uint32_t i = 0; i < v->n; i++)
		if (!vars_file(lf, obj, v->key[i], v->val[i]))
			return false;
	return true;
}

/* Power of two descriptors, as NIC rings are. */
static bool nic_ring(struct labfile *lf, const struct ynode *v, const char *what, uint32_t *out)
{
	if (!lf_u32(lf, v, what, 8, 4096, out))
		return false;
	return *out & (*out - 1) ? lf_fail(lf, v, "%s must be a power of two from 8 to 4096", what) : true;
}

static bool nic_rx(struct labfile *lf, void *obj, const struct ynode *v)
{
	return nic_ring(lf, v, "rx_ring", &((struct topo_nic *)obj)->rx_ring);
}

static bool nic_tx(struct labfile *lf, void *obj, const struct ynode *v)
{
	return nic_ring(lf, v, "tx_ring", &((struct topo_nic *)obj)->tx_ring);
}

static bool nic_fifo(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_size_u32(lf, v, "rx_fifo", &((struct topo_nic *)obj)->rx_fifo);
}

static bool nic_csum(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_bool(lf, v, "hw_csum", &((struct topo_nic *)obj)->hw_csum);
}

static bool nic_napi(struct labfile *lf, void *obj, const struct ynode *v)
{
	bool on;

	if (!lf_bool(lf, v, "napi", &on))
		return false;
	((struct topo_nic *)obj)->no_napi = !on;
	return true;
}

static bool vars_nic(struct labfile *lf, void *obj, const struct ynode *v)
{
	static const struct lf_key keys[] = {
		{ "rx_ring", nic_rx, LF_READ },  { "tx_ring", nic_tx, LF_READ }, { "rx_fifo", nic_fifo, LF_READ },
		{ "hw_csum", nic_csum, LF_READ }, { "napi", nic_napi, LF_READ },
	};

	return LF_MAP(lf, v, "nic", keys, &((struct topo_node *)obj)->nic);
}

static bool cpus_n(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_u32(lf, v, "cpus.n", 1, TOPO_MAX_CPUS, &((struct topo_cpus *)obj)->n);
}

static bool cpus_irq(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_u32(lf, v, "irq_ns", 0, 1000000000, &((struct topo_cpus *)obj)->irq_ns);
}

static bool cpus_packet(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_u32(lf, v, "packet_ns", 0, 1000000000, &((struct topo_cpus *)obj)->packet_ns);
}

static bool vars_cpus(struct labfile *lf, void *obj, const struct ynode *v)
{
	static const struct lf_key keys[] = {
		{ "n", cpus_n, LF_READ }, { "irq_ns", cpus_irq, LF_READ }, { "packet_ns", cpus_packet, LF_READ }
	};

	return LF_MAP(lf, v, "cpus", keys, &((struct topo_node *)obj)->cpus);
}

static bool br_ageing(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_time(lf, v, "ageing", &((struct topo_bridge *)obj)->ageing_ns);
}

static bool br_latency(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_time(lf, v, "latency", &((struct topo_bridge *)obj)->latency_ns);
}

static bool br_stp(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_bool(lf, v, "stp", &((struct topo_bridge *)obj)->stp);
}

static bool br_hub(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_bool(lf, v, "hub", &((struct topo_bridge *)obj)->hub);
}

static bool br_guard(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_bool(lf, v, "bpdu_guard", &((struct topo_bridge *)obj)->bpdu_guard);
}

static bool br_priority(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_u32(lf, v, "priority", 0, 61440, &((struct topo_bridge *)obj)->priority);
}

static bool br_table(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_u32(lf, v, "table_max", 1, 1048576, &((struct topo_bridge *)obj)->table_max);
}

static bool br_storm(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_u32(lf, v, "storm_pps", 1, 100000000, &((struct topo_bridge *)obj)->storm_pps);
}

static bool br_queue(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_size_u32(lf, v, "queue", &((struct topo_bridge *)obj)->queue_bytes);
}

static bool vars_bridge(struct labfile *lf, void *obj, const struct ynode *v)
{
	static const struct lf_key keys[] = {
		{ "ageing", br_ageing, LF_READ },     { "stp", br_stp, LF_READ },
		{ "hub", br_hub, LF_READ },           { "priority", br_priority, LF_READ },
		{ "bpdu_guard", br_guard, LF_READ },  { "table_max", br_table, LF_READ },
		{ "queue", br_queue, LF_READ },       { "storm_pps", br_storm, LF_READ },
		{ "latency", br_latency, LF_READ },
	};

	return LF_MAP(lf, v, "bridge", keys, &((struct topo_node *)obj)->bridge);
}

static bool nat_out(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_words(lf, v, "nat.out", &((struct topo_nat *)obj)->out);
}

static bool nat_forward(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_words(lf, v, "nat.forward", &((struct topo_nat *)obj)->forward);
}

static bool vars_nat(struct labfile *lf, void *obj, const struct ynode *v)
{
	static const struct lf_key keys[] = { { "out", nat_out, LF_READ }, { "forward", nat_forward, LF_READ } };

	return LF_MAP(lf, v, "nat", keys, &((struct topo_node *)obj)->nat);
}

/* ---- defaults.config.vars.sim ---- */

static bool sim_seed(struct labfile *lf, void *obj, const struct ynode *v)
{
	lf->t->has_seed = true;
	return lf_uint(lf, v, "seed", 0, UINT64_MAX, &lf->t->seed);
}

static bool sim_stop(struct labfile *lf, void *obj, const struct ynode *v)
{
	return lf_time(lf, v, "stop_time", &lf->t->stop_ns);
}

static bool vars_sim(struct labfile *lf, void *obj, const struct ynode *v)
{
	if (!lf->defaults || ytree_get(ytree_get(ytree_get(lf->defaults, "config"), "vars"), "sim") != v)
		return lf_fail(lf, v, "'sim' belongs to the whole lab: write it in topology.defaults.config.vars");
	return true; /* read once by lf_sim, not again for each node that the defaults are laid under */
}

bool lf_sim(struct labfile *lf, const struct ynode *v)
{
	static const struct lf_key keys[] = { { "seed", sim_seed, LF_READ }, { "stop_time", sim_stop, LF_READ } };

	return LF_MAP(lf, v, "sim", keys, NULL);
}

bool lf_vars(struct labfile *lf, void *obj, const struct ynode *v)
{
	static const struct lf_key keys[] = {
		{ "processes", vars_processes, LF_READ }, { "files", vars_files, LF_READ },
		{ "nic", vars_nic, LF_READ },             { "cpus", vars_cpus, LF_READ },
		{ "bridge", vars_bridge, LF_READ },       { "nat", vars_nat, LF_READ },
		{ "sim", vars_sim, LF_READ },
	};

	return LF_MAP(lf, v, "config.vars", keys, obj);
}
