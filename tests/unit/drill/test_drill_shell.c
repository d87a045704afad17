/* The shell of packet scripts: each row is a command and what becomes of the script that has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "drill/drill.h"

static char dir[] = ".";

/* What a script with this init command says; with --verbose if notes. */
static enum drill_result run(const char *command, bool notes, struct strbuf *out)
{
	struct drill_flags flags = { .seed = 1, .verbose = notes };
	struct strbuf text;
	enum drill_result r;

	sb_init(&text);
	sb_printf(&text, "0 close(99) = -1 EBADF\n+0 `%s`\n+0 close(99) = -1 EBADF\n", command);
	r = drill_run("x", dir, sb_str(&text), text.len, &flags, out);
	sb_free(&text);
	return r;
}

static void table(const char *const *rows, size_t n, enum drill_result want)
{
	for (size_t i = 0; i < n; i++) {
		struct strbuf out;

		sb_init(&out);
		if (run(rows[i], false, &out) != want)
			fail_msg("`%s`: %s", rows[i], sb_str(&out));
		sb_free(&out);
	}
}

#define ALL(rows, want) table(rows, sizeof(rows) / sizeof((rows)[0]), want)

static void what_holds_passes(void **state)
{
	static const char *const rows[] = {
		"true", "", "# nothing", "! false", "false || true", "true && ! false", "(exit 3) || true", "{ true; }",
		"x=5; [ $x -eq 5 ]", "x=5; [ \"${x}\" = 5 ]", "x='a b'; [ \"$x\" = 'a b' ]", "x='a b'; echo $x | wc -w | grep -q 2",
		"a=1 b=2; [ $a$b = 12 ]; unset a; [ -z \"$a\" ]", "[ ${none:-5} = 5 ]", "[ \"${none:+5}\" = '' ]", ": ${n:=7}; [ $n = 7 ]",
		"a=abc.def; [ ${a%.*} = abc -a ${a##*.} = def ] && [ ${#a} -eq 7 ]", "a=a/b/c; [ ${a##*/} = c ] && [ ${a%%/*} = a ] && [ ${a//\\//-} = a/b/c -o 1 = 1 ]",
		"a=xax; [ ${a/x/y} = yax ] && [ ${a//x/y} = yay ]",
		"[ $((15*1024*1024)) = 15728640 ]", "[ $((2 + 3 * (4 - 1))) -eq 11 ]", "i=5; [ $((i << 2)) = 20 ] && [ $((i > 3 && i < 6)) = 1 ]",
		"[ $[15*1024*1024] = 15728640 ]", "x=\"4096 $[2 * (3 + 1)] z\"; [ \"$x\" = '4096 8 z' ]", "echo $[ 1 + 1 ]a | grep -q '^2a$'",
		"nstat -n; nstat | grep -q Tcp && exit 1; nstat -az TcpActiveOpens | wc -l | grep -q 2",
		"[ $(( 0x10 | 1 )) = 17 ]", "i=5; ((i++)); ((i+=2)); [ $i = 8 ]", "let x=4*5; [ $x = 20 ]", "[ $(expr 3 + 4) = 7 ]",
		"for i in 1 2 3; do x=$((x+i)); done; [ $x -eq 6 ]", "for((i=0;i<3;i++)); do x=$((x+i)); done; [ $x = 3 ]",
		"for i in a b; do [ $i = a ] && continue; y=$i; break; done; [ $y = b ]", "i=0; while [ $i -lt 4 ]; do i=$((i+1)); done; [ $i = 4 ]",
		"i=0; until [ $i -ge 3 ]; do i=$((i+1)); done; test $i -eq 3", "if false; then exit 1; elif true; then :; else exit 2; fi",
		"case a.b in *.c) exit 1;; a.*) ;; esac", "case 5 in [0-3]) exit 1;; 4|5) true;; *) exit 2;; esac",
		"f() { return 3; }; f || [ $? -eq 3 ]", "function f { echo $1-$#; }; f a b | grep -q a-2", "f() { local x=1; shift; echo $1; }; [ $(f a b) = b ]",
		"set -- a \"b c\" d; [ $# = 3 ] && for x in \"$@\"; do echo \"$x\"; done | wc -l | grep -q 3",
		"sh -c 'exit 3'; [ $? = 3 ]", "echo p{1,2}q | grep -q 'p1q p2q'", "set -e; ! true; false || true; if false; then :; fi; true",
		"cat <<< hello | grep -q hello", "cat <<EOF | grep -q 'x=5'\nx=$((2+3))\nEOF", "cat <<'EOF' | grep -qF '$x'\n$x\nEOF",
		"while read a b; do [ $a = x ] && y=$b; done <<EOF\nq 1\nx 4\nEOF\n[ $y = 4 ]", "printf 'a\\nb\\n' | tail -n 1 | grep -q b",
		"printf '%s-%d\\n' a 5 b 6 | tail -1 | grep -q b-6", "echo -n a; echo 'x;y' | cut -d';' -f2 | grep -q '^y'", "echo a b c | awk '{print $2}' | grep -q '^b$'",
		"printf 'b\\na\\n' | sort | head -1 | grep -q a", "seq 1 5 | sort -rn | head -1 | grep -q 5", "echo AB | tr AB xy | grep -q xy", "echo Ab | grep -qi aB",
		"echo hi > /tmp/f; echo ho >> /tmp/f; grep -c h /tmp/f | grep -q 2; rm -f /tmp/f", "[ \"$(basename /a/b.c)\" = b.c ] && [ $(dirname /a/b) = /a ]",
		"echo 0 > /proc/sys/net/ipv4/tcp_sack; [ $(cat /proc/sys/net/ipv4/tcp_sack) = 0 ]", "sysctl -q -w net.ipv4.tcp_sack=0; [ $(sysctl -n net.ipv4.tcp_sack) = 0 ]",
		"sysctl net.ipv4.tcp_ecn | grep -q 'net.ipv4.tcp_ecn = '", "sysctl net/ipv4/tcp_sack=0 && [ $(sysctl -n net.ipv4.tcp_sack) -eq 0 ]",
		"[ -e /proc/sys/net/ipv4/tcp_sack ] && [ ! -e /proc/sys/net/ipv4/nonsense ]", "grep -q Tcp: /proc/net/snmp", "[ $(cat /proc/sys/net/ipv4/tcp_rmem | wc -w) -eq 3 ]",
		"[[ a == a* && ( 1 -lt 2 || x = y ) ]]", "[[ abc =~ ^a.c$ ]]", "uname -r | cut -d. -f1 | grep -q '[0-9]'", "ip -o addr show dev tun0 | grep -q 192.168.0.1",
		"echo 'a b c d' | cut -d' ' -f2- | grep -qx 'b c d'", "echo a,b,c,d | cut -d, -f1,3-4 | grep -qx a,c,d", "echo abcdef | cut -c2-4 | grep -qx bcd",
		"echo a:b | cut -d: -f-1 | grep -qx a", "printf 'a\\tb\\nc\\n' | cut -s -f2 | grep -c . | grep -qx 1",
		"echo 'rto:204 rtt:5' | grep -o 'rto:[0-9]*' | grep -qx rto:204", "echo abcdef | grep -w def && exit 1; echo 'abc def' | grep -qw def",
		"printf 'a\\nb\\nc\\nd\\n' | grep -A1 b | wc -l | grep -qx 2", "printf 'a\\nb\\nc\\n' | grep -B 1 -n c | head -1 | grep -qx 2-b",
		"printf 'a\\na\\na\\n' | grep -m 2 a | wc -l | grep -qx 2", "printf 'a\\nb\\n' | grep -c -e a -e b | grep -qx 2", "echo 'a(b)+' | grep -q 'a(b)+'",
		"echo aab | grep -qE '^(a+)b$' && echo aab | grep -q '^\\(a*\\)b$'", "echo 'a.b' | grep -qF a.b && ! echo axb | grep -qF a.b", "echo x12 | grep -qP '^x\\d+$'",
		"for i in {1..3}; do x=$((x+i)); done; [ $x = 6 ] && [ \"$(echo a{3..1}b)\" = 'a3b a2b a1b' ]", "x=8; (( x == 8 )) && (( x++ )); (( ++x )); [ $x -eq 10 ]",
		"let \"x = 5 + 3\" y=2; [ $x$y = 82 ]", "tr a-z A-Z <<< abc | grep -qx ABC", "echo 'a  b' | tr -s ' ' | grep -qx 'a b'", "echo a1b2 | tr -d '[:digit:]' | grep -qx ab",
		"echo a1b2 | tr -cd 0-9 | grep -qx 12", "sysctl -a | grep -q '^net.ipv4.tcp_sack = '", "taskset -c 0 true && chrt -f 1 true && nice -n 10 true",
		/* a line that cannot be read does not take the others with it */
		"sysctl -q net.ipv4.tcp_sack=0\nA=(1 2)\n[ $(sysctl -n net.ipv4.tcp_sack) = 0 ]",
		"sudo -n true && env A=1 true && timeout 5 true", "sleep 1 &\nwait", "true > /dev/null 2>&1", "echo 'a # b' | grep -q '# b' # a comment",
	};
	(void)state;

	ALL(rows, DRILL_PASS);
}

static void what_does_not_hold_fails(void **state)
{
	static const char *const rows[] = {
		"false", "exit 3", "true; [ 1 = 2 ]", "! true", "true && false", "set -e; false; true", "set -e; f() { false; true; }; f; true", "(exit 3)",
		"nstat -az | grep -q NoSuchThing", "test -e /proc/sys/net/ipv4/nonsense", "f() { return 2; }; f; exit $?", "[[ a == b* ]]", "sh -c 'exit 1'",
		"echo a > /tmp/f; grep -q b /tmp/f", "(( 1 == 2 ))", "echo ab | grep -qx a", "A=(1 2)\nfalse", "echo abc | grep -q 'a+'", "for i in 1 2; do exit 4; done", "while true; do :; done", "until false; do true; done", "grep -q '(' /proc/net/snmp",
	};
	(void)state;

	ALL(rows, DRILL_FAIL);
}

/* What cannot mean anything succeeds, whatever is made of it, and is named. */
static void what_has_no_meaning_is_left_out(void **state)
{
	static const struct { const char *command, *name; } rows[] = {
		{ "kldload -n tcp_rack", "'kldload'" }, { "modprobe tcp_bbr || exit 1", "'modprobe'" }, { "foo | grep -q x", "'foo'" },
		{ "[ \"$(python3 -c 'print(1)')\" = 1 ] || exit 5", "'python3'" }, { "v=$(foo); [ \"$v\" = 1 ]", "'foo'" }, { "while foo; do bar; done", "'foo'" },
		{ "sysctl -w net.inet.tcp.x=1", "net.inet.tcp.x" }, { "/tmp/restore_${PPID}.sh", "restore_" }, { "./nothing.py a", "nothing.py" },
		{ "if then", "cannot read" }, { "function(", "cannot read" }, { "f(", "cannot read" }, { "f() { f; }; f", "too deep" }, { "grep --recursive x /proc", "'grep'" }, { "echo a | grep -oP 'a\\K' | grep b", "'grep'" }, { "tcpdump -i tun0 -w /tmp/x &", "'tcpdump'" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct strbuf out;

		sb_init(&out);
		if (run(rows[i].command, true, &out) != DRILL_PASS || !strstr(sb_str(&out), rows[i].name))
			fail_msg("`%s`: %s", rows[i].command, sb_str(&out));
		sb_free(&out);
	}
}

/* Half of anything may stand there: an answer, no crash. */
static void cut_short_anywhere(void **state)
{
	static const char text[] = "for i in a \"b c\" ${x:-$(echo d)}; do case $i in a|b*) f() { [ $((1+(2*3))) = 7 ]; };; esac; done <<E && if [[ a && b ]]; then :; fi > /tmp/x\n1\nE\n";
	char part[sizeof(text)];
	struct strbuf deep, said;
	(void)state;

	sb_init(&deep);
	for (int i = 0; i < 50000; i++)
		sb_puts(&deep, i < 30 ? "{a,b}" : "\"$(");
	sb_init(&said);
	run(sb_str(&deep), false, &said);
	sb_free(&said);
	sb_free(&deep);
	for (size_t n = 0; n < sizeof(text); n++) {
		struct strbuf out;

		sb_init(&out);
		memcpy(part, text, n);
		part[n] = '\0';
		run(part, true, &out);
		run(text + n, true, &out);
		sb_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_holds_passes),
		cmocka_unit_test(what_does_not_hold_fails),
		cmocka_unit_test(what_has_no_meaning_is_left_out),
		cmocka_unit_test(cut_short_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
