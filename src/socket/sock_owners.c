/* /proc/net/sockowners: a line "INODE PID PROGRAM" for each socket that a program holds: what netstat -p and ss -p look up
 * (Linux has it scattered over /proc/PID/fd). Called by: socket.c at the host's start; reads the open files. */
#include "core/procfs.h"
#include "socket/file.h"

static void show_owners(struct net *net, struct strbuf *out)
{
	struct file *f;

	list_for_each_entry(f, &net->socks->all_files, all) {
		const struct socket *s = file_socket(f);
		if (s && s->sk && s->sk->owner_pid)
			sb_printf(out, "%llu %u %s\n", (unsigned long long)s->sk->ino, s->sk->owner_pid, s->sk->owner_comm);
	}
}

int sock_owners_init(struct net *net)
{
	return proc_create_single(net, "net/sockowners", show_owners);
}
