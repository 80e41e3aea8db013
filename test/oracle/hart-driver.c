/* Runs short pieces of riscv64 code from chosen registers and dumps what they leave: under qemu-riscv64, the oracle of
 * test/hart-oracle.test.ts. No libc, since the code under test owns every register, tp and gp included.
 *
 * Algorithm   a signal handler, on its own stack, is the whole program: it writes the result of the case that just
 *             ended (each ends with a signal: ebreak, or a fault), reads the next case from stdin, puts its registers
 *             into the ucontext and returns into it.
 * Format      test/support/hart-cases.ts draws both records.
 * Build       riscv64-linux-gnu-gcc -O1 -march=rv64gc -mabi=lp64d -mno-relax -static -nostdlib -ffreestanding          */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#define CODE 0x40000000ul
#define DATA 0x50000000ul
#define BYTES 8192ul
#define CASE_CODE 512

struct task { uint32_t start, length; uint8_t code[CASE_CODE]; uint64_t x[32], f[32], fcsr; };
struct result { uint32_t signal, fcsr; uint64_t pc, x[32], f[32]; uint32_t data, pad; };
struct action { void (*handler)(int, void *, ucontext_t *); unsigned long flags, mask; };
struct signalstack { void *sp; int flags; unsigned long size; };

static long call(long n, long a, long b, long c, long d, long e, long f)
{
	register long a0 asm("a0") = a, a1 asm("a1") = b, a2 asm("a2") = c, a3 asm("a3") = d, a4 asm("a4") = e,
		      a5 asm("a5") = f, a7 asm("a7") = n;
	asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7) : "memory");
	return a0;
}

static struct task task;
static struct result result;
static int begun;
static uint8_t stack[65536] __attribute__((aligned(16)));

static int readAll(uint8_t *p, unsigned long n)
{
	for (unsigned long done = 0; done < n;) {
		long got = call(63, 0, (long)(p + done), n - done, 0, 0, 0);
		if (got <= 0)
			return 0;
		done += got;
	}
	return 1;
}

static void writeAll(uint8_t *p, unsigned long n)
{
	for (unsigned long done = 0; done < n;) {
		long put = call(64, 1, (long)(p + done), n - done, 0, 0, 0);
		if (put <= 0)
			call(94, 1, 0, 0, 0, 0, 0);
		done += put;
	}
}

static uint32_t checksum(void)
{
	uint32_t h = 0x811c9dc5;
	for (volatile uint32_t *p = (uint32_t *)DATA; p < (uint32_t *)(DATA + BYTES); p++)
		h = (h ^ *p) * 0x01000193;
	return h;
}

static void prepare(void)
{
	volatile uint32_t *data = (uint32_t *)DATA;
	for (uint32_t i = 0; i < BYTES / 4; i++)
		data[i] = (i + 1) * 0x9e3779b1;
	volatile uint16_t *code = (uint16_t *)CODE;
	for (uint32_t i = 0; i < BYTES / 2; i++)
		code[i] = 0x9002;
	for (uint32_t i = 0; i < task.length; i += 2)
		code[(task.start + i) / 2] = task.code[i] | task.code[i + 1] << 8;
	asm volatile("fence.i" ::: "memory");
}

static void handler(int number, void *info, ucontext_t *uc)
{
	mcontext_t *mc = &uc->uc_mcontext;
	uint64_t *x = (uint64_t *)mc->__gregs;
	uint64_t *f = (uint64_t *)mc->__fpregs.__d.__f;
	(void)info;
	if (begun) {
		result.signal = number;
		result.fcsr = mc->__fpregs.__d.__fcsr;
		result.pc = x[0];
		result.x[0] = 0;
		for (int i = 1; i < 32; i++)
			result.x[i] = x[i];
		for (int i = 0; i < 32; i++)
			result.f[i] = f[i];
		result.data = checksum();
		writeAll((uint8_t *)&result, sizeof result);
	}
	begun = 1;
	if (!readAll((uint8_t *)&task, sizeof task))
		call(94, 0, 0, 0, 0, 0, 0);
	prepare();
	x[0] = CODE + task.start;
	for (int i = 1; i < 32; i++)
		x[i] = task.x[i];
	for (int i = 0; i < 32; i++)
		f[i] = task.f[i];
	mc->__fpregs.__d.__fcsr = task.fcsr;
}

void _start(void)
{
	static const int signals[] = { 4, 5, 7, 11 };
	struct action action = { handler, 0x48000004, 0 };
	struct signalstack alternate = { stack, 0, sizeof stack };
	call(132, (long)&alternate, 0, 0, 0, 0, 0);
	for (int i = 0; i < 4; i++)
		call(134, signals[i], (long)&action, 0, 8, 0, 0);
	call(222, CODE, BYTES, 7, 0x32, -1, 0);
	call(222, DATA, BYTES, 3, 0x32, -1, 0);
	asm volatile("ebreak");
}
