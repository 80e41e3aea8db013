/* test/oracle/fpu-oracle.c: asks a riscv64 CPU (qemu-user, or a board) for the results of its F and D instructions.
 *
 * Standard input   records of 32 bytes: u32 operation (the line number in the table below), u32 frm, u64 a, b, c
 * Standard output  records of 16 bytes: u64 result, u64 fflags
 *
 * Singles are passed as their 32 bits and boxed by fmv.w.x. Each answer is one asm block, so that nothing can move
 * between clearing the flags, the instruction and reading them. Rounding is dynamic everywhere: frm decides.
 * tools/fpu-cases.mjs holds the same table, in the same order.                                                       */

#include <stdint.h>
#include <stdio.h>

struct query { uint32_t operation, frm; uint64_t a, b, c; };
struct answer { uint64_t result, flags; };

#define ASK(in, instruction, out)                                                                                     \
	__asm__ volatile("fmv." in ".x ft0, %[a]\n\tfmv." in ".x ft1, %[b]\n\tfmv." in ".x ft2, %[c]\n\t"             \
			 "fsrm %[frm]\n\tfsflags zero\n\t" instruction "\n\t" out "frflags %[flags]"                  \
			 : [r] "=&r"(r), [flags] "=&r"(flags)                                                         \
			 : [a] "r"(q->a), [b] "r"(q->b), [c] "r"(q->c), [frm] "r"((uint64_t)q->frm)                   \
			 : "ft0", "ft1", "ft2", "ft3")

#define DOUBLE "fmv.x.d %[r], ft3\n\t"
#define SINGLE "fmv.x.w %[r], ft3\n\t"

/* An operation of one precision takes two lines: double first, then single. */
#define PAIR(n, name, operands)                                                                                       \
	case n: ASK("d", name ".d " operands, DOUBLE); break;                                                         \
	case n + 1: ASK("w", name ".s " operands, SINGLE); r = (uint32_t)r; break;
#define PAIR_TO_X(n, d, s, operands)                                                                                  \
	case n: ASK("d", d " %[r], " operands, ""); break;                                                            \
	case n + 1: ASK("w", s " %[r], " operands, ""); break;
#define PAIR_FROM_X(n, d, s)                                                                                          \
	case n: ASK("d", d " ft3, %[a]", DOUBLE); break;                                                              \
	case n + 1: ASK("w", s " ft3, %[a]", SINGLE); r = (uint32_t)r; break;

static struct answer ask(const struct query *q)
{
	uint64_t r = 0, flags = 0;

	switch (q->operation) {
	PAIR(0, "fadd", "ft3, ft0, ft1")
	PAIR(2, "fsub", "ft3, ft0, ft1")
	PAIR(4, "fmul", "ft3, ft0, ft1")
	PAIR(6, "fdiv", "ft3, ft0, ft1")
	PAIR(8, "fsqrt", "ft3, ft0")
	PAIR(10, "fmadd", "ft3, ft0, ft1, ft2")
	PAIR(12, "fmsub", "ft3, ft0, ft1, ft2")
	PAIR(14, "fnmsub", "ft3, ft0, ft1, ft2")
	PAIR(16, "fnmadd", "ft3, ft0, ft1, ft2")
	PAIR(18, "fmin", "ft3, ft0, ft1")
	PAIR(20, "fmax", "ft3, ft0, ft1")
	PAIR(22, "fsgnj", "ft3, ft0, ft1")
	PAIR(24, "fsgnjn", "ft3, ft0, ft1")
	PAIR(26, "fsgnjx", "ft3, ft0, ft1")
	PAIR_TO_X(28, "feq.d", "feq.s", "ft0, ft1")
	PAIR_TO_X(30, "flt.d", "flt.s", "ft0, ft1")
	PAIR_TO_X(32, "fle.d", "fle.s", "ft0, ft1")
	PAIR_TO_X(34, "fclass.d", "fclass.s", "ft0")
	PAIR_TO_X(36, "fcvt.w.d", "fcvt.w.s", "ft0")
	PAIR_TO_X(38, "fcvt.wu.d", "fcvt.wu.s", "ft0")
	PAIR_TO_X(40, "fcvt.l.d", "fcvt.l.s", "ft0")
	PAIR_TO_X(42, "fcvt.lu.d", "fcvt.lu.s", "ft0")
	PAIR_FROM_X(44, "fcvt.d.w", "fcvt.s.w")
	PAIR_FROM_X(46, "fcvt.d.wu", "fcvt.s.wu")
	PAIR_FROM_X(48, "fcvt.d.l", "fcvt.s.l")
	PAIR_FROM_X(50, "fcvt.d.lu", "fcvt.s.lu")
	case 52: ASK("d", "fcvt.s.d ft3, ft0", SINGLE); r = (uint32_t)r; break;
	case 53: ASK("w", "fcvt.d.s ft3, ft0", DOUBLE); break;
	}
	return (struct answer){ r, flags };
}

int main(void)
{
	struct query queries[1024];
	struct answer answers[1024];
	size_t count;

	while ((count = fread(queries, sizeof queries[0], 1024, stdin)) != 0) {
		for (size_t i = 0; i < count; i++)
			answers[i] = ask(&queries[i]);
		if (fwrite(answers, sizeof answers[0], count, stdout) != count)
			return 1;
	}
	return 0;
}
