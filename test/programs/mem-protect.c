/* mem-protect.c: mprotect(2) and pkey_mprotect(2): splits, merges, what is kept, which part of a range is done when it fails. */
#include "mem.h"

#define PROT_GROWSDOWN_ 0x01000000
#define PROT_GROWSUP_ 0x02000000

static void refusals(void) {
  char *at = room(8);
  anon(at, 4, RW);
  SHOW(mprotect(at + 1, PAGE, R));
  SHOW(mprotect(at, 0, R));
  SHOW(mprotect(at + 1, 0, R));
  SHOW(mprotect(at + 7 * PAGE, 0, R));
  SHOW(mprotect(at, PAGE, 0x10));
  SHOW(mprotect(at, PAGE, R | 0x40));
  SHOW(mprotect(at, -1UL, R));
  SHOW(mprotect(at, TOP, R));
  SHOW(mprotect(TOP, PAGE, R));
  SHOW(mprotect(at + 4 * PAGE, PAGE, R));
  SHOW(mprotect(at, PAGE, R | PROT_GROWSDOWN_ | PROT_GROWSUP_));
  SHOW(mprotect(at, PAGE, R | PROT_GROWSDOWN_));
  SHOW(mprotect(at, PAGE, R | PROT_GROWSUP_));
  SHOW(mprotect(at, 1, R));
  strip("one byte is a page", at, 5);
  SHOW(mprotect(at + PAGE, PAGE + 1, NONE));
  strip("one more is two", at, 5);
  munmap(at, 8 * PAGE);
}

static void overHoles(void) {
  char *at = room(8);
  anon(at, 3, RW);
  anon(at + 4 * PAGE, 2, RW);
  SHOW(mprotect(at, 6 * PAGE, R));
  strip("up to the hole", at, 7);
  SHOW(mprotect(at + 3 * PAGE, 2 * PAGE, R));
  strip("begins in it: nothing", at, 7);
  SHOW(mprotect(at + 5 * PAGE, 2 * PAGE, NONE));
  strip("ends in one", at, 7);
  munmap(at, 8 * PAGE);
}

static void contents(void) {
  char *at = room(12);
  anon(at, 10, RW);
  mark(at, 10, 1);
  SHOW(mprotect(at, 10 * PAGE, NONE));
  bytes("nothing to be read", at, 10);
  SHOW(mprotect(at + 2 * PAGE, 3 * PAGE, R));
  bytes("three to be read", at, 10);
  SHOW(mprotect(at + 4 * PAGE, 4 * PAGE, RW));
  strip("and four to be written", at, 10);
  SHOW(mprotect(at, 10 * PAGE, RW));
  bytes("all kept", at, 10);
  for (int i = 0; i < 10; i += 2) mprotect(at + i * PAGE, PAGE, R);
  strip("every other", at, 10);
  for (int i = 0; i < 10; i += 2) mprotect(at + i * PAGE, PAGE, R | PROT_EXEC);
  strip("and to be executed", at, 10);
  SHOW(mprotect(at, 10 * PAGE, RW));
  bytes("all kept", at, 10);
  munmap(at, 12 * PAGE);
}

/* A store through a page that was writable a moment ago must fault. */
static void takesEffect(void) {
  char *at = room(2);
  anon(at, 1, RW);
  int wrong = 0;
  for (int i = 0; i < 300; i++) {
    wrong += store(at, i) != 0;
    mprotect(at, PAGE, R);
    wrong += store(at, 99) == 0 || load(at) != (i & 255);
    mprotect(at, PAGE, NONE);
    wrong += load(at) >= 0;
    mprotect(at, PAGE, RW);
    wrong += load(at) != (i & 255);
  }
  say("wrong %d", wrong);
  munmap(at, PAGE);
}

/* The zero page, made writable, must not be written. */
static void zeroPage(void) {
  char *at = room(6);
  anon(at, 4, R);
  bytes("read", at, 4);
  SHOW(mprotect(at, 4 * PAGE, RW));
  STORE(at + PAGE, 9);
  bytes("one is another now", at, 4);
  char *other = anon(at + 4 * PAGE, 2, R);
  bytes("zero is zero", other, 2);
  munmap(at, 6 * PAGE);
}

static void files(void) {
  char *at = room(6);
  int fd = file(3 * PAGE);
  mmap(at, 3 * PAGE, R, MAP_PRIVATE | MAP_FIXED, fd, 0);
  bytes("read", at, 3);
  STORE(at + PAGE, 50);
  SHOW(mprotect(at, 3 * PAGE, RW));
  STORE(at + PAGE, 51);
  SHOW(mprotect(at, 3 * PAGE, R));
  STORE(at + PAGE, 52);
  bytes("a copy of its own", at, 3);
  char byte = 0;
  pread(fd, &byte, 1, PAGE);
  say("the file has %d", byte);
  mmap(at, 3 * PAGE, R, MAP_SHARED | MAP_FIXED, fd, 0);
  SHOW(mprotect(at + PAGE, PAGE, RW));
  strip("shared", at, 4);
  STORE(at + PAGE, 60);
  SHOW(mprotect(at, 3 * PAGE, R));
  STORE(at + PAGE, 61);
  pread(fd, &byte, 1, PAGE);
  say("the file has %d", byte);
  munmap(at, 6 * PAGE);
  close(fd);
}

static void growing(void) {
  char *at = room(64);
  mmap(at + 40 * PAGE, 4 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  STORE(at + 36 * PAGE, 3);
  strip("grown", at + 34 * PAGE, 11);
  SHOW(mprotect(at + 42 * PAGE, PAGE, R | PROT_GROWSDOWN_));
  strip("from its start on", at + 34 * PAGE, 11);
  SHOW(mprotect(at + 36 * PAGE, 8 * PAGE, RW));
  SHOW(mprotect(at + 42 * PAGE, 2 * PAGE, NONE));
  SHOW(mprotect(at + 42 * PAGE, PAGE, R | PROT_GROWSDOWN_));
  munmap(at, 64 * PAGE);
}

static void keys(void) {
#if defined(__x86_64__)
  int nr = 329, alloc = 330, drop = 331;
#else
  int nr = 288, alloc = 289, drop = 290;
#endif
  char *at = room(2);
  anon(at, 1, RW);
  say("without a key: %s", outcome(syscall(nr, at, PAGE, R, -1)));
  strip("as mprotect", at, 1);
  if (prctl(PR_GET_DUMPABLE) >= 0 && syscall(alloc, 0L, 0L) > 0) {
    say("this processor has keys");
    return;
  }
  say("pkey_alloc: %s", outcome(syscall(alloc, 0L, 0L)));
  say("with flags: %s", outcome(syscall(alloc, 1L, 0L)));
  say("with odd rights: %s", outcome(syscall(alloc, 0L, 8L)));
  say("pkey_free: %s", outcome(syscall(drop, 1L)));
  say("with a key nobody has: %s", outcome(syscall(nr, at, PAGE, RW, 5)));
  munmap(at, PAGE);
}

static void *flip(void *arg) {
  char *at = (char *)base + (intptr_t)arg * 16 * PAGE;
  long wrong = 0;
  for (int round = 0; round < 150; round++) {
    for (int i = 0; i < 16; i++) at[i * PAGE] = (char)round;
    wrong += mprotect(at + 4 * PAGE, 8 * PAGE, R) != 0;
    for (int i = 0; i < 16; i++) {
      int written = store(at + i * PAGE + 1, round) == 0;
      wrong += written != (i < 4 || i >= 12) || load(at + i * PAGE) != round;
    }
    wrong += mprotect(at + 4 * PAGE, 8 * PAGE, RW) != 0;
  }
  return (void *)wrong;
}

/* Threads side by side in one mapping: each splits and merges it under the others. */
static void neighbours(void) {
  char *at = room(64);
  anon(at, 64, RW);
  pthread_t all[4];
  for (intptr_t i = 0; i < 4; i++) all[i] = begin(flip, (void *)i);
  long wrong = 0;
  for (int i = 0; i < 4; i++) wrong += (long)finish(all[i]);
  say("wrong %ld", wrong);
  munmap(at, 64 * PAGE);
}

static const struct section SECTIONS[] = {
    SECTION(refusals), SECTION(overHoles), SECTION(contents), SECTION(takesEffect), SECTION(zeroPage),
    SECTION(files),    SECTION(growing),   SECTION(keys),     SECTION(neighbours),
};
PROGRAM(SECTIONS)
