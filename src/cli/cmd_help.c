/* culver help [COMMAND], and the table of commands. Called by main.c. */
#include <string.h>
#include "bench/bench.h"
#include "cli/cli.h"

static const struct cli_cmd commands[] = {
	{ "visit", cmd_visit, "visit URL [--lab FILE] [--from NODE] [--out DIR] [--seed N] [--repeat N] [--pause S] [--json]",
	  "From the typed URL to the page, in virtual time: parses the URL, resolves the name, connects, fetches, closes.\n"
	  "Prints the numbered story, where the time went, and the page's first lines.\n\n"
	  "  --lab FILE    the lab to do it in: a lab file, or the name of a built-in lab (default: internet)\n"
	  "  --from NODE   the node that visits (default: client, else the first host)\n"
	  "  --out DIR     write captures, events, the story and the page there\n"
	  "  --seed N      seed of all chance (default: the lab file's)\n"
	  "  --repeat N    visit N times with one browser: its caches show\n"
	  "  --pause S     let S seconds of virtual time pass between visits: caches age\n"
	  "  --json        the story as one JSON object\n\n"
	  "Exit: 0 page shown; 1 the network said no; 2 usage, or a URL that cannot be visited; 3 this machine said no.\n" },
	{ "lab", cmd_lab, "lab FILE [-c 'NODE COMMAND ARG...']... [--out DIR] [--seed N]",
	  "Runs commands on the nodes of a lab, in virtual time. Without -c: a prompt with history and completion.\n\n"
	  "  -c 'NODE COMMAND ARG...'   run it and print what it prints; may be given often; runs in order.\n"
	  "                             A command that ends in & is left running.\n"
	  "  --out DIR                  write captures and events there\n"
	  "  --seed N                   seed of all chance (default: the lab file's)\n\n"
	  "The node named lab is the lab itself: lab wait 60s, lab time, lab nodes, lab cut NODE:IFACE,\n"
	  "lab mend NODE:IFACE, lab log NODE, lab lives (packets born, ended and copied, host by host).\n\n"
	  "Exit: the code of the last command that failed, else 0; 2 usage or a wrong lab file; 3 this machine said no.\n" },
	{ "up", cmd_up, "up FILE [--for SECONDS] [--out DIR]",
	  "Runs a lab in real time; its links of type host attach to TAP devices of this machine's kernel.\n"
	  "Stops on SIGINT, SIGTERM, or after --for seconds.\n\n"
	  "  --for SECONDS   how long\n"
	  "  --out DIR       write captures and events there\n" },
	{ "run", cmd_run, "run [--lab FILE] [--node NODE] [--out DIR] [--veth] -- PROGRAM ARG...",
	  "Runs a program of this machine, unmodified, as a node of the lab, in real time.\n\n"
	  "  --lab FILE    the lab (default: internet)\n"
	  "  --node NODE   the node that it stands for (default: client, else the first host)\n"
	  "  --out DIR     write captures and events there\n"
	  "  --veth        a veth pair and a packet socket even where TAP devices are open to you\n\n"
	  "Exit: the program's code.\n" },
	{ "trace", cmd_trace, "trace DIR [--packet N] [--stack] [--at FUNCTION] [--names now|3.x|4.x] [--drops] [--wire N]",
	  "Reads a folder that --out wrote. Without options: what is in it.\n\n"
	  "  --packet N        packet N's chain as nested calls, over all nodes\n"
	  "  --stack           with --packet: the open functions where it was last entered (over lo: where its way out ends,\n"
	  "                    loopback_xmit), innermost first;\n"
	  "                    functions that a kernel inlines are marked *\n"
	  "  --at FUNCTION     with --stack: where it first entered FUNCTION\n"
	  "  --names VERSION   the names of Linux 3.x or 4.x, and without the functions that they inline\n"
	  "  --drops           packets that died, where, and of what\n"
	  "  --wire N          every octet of frame N of wire.pcapng on the cable, preamble to FCS\n" },
	{ "lives", cmd_lives, "lives [--size OCTETS] [--json]",
	  "What a datagram, one that IP must cut, and a TCP transfer cost over lo and over a cable: the stations passed,\n"
	  "octets copied and summed, clones, DMA mappings, interrupts, and how every packet ended. Sender and receiver\n"
	  "together, counted by the functions that did the work; each host's packets allocated must be those consumed,\n"
	  "dropped and queued.\n\n"
	  "  --size OCTETS   of the TCP transfer (default: 100000)\n"
	  "  --json          an array of six objects\n" },
	{ "drill", cmd_drill, "drill [--OPTION[=VALUE]...] [-D NAME=VALUE]... SCRIPT.pkt|FOLDER...",
	  "Runs packetdrill scripts against a host of ours, in virtual time and without root. A folder stands for all *.pkt in it.\n"
	  "docs/drill.md describes the language.\n\n"
	  "  --verbose             tell of each event, and of what has no meaning here\n"
	  "  --dry_run             only read the scripts\n"
	  "  --json                one JSON object per script and line\n"
	  "  --seed=N              seed of all chance (default: 1)\n"
	  "  -D NAME=VALUE         a macro (--define=NAME=VALUE)\n"
	  "  --ip_version=ipv4|ipv4-mapped-ipv6 --mtu=N --local_ip=A --remote_ip=A --gateway_ip=A --netmask_ip=A\n"
	  "  --bind_port=N --connect_port=N --tolerance_usecs=N --tolerance_percent=P --tcp_ts_tick_usecs=N\n"
	  "  --non_fatal=packet,syscall --init_scripts=FILE --nothing_more\n"
	  "                        as in a script's own option lines; these here win\n\n"
	  "Exit: 0 all passed (or were skipped); 1 one failed; 2 a script or an option is wrong; 3 this machine cannot read one.\n" },
	{ "bench", bench_main, "bench [NAME...] [--json]",
	  "The benchmarks, each with its peers side by side.\n\n"
	  "  NAME     only these: tcp-bulk, tcp-rr, tcp-crr, udp-64, tcp-tw, hosts; or tcp-grid, alone: transfers to and from\n"
	  "           this machine's kernel over lossy cables, beside its own. Needs namespaces and /dev/net/tun\n"
	  "  --json   one JSON object\n\n"
	  "tcp-grid takes:\n"
	  "  --full           180 cells instead of a dozen (an hour or so)\n"
	  "  --fair           instead: two flows over one bottleneck for a minute, culver's and Linux's, and what each gets\n"
	  "  --cell L,O,T,R   one: loss and reordering in millionths, round trip in ms, Mbit/s\n"
	  "  --runs N         of each cell so many (default: as its ratios need to be known, 3 to 96)\n"
	  "  --seconds N, --seed N, --cc NAME\n"
	  "  --md5 KEY        with TCP MD5 signatures (RFC 2385) on every segment\n" },
	{ "help", cmd_help, "help [COMMAND]", "This, or the help of a command.\n" },
};

const struct cli_cmd *cli_cmd_at(size_t i)
{
	return i < ARRAY_SIZE(commands) ? &commands[i] : NULL;
}

const struct cli_cmd *cli_cmd_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int help_all(void)
{
	struct strbuf sb;
	int code;

	sb_init(&sb);
	sb_puts(&sb, "culver, a TCP/IP network in user space\n\nusage:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		sb_printf(&sb, "  culver %s\n", commands[i].usage);
	sb_puts(&sb, "  culver --version\n\nA first look: culver visit http://www.server.com/\n");
	code = cli_print(sb_str(&sb), sb.len);
	sb_free(&sb);
	return code;
}

int cmd_help(int argc, char **argv)
{
	const struct cli_cmd *c;
	struct strbuf sb;
	int code;

	if (argc > 2)
		return cli_usage("help", "one command at a time");
	if (argc < 2)
		return help_all();
	c = cli_cmd_find(argv[1]);
	if (!c)
		return cli_fail(CLI_USAGE, "help: no command '%.60s' (see: culver help)", argv[1]);
	sb_init(&sb);
	sb_printf(&sb, "usage: culver %s\n\n%s", c->usage, c->help);
	code = cli_print(sb_str(&sb), sb.len);
	sb_free(&sb);
	return code;
}
