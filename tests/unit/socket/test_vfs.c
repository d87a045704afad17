/* A host's files: paths that cannot leave their tree, what open's flags mean, positions, /proc (HF-01, S3-97). */
#include "sock_fixture.h"
#include "socket/vfs_int.h"

static void hf_01_paths_stay_inside(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "/a/b", "/a/b" }, { "//a///b//", "/a/b" }, { "/a/./b/.", "/a/b" }, { "/a/../b", "/b" },
		{ "/../../etc/passwd", "/etc/passwd" }, { "/a/b/../../../../x", "/x" }, { "a", "/a" }, { "..", "/" },
		{ "/", "/" }, { "/...", "/..." }, { "/a/..b", "/a/..b" }, { "./", "/" }, { "/a/b/..", "/a" },
	};
	char out[VFS_PATH_MAX], longest[VFS_PATH_MAX + 8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(vfs_normalise(t[i].in, out), 0);
		assert_string_equal(out, t[i].out);
	}
	assert_int_equal(vfs_normalise("", out), -ENOENT);
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[VFS_PATH_MAX - 1] = '\0';
	assert_int_equal(vfs_normalise(longest, out), 0);
	assert_int_equal(strlen(out), VFS_PATH_MAX - 1);
	longest[VFS_PATH_MAX - 1] = 'a';
	longest[VFS_PATH_MAX] = '\0';
	assert_int_equal(vfs_normalise(longest, out), -ENAMETOOLONG);
}

static int open_prog(struct task *t, void *arg)
{
	char b[32];
	struct iovec iov[2] = { { b, 3 }, { b + 10, 10 } };
	struct vfs_stat st;
	int fd, fd2;

	(void)arg;
	assert_int_equal(sys_open(t, "/none", O_RDONLY), -ENOENT);
	assert_int_equal(sys_open(t, "", O_RDONLY), -ENOENT);
	assert_int_equal(sys_open(t, NULL, O_RDONLY), -EFAULT);
	assert_int_equal(sys_open(t, "/none", O_ACCMODE), -EINVAL);
	fd = sys_open(t, "/d/f", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(sys_fcntl(t, fd, F_GETFD, 0), FD_CLOEXEC);
	assert_int_equal(sys_open(t, "/d/f", O_CREAT | O_EXCL | O_RDWR), -EEXIST);
	assert_int_equal(sys_write(t, fd, "0123456789", 10), 10);
	assert_int_equal(sys_read(t, fd, b, 8), 0); /* behind what was written */
	assert_int_equal(sys_pread(t, fd, b, 4, 3), 4);
	assert_memory_equal(b, "3456", 4);
	assert_int_equal(sys_pread(t, fd, b, 4, 10), 0);
	assert_int_equal(sys_pread(t, fd, b, 4, UINT64_MAX), -EINVAL);
	assert_int_equal(sys_pwrite(t, fd, "xy", 2, 4), 2);
	assert_int_equal(sys_preadv(t, fd, iov, 2, 2), 8);
	assert_memory_equal(b, "23x", 3);
	assert_memory_equal(b + 10, "y6789", 5);
	iov[0] = (struct iovec){ "ab", 2 };
	iov[1] = (struct iovec){ "cd", 2 };
	assert_int_equal(sys_pwritev(t, fd, iov, 2, 20), 4); /* a hole before it reads as zeros */
	assert_int_equal(sys_pread(t, fd, b, 32, 8), 16);
	assert_memory_equal(b, "89\0\0\0\0\0\0\0\0\0\0abcd", 16);
	/* appending */
	fd2 = sys_open(t, "/d/f", O_WRONLY | O_APPEND);
	assert_int_equal(sys_write(t, fd2, "!", 1), 1);
	assert_int_equal(sys_pwrite(t, fd2, "?", 1, 0), 1); /* pwrite(2), BUGS */
	assert_int_equal(sys_read(t, fd2, b, 1), -EBADF);
	assert_int_equal(sys_pread(t, fd2, b, 1, 0), -EBADF);
	assert_int_equal(sys_stat(t, "/d/f", &st), 0);
	assert_int_equal(st.size, 26);
	sys_close(t, fd2);
	fd2 = sys_open(t, "/d/f", O_RDONLY);
	assert_int_equal(sys_write(t, fd2, b, 1), -EBADF);
	assert_int_equal(sys_pwrite(t, fd2, b, 1, 0), -EBADF);
	sys_close(t, fd2);
	/* folders */
	assert_int_equal(sys_open(t, "/d", O_RDWR), -EISDIR);
	assert_int_equal(sys_open(t, "/d/f", O_RDONLY | O_DIRECTORY), -ENOTDIR);
	fd2 = sys_open(t, "/d", O_RDONLY | O_DIRECTORY);
	assert_true(fd2 >= 0);
	assert_int_equal(sys_read(t, fd2, b, 1), -EISDIR);
	sys_close(t, fd2);
	/* truncating, moving, deleting */
	fd2 = sys_open(t, "/d/f", O_RDWR | O_TRUNC);
	assert_int_equal(sys_stat(t, "/d/f", &st), 0);
	assert_int_equal(st.size, 0);
	sys_close(t, fd2);
	assert_int_equal(sys_rename(t, "/d/f", "/e/g"), 0);
	assert_int_equal(sys_stat(t, "/d/f", &st), -ENOENT);
	assert_int_equal(sys_stat(t, "/e/g", &st), 0);
	assert_int_equal(sys_unlink(t, "/e/g"), 0);
	assert_int_equal(sys_unlink(t, "/e/g"), -ENOENT);
	sys_close(t, fd);
	return 0;
}

static void sy_01_open_read_write(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, open_prog);
	host_down(f);
}

/* ---- mounts and their bound ---- */

static int mount_prog(struct task *t, void *arg)
{
	struct vfs_stat st;
	char *big = calloc(1, 5000);
	int fd;

	(void)arg;
	assert_int_equal(sys_stat(t, "/srv", &st), 0); /* there because something is mounted below */
	assert_true(st.is_dir);
	fd = sys_open(t, "/srv/up/a", O_CREAT | O_WRONLY);
	assert_int_equal(sys_write(t, fd, big, 3000), 3000);
	assert_int_equal(sys_write(t, fd, big, 5000), -ENOSPC); /* the tree's bound */
	sys_close(t, fd);
	assert_int_equal(sys_stat(t, "/srv/up/a", &st), 0);
	assert_int_equal(st.size, 3000);
	/* the nearest mount point counts, and no name reaches through it */
	assert_int_equal(sys_stat(t, "/srv/upper", &st), -ENOENT);
	assert_int_equal(sys_stat(t, "/srv/up/../up/./a", &st), 0);
	assert_int_equal(sys_rename(t, "/srv/up/a", "/a"), -EXDEV); /* from tree to tree */
	free(big);
	return 0;
}

static void mounts_and_their_bound(void **state)
{
	struct fx *f = host_up();

	(void)state;
	assert_int_equal(vfs_mount(f->net, "/srv/up", &vfs_mem_ops, vfs_mem_new(4096)), 0);
	assert_int_equal(vfs_mount(f->net, "/srv/up/", &vfs_mem_ops, NULL), -EEXIST);
	RUN(f, mount_prog);
	host_down(f);
}

/* ---- /proc ---- */

static void count_name(void *ctx, const char *name, bool is_dir)
{
	(void)is_dir;
	*(unsigned *)ctx += !strcmp(name, "tcp") || !strcmp(name, "udp");
}

static int proc_prog(struct task *t, void *arg)
{
	char b[4096];
	unsigned names = 0;
	ssize_t n;
	int fd, fd2;

	(void)arg;
	assert_int_equal(sys_open(t, "/proc/net/none", O_RDONLY), -ENOENT);
	assert_int_equal(sys_open(t, "/proc/net", O_RDONLY), -EISDIR);
	assert_int_equal(sys_open(t, "/proc/net/tcp", O_RDWR), -EACCES);
	assert_int_equal(sys_open(t, "/proc/net/tcp", O_RDONLY | O_DIRECTORY), -ENOTDIR);
	assert_int_equal(sys_listdir(t, "/proc/net", count_name, &names), 0);
	assert_int_equal(names, 2);
	assert_int_equal(sys_listdir(t, "/proc/nowhere", count_name, &names), -ENOENT);
	/* text of the moment at which reading began: no line is torn */
	fd = sys_open(t, "/proc/net/tcp", O_RDONLY);
	n = sys_read(t, fd, b, 10);
	assert_int_equal(n, 10);
	fd2 = sys_socket(t, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(sys_bind(t, fd2, SA(&(struct sockaddr_in){ .sin_family = AF_INET }), sizeof(struct sockaddr_in)), 0);
	assert_int_equal(sys_listen(t, fd2, 1), 0);
	while ((n = sys_read(t, fd, b, sizeof(b))) > 0)
		assert_null(memchr(b, '\n', (size_t)n - 1)); /* the header line only */
	assert_int_equal(sys_pread(t, fd, b, 4, 2), 4);
	assert_memory_equal(b, "sl  ", 4);
	sys_close(t, fd);
	fd = sys_open(t, "/proc/net/tcp", O_RDONLY);
	n = sys_read(t, fd, b, sizeof(b));
	assert_non_null(memchr(b, '\n', (size_t)n - 1)); /* the listener has its line */
	sys_close(t, fd);
	sys_close(t, fd2);
	/* a knob */
	fd = sys_open(t, "/proc/sys/net/ipv4/ip_forward", O_RDWR);
	assert_int_equal(sys_write(t, fd, "1\n", 2), 2);
	assert_int_equal(sys_read(t, fd, b, sizeof(b)), 0); /* both have one position */
	assert_int_equal(sys_write(t, fd, "0\n", 2), 2);    /* and what is written behind 0 is the rest of an old text */
	sys_close(t, fd);
	fd = sys_open(t, "/proc/sys/net/ipv4/ip_forward", O_RDWR);
	assert_int_equal(sys_read(t, fd, b, sizeof(b)), 2);
	assert_memory_equal(b, "1\n", 2);
	sys_close(t, fd);
	fd = sys_open(t, "/proc/sys/net/ipv4/ip_forward", O_WRONLY);
	assert_int_equal(sys_write(t, fd, "many\n", 5), -EINVAL);
	assert_int_equal(sys_write(t, fd, "0 1\n", 4), 2);
	assert_int_equal(sys_write(t, fd, "1\n", 2), 2);
	sys_close(t, fd);
	fd = sys_open(t, "/proc/sys/net/ipv4/ip_forward", O_RDONLY);
	assert_int_equal(sys_read(t, fd, b, sizeof(b)), 2);
	assert_memory_equal(b, "0\n", 2);
	sys_close(t, fd);
	return 0;
}

static void proc_files(void **state)
{
	struct fx *f = host_up();

	(void)state;
	RUN(f, proc_prog);
	host_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hf_01_paths_stay_inside),
		cmocka_unit_test(sy_01_open_read_write),
		cmocka_unit_test(mounts_and_their_bound),
		cmocka_unit_test(proc_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
