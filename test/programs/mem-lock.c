/* mem-lock.c: mlock(2), mlock2, munlock, mlockall, munlockall, MAP_LOCKED, and RLIMIT_MEMLOCK for those it binds. */
#include "mem.h"

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

static void resident(const char *what, char *at, int pages) {
  unsigned char in[32];
  if (mincore(at, (unsigned long)pages * PAGE, in) != 0) {
    say("%s: %s", what, errname(errno));
    return;
  }
  printf("%s: ", what);
  for (int i = 0; i < pages; i++) putchar('0' + (in[i] & 1));
  putchar('\n');
}

static void locking(void) {
  char *at = room(16);
  anon(at, 8, RW);
  SHOW(mlock(at + PAGE, 2 * PAGE));
  resident("locked is resident", at, 8);
  SHOW(mlock(at + 4 * PAGE + 100, 10));
  resident("rounded to its page", at, 8);
  SHOW(mlock(at + 5 * PAGE - 1, 2));
  resident("and to both", at, 8);
  SHOW(mlock2(at + 7 * PAGE, PAGE, MLOCK_ONFAULT));
  resident("on fault: not yet", at, 8);
  SHOW(munlock(at, 8 * PAGE));
  SHOW(munlock(at, 8 * PAGE));
  SHOW(mlock2(at, PAGE, 0));
  SHOW(mlock2(at, PAGE, 2));
  SHOW(mlock(at, 0));
  SHOW(mlock(at + 9 * PAGE, 0));
  SHOW(munlock(at, 0));
  SHOW(mlock(at + 7 * PAGE, 2 * PAGE));
  SHOW(mlock(at + 9 * PAGE, PAGE));
  SHOW(munlock(at + 7 * PAGE, 2 * PAGE));
  SHOW(munlock(at + 9 * PAGE, PAGE));
  SHOW(mlock(at, -1UL));
  SHOW(munlock(at, -1UL));
  munmap(at, 16 * PAGE);
}

static void kinds(void) {
  char *at = room(16);
  int fd = file(3 * PAGE);
  anon(at, 2, NONE);
  SHOW(mlock(at, 2 * PAGE));
  SHOW(munlock(at, 2 * PAGE));
  anon(at, 2, R);
  SHOW(mlock(at, 2 * PAGE));
  resident("only to be read", at, 2);
  munmap(at, 2 * PAGE);
  mmap(at, 3 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  SHOW(mlock(at, 3 * PAGE));
  resident("a file", at, 3);
  munmap(at, 3 * PAGE);
  mmap(at, 3 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);
  SHOW(mlock(at, 3 * PAGE));
  resident("a copy", at, 3);
  at[0] = 9;
  bytes("a copy", at, 3);
  munmap(at, 3 * PAGE);
  mmap(at, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  SHOW(mlock(at, 4 * PAGE));
  SHOW(munlock(at, 4 * PAGE));
  munmap(at, 4 * PAGE);
  mmap(at, 3 * PAGE, RW, SHARED | MAP_FIXED, -1, 0);
  SHOW(mlock(at + PAGE, PAGE));
  resident("shared", at, 3);
  munmap(at, 16 * PAGE);
  close(fd);
}

static void follows(void) {
  char *at = room(32);
  anon(at, 4, RW);
  SHOW(mlock(at, 4 * PAGE));
  mprotect(at + PAGE, PAGE, R);
  PLACE(mremap(at + 2 * PAGE, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 8 * PAGE));
  resident("growing fills what is locked", at + 8 * PAGE, 4);
  SHOW(madvise(at + 8 * PAGE, PAGE, MADV_DONTNEED));
  SHOW(madvise(at, PAGE, MADV_DONTNEED));
  SHOW(munmap(at, 2 * PAGE));
  SHOW(munlock(at + 8 * PAGE, 4 * PAGE));
  SHOW(madvise(at + 8 * PAGE, PAGE, MADV_DONTNEED));
  munmap(at, 32 * PAGE);
}

static void all(void) {
  SHOW(mlockall(0));
  SHOW(mlockall(8));
  SHOW(mlockall(MCL_ONFAULT));
  SHOW(mlockall(MCL_FUTURE | MCL_ONFAULT));
  char *at = room(16);
  anon(at, 2, RW);
  resident("future, on fault", at, 2);
  SHOW(mlockall(MCL_FUTURE));
  anon(at + 4 * PAGE, 2, RW);
  resident("future", at + 4 * PAGE, 2);
  anon(at + 8 * PAGE, 2, NONE);
  resident("closed", at + 8 * PAGE, 2);
  SHOW(madvise(at + 4 * PAGE, PAGE, MADV_DONTNEED));
  SHOW(munlockall());
  SHOW(madvise(at + 4 * PAGE, PAGE, MADV_DONTNEED));
  anon(at + 12 * PAGE, 2, RW);
  resident("no more", at + 12 * PAGE, 2);
  munmap(at, 16 * PAGE);
}

static void limit(unsigned long pages) {
  struct rlimit less = {pages * PAGE, pages * PAGE};
  must(setrlimit(RLIMIT_MEMLOCK, &less) == 0, "setrlimit");
}

static void limitedChild(void) {
  becomeNobody();
  limit(4);
  char *at = room(32);
  anon(at, 8, RW);
  SHOW(mlock(at, 8 * PAGE));
  SHOW(mlock(at, 5 * PAGE));
  SHOW(mlock(at, 3 * PAGE));
  SHOW(mlock(at + 3 * PAGE, 2 * PAGE));
  SHOW(mlock(at, 4 * PAGE));
  SHOW(mlock(at + 2 * PAGE, 2 * PAGE));
  SHOW(mlock2(at + 4 * PAGE, PAGE, MLOCK_ONFAULT));
  PLACE(mmap(at + 16 * PAGE, PAGE, RW, ANON | MAP_LOCKED, -1, 0));
  PLACE(mremap(at, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, 0));
  SHOW(munlock(at, 2 * PAGE));
  PLACE(mmap(at + 16 * PAGE, PAGE, RW, ANON | MAP_LOCKED, -1, 0));
  PLACE(mmap(at + 18 * PAGE, 2 * PAGE, RW, ANON | MAP_LOCKED, -1, 0));
  SHOW(munmap(at + 16 * PAGE, PAGE));
  PLACE(mmap(at + 18 * PAGE, 2 * PAGE, RW, ANON | MAP_LOCKED, -1, 0));
  SHOW(mlockall(MCL_CURRENT));
  SHOW(mlockall(MCL_FUTURE));
  PLACE(mmap(at + 24 * PAGE, PAGE, RW, ANON, -1, 0));
  SHOW(munlockall());
  PLACE(mmap(at + 24 * PAGE, PAGE, RW, ANON, -1, 0));
  SHOW(mlock(at, 4 * PAGE));
}

static void noneChild(void) {
  becomeNobody();
  limit(0);
  char *at = room(8);
  anon(at, 2, RW);
  SHOW(mlock(at, PAGE));
  SHOW(mlock(at, 0));
  SHOW(mlockall(MCL_CURRENT));
  SHOW(mlockall(0));
  SHOW(munlock(at, PAGE));
  SHOW(munlockall());
  PLACE(mmap(at + 4 * PAGE, PAGE, RW, ANON | MAP_LOCKED, -1, 0));
}

/* A child keeps no lock. */
static char *parents;

static void unlockedChild(void) {
  SHOW(madvise(parents, PAGE, MADV_DONTNEED));
  bytes("its own copy is gone", parents, 2);
}

static void limited(void) {
  ended("four pages", inChild(limitedChild));
  ended("none", inChild(noneChild));
  parents = anon(room(4), 2, RW);
  mark(parents, 2, 1);
  SHOW(mlock(parents, 2 * PAGE));
  ended("child", inChild(unlockedChild));
  SHOW(madvise(parents, PAGE, MADV_DONTNEED));
  bytes("the parent's is not", parents, 2);
  munmap(parents, 2 * PAGE);
}

static const struct section SECTIONS[] = {
    SECTION(locking), SECTION(kinds), SECTION(follows), SECTION(all), SECTION(limited),
};
PROGRAM(SECTIONS)
