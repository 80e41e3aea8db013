/* mem-brk.c: brk(2) as the kernel answers it: the new break, or the old one where it refuses. */
#include "mem.h"

static char *start;

/* Where the break is, in bytes from where it was at the beginning. */
static long to(long bytes) {
  return (char *)syscall(SYS_brk, start + bytes) - start;
}

static void began(void) {
  start = (char *)syscall(SYS_brk, 0);
}

static void moves(void) {
  began();
  SHOW(to(0));
  SHOW(to(100000));
  int zero = 1;
  for (int i = 0; i < 100000; i++) zero &= start[i] == 0;
  say("zero %d", zero);
  memset(start, 3, 100000);
  SHOW(to(10));
  SHOW(to(50000));
  say("what was in a page that stayed is kept %d, what was not is zero %d", start[9], start[40000]);
  SHOW(to(50001));
  SHOW(to(50000));
  SHOW(to(0));
}

static void refused(void) {
  began();
  SHOW(to(8 * (long)PAGE));
  SHOW((long)syscall(SYS_brk, 0) == (long)start + 8 * (long)PAGE);
  SHOW((long)syscall(SYS_brk, 1) == (long)start + 8 * (long)PAGE);
  SHOW((long)syscall(SYS_brk, TOP) == (long)start + 8 * (long)PAGE);
  SHOW((long)syscall(SYS_brk, 1UL << 62) == (long)start + 8 * (long)PAGE);
  SHOW(to(0));
}

/* Something is mapped in its way. */
static void blocked(void) {
  began();
  char *beyond = (char *)(((uintptr_t)start + PAGE - 1) & ~(PAGE - 1)) + 64 * PAGE;
  long gap = beyond - start;
  must(mmap(beyond, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == beyond, "a page in the way");
  say("right up to it %d", to(gap) == 0 || to(gap) == gap);
  to(0);
  say("into it %d", to(gap + (long)PAGE) == 0);
  say("past it %d", to(gap + 100 * (long)PAGE) == 0);
  say("less %d", to(gap - 32 * (long)PAGE) == gap - 32 * (long)PAGE);
  to(0);
  munmap(beyond, PAGE);
  say("out of the way %d", to(gap + (long)PAGE) == gap + (long)PAGE);
  SHOW(to(0));
}

/* Calls that cut the heap: the break still moves. */
static void cut(void) {
  began();
  long page = (long)PAGE;
  char *first = (char *)(((uintptr_t)start + PAGE - 1) & ~(PAGE - 1));
  to(first - start + 10 * page);
  mark(first, 10, 1);
  SHOW(mprotect(first + 2 * PAGE, PAGE, R));
  SHOW(munmap(first + 5 * PAGE, PAGE));
  strip("cut", first, 11);
  say("grows %d", to(first - start + 12 * page) == first - start + 12 * page);
  bytes("after the end", first + 8 * PAGE, 5);
  say("shrinks across %d", to(first - start + page) == first - start + page);
  strip("shrunk", first, 12);
  say("grows %d", to(first - start + 4 * page) == first - start + 4 * page);
  bytes("anew", first, 5);
  SHOW(madvise(first, 4 * PAGE, MADV_DONTNEED));
  bytes("dropped", first, 5);
  to(0);
}

static void limited(void) {
  began();
  struct rlimit old, less;
  getrlimit(RLIMIT_DATA, &old);
  less = old;
  less.rlim_cur = 0;
  SHOW(setrlimit(RLIMIT_DATA, &less));
  SHOW(to(64 * (long)PAGE));
  SHOW(setrlimit(RLIMIT_DATA, &old));
  SHOW(to(64 * (long)PAGE));
  SHOW(to(0));
}

static void *grow(void *arg) {
  (void)arg;
  for (int i = 0; i < 200; i++) {
    char *now = (char *)syscall(SYS_brk, 0);
    syscall(SYS_brk, now + 3 * PAGE);
    if (now > start) store(now - 1, 1);
  }
  return NULL;
}

static void threads(void) {
  began();
  pthread_t all[4];
  for (int i = 0; i < 4; i++) all[i] = begin(grow, NULL);
  for (int i = 0; i < 4; i++) finish(all[i]);
  long end = (char *)syscall(SYS_brk, 0) - start;
  say("grew by whole steps %d", end > 0 && end % (3 * (long)PAGE) == 0);
  SHOW(to(0));
}

static const struct section SECTIONS[] = {
    SECTION(moves), SECTION(refused), SECTION(blocked), SECTION(cut), SECTION(limited), SECTION(threads),
};
PROGRAM(SECTIONS)
