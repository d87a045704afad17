/* The kernel's sockmap, for the benchmark's peer: two connected TCP sockets put into a BPF_MAP_TYPE_SOCKMAP with a program
 * (sk_msg) that redirects whatever one of them sends to the ingress queue of the other. bpf(2) called directly, the program
 * assembled by hand; numbers from the kernel's own header. */
#ifndef BENCH_SOCKMAP_H
#define BENCH_SOCKMAP_H

#include <linux/bpf.h>
#include <stddef.h>
#include <sys/syscall.h>

static inline int bpf_call(int cmd, union bpf_attr *attr)
{
	return (int)syscall(__NR_bpf, cmd, attr, sizeof *attr);
}

/* One instruction. */
static inline struct bpf_insn op(uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	return (struct bpf_insn){ .code = code, .dst_reg = dst & 15, .src_reg = src & 15, .off = off, .imm = imm };
}

/* "Whoever has this local port is number 1 in the map and sends to number 0; the other way round." */
static inline int sockmap_program(int map, uint16_t port)
{
	struct bpf_insn insn[] = {
		op(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_3, BPF_REG_1, offsetof(struct sk_msg_md, local_port), 0),
		op(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_3, 0, 2, port),
		op(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 1),
		op(BPF_JMP | BPF_JA, 0, 0, 1, 0),
		op(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 0),
		op(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, map),
		op(0, 0, 0, 0, 0),
		op(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, BPF_F_INGRESS),
		op(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_msg_redirect_map),
		op(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr a;

	memset(&a, 0, sizeof a);
	a.prog_type = BPF_PROG_TYPE_SK_MSG;
	a.insns = (uint64_t)(uintptr_t)insn;
	a.insn_cnt = sizeof insn / sizeof insn[0];
	a.license = (uint64_t)(uintptr_t) "Dual BSD/GPL";
	return bpf_call(BPF_PROG_LOAD, &a);
}

/* Join two ends of a connection; port: fd[1]'s local one. NULL, or what the machine refused (errno says why). */
static inline const char *sockmap_join(const int fd[2], uint16_t port)
{
	union bpf_attr a;
	int map, prog;

	memset(&a, 0, sizeof a);
	a.map_type = BPF_MAP_TYPE_SOCKMAP;
	a.key_size = a.value_size = sizeof(uint32_t);
	a.max_entries = 2;
	map = bpf_call(BPF_MAP_CREATE, &a);
	if (map < 0)
		return "bpf(BPF_MAP_CREATE)";
	prog = sockmap_program(map, port);
	if (prog < 0)
		return "bpf(BPF_PROG_LOAD)";
	memset(&a, 0, sizeof a);
	a.target_fd = (uint32_t)map;
	a.attach_bpf_fd = (uint32_t)prog;
	a.attach_type = BPF_SK_MSG_VERDICT;
	if (bpf_call(BPF_PROG_ATTACH, &a))
		return "bpf(BPF_PROG_ATTACH)";
	for (uint32_t key = 0; key < 2; key++) {
		uint32_t value = (uint32_t)fd[key];

		memset(&a, 0, sizeof a);
		a.map_fd = (uint32_t)map;
		a.key = (uint64_t)(uintptr_t)&key;
		a.value = (uint64_t)(uintptr_t)&value;
		if (bpf_call(BPF_MAP_UPDATE_ELEM, &a))
			return "bpf(BPF_MAP_UPDATE_ELEM)";
	}
	return NULL;
}

#endif
