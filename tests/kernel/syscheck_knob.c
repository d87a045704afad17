/* What a knob's file below /proc/sys takes: each of a set of texts is written, and the line says what write(2) said and
 * what reading gives afterwards. A refused text shows what the one before it left.
 * Called by syscheck.c; NAME is net/ipv4/tcp_sack. */
#include <fcntl.h>
#include <string.h>
#include "syscheck.h"

#define KNOB_TEXT 200

static const char *const texts[] = {
	/* numbers, and the edges of every type that a knob may have */
	"1", "0", "-1", "2", "3", "4", "5", "6", "31", "32", "47", "48", "127", "128", "255", "256", "300", "999", "1000", "1001", "32767", "32768",
	"60000", "60001", "65535", "65536", "86400", "86401", "120000", "120001", "8589934", "8589935", "17179869", "17179870", "2147483647",
	"2147483648", "4294967295", "4294967296", "9223372036854775807", "18446744073709551615", "18446744073709551616",
	"-2", "-31", "-32", "-8589934", "-8589935", "-2147483648", "-2147483649", "-4294967295",
	/* how numbers may be written */
	"0x10", "0X1F", "0x", "0xg", "010", "08", "+5", " 5", "5 ", "\t5", "5\t", "--1", "- 1", "5x", "x", "x5", "5.5", "5,6", "1e3",
	"000000000000000000005", "0000000000000000000005", "99999999999999999999999",
	/* several, none, lines */
	"5 6", "5\t6 7", "5 6 7 8", "7 x", "7 6 x", "9 99999999999", "9 8 -1", "9 8 7 x", "", " ", "\n", "5\n", "5\n6", "\n5", "5 \n",
	/* names */
	"reno", "cubic", "reno\n", " cubic", "cubic ", "cubic\nreno", "nosuch", "reno cubic", "RENO",
	/* keys */
	"01234567-89abcdef-01234567-89ABCDEF", "1-2-3-4", "1-2-3-4,5-6-7-8", " 1-2-3-4", "1-2-3-4 ", "1-2-3", "g-2-3-4", "1-2-3-4-5", "1-2-3-4,",
	"123456789-2-3-4", "1-2-3-4,5-6-7", "1-2-3-4,5-6-7-8,9-a-b-c",
};

static void say_text(struct sc *s, const char *text, size_t n)
{
	for (; n; n--, text++) {
		if (*text == '\n')
			task_printf(s->t, "\\n");
		else if (*text == '\t')
			task_printf(s->t, "\\t");
		else
			task_printf(s->t, "%c", *text);
	}
}

static void read_value(struct sc *s, const char *path, char now[KNOB_TEXT])
{
	int fd = sys_open(s->t, path, O_RDONLY);
	ssize_t n = fd < 0 ? fd : sys_read(s->t, fd, now, KNOB_TEXT - 1);

	if (n < 0)
		snprintf(now, KNOB_TEXT, "%s", sc_errno(n));
	else
		now[n] = '\0';
	if (fd >= 0)
		sys_close(s->t, fd);
}

static void say_count(struct sc *s, ssize_t n)
{
	if (n < 0)
		task_printf(s->t, " %s", sc_errno(n));
	else
		task_printf(s->t, " %zd", n);
}

/* Refused texts that change nothing share a line. */
struct knob_say {
	char value[KNOB_TEXT];
	ssize_t err;
};

static void write_one(struct sc *s, struct knob_say *k, const char *path, const char *text, const char *rest)
{
	int fd = sys_open(s->t, path, O_RDWR);
	ssize_t n = fd < 0 ? fd : sys_write(s->t, fd, text, strlen(text));
	char now[KNOB_TEXT];
	bool same = false;

	if (!rest) {
		read_value(s, path, now);
		same = n < 0 && n == k->err && !strcmp(now, k->value);
	}
	k->err = n;
	task_printf(s->t, same ? " \"" : "\n\"");
	say_text(s, text, strlen(text));
	task_printf(s->t, "\"");
	if (same) {
		sys_close(s->t, fd);
		return;
	}
	say_count(s, n);
	if (rest && fd >= 0) {
		task_printf(s->t, " \"%s\"", rest);
		say_count(s, sys_write(s->t, fd, rest, strlen(rest)));
		read_value(s, path, now);
	}
	if (fd >= 0)
		sys_close(s->t, fd);
	snprintf(k->value, sizeof(k->value), "%s", now);
	task_printf(s->t, " reads ");
	say_text(s, now, strlen(now));
	if (n < 0)
		task_printf(s->t, ", and so");
}

void sc_knob(struct sc *s)
{
	char path[KNOB_TEXT], start[KNOB_TEXT] = "";
	struct knob_say k = { .err = 0 };

	snprintf(path, sizeof(path), "/proc/sys/%s", s->argc > 1 ? s->argv[1] : "");
	for (int i = 2; i < s->argc; i++)
		snprintf(start + strlen(start), sizeof(start) - strlen(start), "%s%s", i > 2 ? " " : "", s->argv[i]);
	if (*start)
		write_one(s, &k, path, start, NULL);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		write_one(s, &k, path, texts[i], NULL);
	/* the rest of a text, as a shell's echo sends it when the first write did not take all */
	if (*start) {
		write_one(s, &k, path, "1 2", "2");
		write_one(s, &k, path, "2", "1");
		write_one(s, &k, path, start, NULL);
	}
}
