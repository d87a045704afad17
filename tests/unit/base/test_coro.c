/* Coroutines: switching, nesting, abandoning, reuse of stacks; run under AddressSanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/coro.h"

struct job {
	struct coro *c;
	struct coro_pool *pool;
	int steps, ran;
	double x;
	uint64_t sum;
};

static void job_main(void *arg)
{
	struct job *j = arg;
	volatile char big[20000];
	double x = 1.5;

	memset((char *)(uintptr_t)big, j->steps, sizeof(big));
	for (int i = 0; i < j->steps; i++) {
		j->ran++;
		x *= 2;
		coro_yield(j->c);
		assert_int_equal(big[i], (char)j->steps);
	}
	j->x = x;
}

static void coro_yields_and_returns(void **state)
{
	struct coro_pool *p = coro_pool_new(CORO_STACK_DEFAULT);
	struct job j = { .steps = 3 };

	j.c = coro_new(p, job_main, &j);
	assert_int_equal(j.ran, 0);
	for (int i = 1; i <= 3; i++) {
		assert_true(coro_resume(j.c));
		assert_int_equal(j.ran, i);
	}
	assert_false(coro_resume(j.c));
	assert_true(j.x == 12.0);
	coro_free(j.c);
	coro_pool_free(p);
}

static void coro_many_interleaved(void **state)
{
	enum { N = 300 };
	struct coro_pool *p = coro_pool_new(0);
	struct job *j = calloc(N, sizeof(*j));

	/* the smallest stack does not hold job_main's array */
	coro_pool_free(p);
	p = coro_pool_new(64 * 1024);
	for (int i = 0; i < N; i++) {
		j[i].steps = i % 7;
		j[i].c = coro_new(p, job_main, &j[i]);
	}
	for (int round = 0; round < 8; round++)
		for (int i = 0; i < N; i++)
			if (j[i].c && !coro_resume(j[i].c)) {
				assert_int_equal(j[i].ran, j[i].steps);
				coro_free(j[i].c);
				j[i].c = NULL;
			}
	for (int i = 0; i < N; i++)
		assert_null(j[i].c);
	free(j);
	coro_pool_free(p);
}

static void abandoned_main(void *arg)
{
	struct job *j = arg;
	char a[333];

	memset(a, 1, sizeof(a));
	coro_yield(j->c);
	j->sum = (uint64_t)a[j->ran];
}

static void coro_abandoned_stack_is_reused_clean(void **state)
{
	struct coro_pool *p = coro_pool_new(CORO_STACK_DEFAULT);

	for (int i = 0; i < 200; i++) {
		struct job j = { .steps = 2 };

		j.c = coro_new(p, i & 1 ? job_main : abandoned_main, &j);
		assert_true(coro_resume(j.c));
		coro_free(j.c); /* not finished */
	}
	coro_pool_free(p);
}

static void coro_never_resumed_can_be_freed(void **state)
{
	struct coro_pool *p = coro_pool_new(CORO_STACK_DEFAULT);
	struct job j = { .steps = 1 };

	coro_free(coro_new(p, job_main, &j));
	coro_free(NULL);
	coro_pool_free(p);
}

static void nest_main(void *arg)
{
	struct job *j = arg;

	if (j->steps > 0) {
		struct job child = { .steps = j->steps - 1, .pool = j->pool };

		child.c = coro_new(j->pool, nest_main, &child);
		while (coro_resume(child.c))
			coro_yield(j->c); /* pass the pause up */
		j->sum = child.sum + 1;
		coro_free(child.c);
	} else {
		coro_yield(j->c);
		coro_yield(j->c);
	}
}

static void coro_resumes_nest(void **state)
{
	struct coro_pool *p = coro_pool_new(CORO_STACK_DEFAULT);
	struct job j = { .steps = 10, .pool = p };
	int pauses = 0;

	j.c = coro_new(p, nest_main, &j);
	while (coro_resume(j.c))
		pauses++;
	assert_int_equal(pauses, 2);
	assert_int_equal(j.sum, 10);
	coro_free(j.c);
	coro_pool_free(p);
}

static uint64_t deep(unsigned n)
{
	volatile char pad[4096];

	pad[0] = (char)n;
	pad[sizeof(pad) - 1] = (char)n;
	return n ? deep(n - 1) + (uint64_t)pad[0] : 0;
}

static void deep_main(void *arg)
{
	struct job *j = arg;

	j->sum = deep(100000);
}

static void coro_overflow_stops_the_process(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct coro_pool *p = coro_pool_new(CORO_STACK_DEFAULT);
		struct job j = { 0 };

		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		close(2);
		coro_resume(coro_new(p, deep_main, &j));
		_exit(0); /* wrong: it must not come back */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coro_yields_and_returns),
		cmocka_unit_test(coro_many_interleaved),
		cmocka_unit_test(coro_abandoned_stack_is_reused_clean),
		cmocka_unit_test(coro_never_resumed_can_be_freed),
		cmocka_unit_test(coro_resumes_nest),
		cmocka_unit_test(coro_overflow_stops_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
