/* soak.h: what the parts of soak.c share: the board, random choices, accesses that may fault, and how a failure is told.
 *
 * Board       one memory file that every process maps, those executed too: sums, locks and who lives, all words atomic
 * Choices     of a thread come from its own generator alone, seeded by SEED, its process's path and its index: the same seed
 *             makes the same choices, though not the same interleaving
 * Places      own memory lies at fixed addresses, far from where the kernel places what it chooses itself, so that nobody else
 *             maps there, and what a sibling reads of a process is what this program put there whoever has the pid now */
#ifndef SOAK_H
#define SOAK_H
#include "mem.h"
#include <linux/futex.h>

#define THREADS 8 /* of one process, at most */
#define OWN_PAGES 48
#define OWN_AT 0x1000000000UL
#define LOG_PAGES 4UL
#define LOG_AT 0x1400000000UL
#define MAIL_AT 0x1500000000UL
#define SLOTS 8192
#define WORDS 1024 /* of a summed area: two pages */
#define KINDS 3    /* shared anonymous, memory file, file */

struct slot {
  uint64_t did[KINDS]; /* additions finished; stored by the slot's thread alone */
  uint64_t open;       /* 1 while a thread that may be killed is between an addition and its count */
};

struct board {
  int64_t end; /* CLOCK_MONOTONIC */
  uint32_t slots, lock, scarce, remotes;
  uint64_t left, right; /* equal whenever the lock is free */
  uint64_t operations, processes, faults;
  int32_t pids[64]; /* of processes that live or lived */
  struct slot all[SLOTS];
};

struct page {
  uint8_t mapped, prot, guard, atFork; /* atFork: 0 copied, 1 not there, 2 zeros */
  uint32_t stamp; /* what fills it; 0: zeros */
};

struct thread {
  int index;
  uint64_t random, sequence, operations, faults;
  struct page own[OWN_PAGES];
  char *view[KINDS];
  int viewProt[KINDS];
  struct slot *slot;
  int file; /* of one page, of this thread alone; made when first needed */
};

static struct board *board;
static char *summed; /* kind 0's first mapping; only in processes that were forked */
static int boardFd, sumFds[KINDS], cutFds[2];
static uint64_t seed, path; /* the process's seed, and how it came to be */
static int mortal, depth;
static struct thread threads[THREADS];
static __thread struct thread *me;

__attribute__((noreturn, format(printf, 1, 2))) static void broken(const char *format, ...) {
  char text[400];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  dprintf(2, "soak: seed %lu process %d (path %lx) thread %d: %s\n", seed, getpid(), path, me ? me->index : -1, text);
  abort();
}

static uint64_t mixed(uint64_t h) {
  h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93UL;
  h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93UL;
  return h ^ (h >> 32);
}

static uint64_t next(void) { return mixed(me->random += 0x9e3779b97f4a7c15UL); }
static uint64_t below(uint64_t n) { return next() % n; }
static int oneIn(uint64_t n) { return below(n) == 0; }
static int over(void) { return nowOn(CLOCK_MONOTONIC) >= board->end; }

#define get(word) __atomic_load_n(word, __ATOMIC_SEQ_CST)
#define put(word, value) __atomic_store_n(word, value, __ATOMIC_SEQ_CST)
#define add(word, value) __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST)

/* True for a call that memory was too short for, where that is lawful; any other failure is a bug. */
static int wanting(long result, const char *what) {
  if (result != -1) return 0;
  if (get(&board->scarce) && (errno == ENOMEM || errno == EAGAIN)) return 1;
  broken("%s = %s", what, errname(errno));
}
#define WANTING(call) wanting((long)(call), #call)

/* 0, or the signal that the access got: at this page, or it is a bug. */
static int faulted(const volatile void *at) {
  if (((uintptr_t)signalAt ^ (uintptr_t)at) >= PAGE) broken("fault at %p of an access to %p", (void *)signalAt, (void *)at);
  me->faults++;
  return signalled;
}

__attribute__((noinline)) static int tryLoad(volatile uint64_t *at, uint64_t *value) {
  if (sigsetjmp(escape, 0) != 0) return faulted(at);
  *value = *at;
  return 0;
}

__attribute__((noinline)) static int tryStore(volatile uint64_t *at, uint64_t value) {
  if (sigsetjmp(escape, 0) != 0) return faulted(at);
  *at = value;
  return 0;
}

__attribute__((noinline)) static int tryAdd(uint64_t *at) {
  if (sigsetjmp(escape, 0) != 0) return faulted(at);
  add(at, 1);
  return 0;
}
#endif
