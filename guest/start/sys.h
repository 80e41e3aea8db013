/* guest/start/sys.h: all that our guest programs know of their surroundings.
 *
 * What        types, the system calls we use, printing, threads, a barrier and a mutex
 * Why         a program of a few KB, the same C source for riscv64 and x86-64, no libc whose own
 *             mappings and faults would be counted with ours
 * Promise     calls return what the kernel returns: a value or a negative errno
 * Source      man 2 pages; the mutex is "mutex 2" of Drepper, "Futexes Are Tricky"                  */
#ifndef SYS_H
#define SYS_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long i64;

#if defined(__riscv) && __riscv_xlen == 64
#include "riscv64.h"
#elif defined(__x86_64__)
#include "x86_64.h"
#else
#error "no start-up code for this architecture"
#endif

#define PAGE_BYTES 4096UL
#define EEXIST 17
#define EINVAL 22

#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 0x02
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#define MAP_FIXED_NOREPLACE 0x100000
#define MADV_DONTNEED 4

static inline i64 sysMmap(u64 addr, u64 length, int prot, int flags) {
  return syscall6(SYS_mmap, (long)addr, (long)length, prot, flags | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static inline i64 sysMunmap(u64 addr, u64 length) {
  return syscall6(SYS_munmap, (long)addr, (long)length, 0, 0, 0, 0);
}
static inline i64 sysMprotect(u64 addr, u64 length, int prot) {
  return syscall6(SYS_mprotect, (long)addr, (long)length, prot, 0, 0, 0);
}
static inline i64 sysMadvise(u64 addr, u64 length, int advice) {
  return syscall6(SYS_madvise, (long)addr, (long)length, advice, 0, 0, 0);
}

u64 nowNs(void); /* CLOCK_MONOTONIC */
__attribute__((noreturn)) void quit(int status);

/* print.c: text gathered in a caller's buffer and written in as few calls as there are flushes, so that
 * lines of different threads do not mix. */
struct text {
  int fd;
  u32 used;
  char bytes[1016];
};
static inline void openText(struct text *t, int fd) {
  t->fd = fd;
  t->used = 0;
}
void flush(struct text *t);
void str(struct text *t, const char *s);
void dec(struct text *t, i64 n);
void hex(struct text *t, u64 n);
int sameText(const char *a, const char *b);
int readNumber(const char *s, u64 *out); /* decimal digits only; 0 when it is something else */

/* thread.c. A thread's record and stack are its own mapping; alive is cleared and woken by the kernel. */
struct thread {
  u32 alive;
  u64 stack, stackBytes;
};
i64 threadPrepare(struct thread *t, u64 stackBytes); /* maps the stack; 0 or -errno */
i64 threadStart(struct thread *t, void (*run)(void *), void *arg);
void threadJoin(struct thread *t);

struct barrier {
  u32 parties, waiting, generation;
};
void barrierWait(struct barrier *b);

struct mutex {
  u32 state; /* 0 free, 1 held, 2 held and somebody may sleep */
};
void mutexLock(struct mutex *m);
void mutexUnlock(struct mutex *m);

/* signal.c */
#define SIGILL 4
#define SIGBUS 7
#define SIGSEGV 11
struct siginfo {
  int signo, error, code, pad;
  u64 addr;
};
i64 onSignal(int signo, void (*handler)(int, struct siginfo *, void *));

int main(int argc, char **argv, char **envp);
#endif
