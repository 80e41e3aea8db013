/* mem-sync.c: msync(2) and mincore(2). */
#include "mem.h"

static void syncing(void) {
  char *at = room(16);
  int fd = file(3 * PAGE);
  mmap(at, 3 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  mark(at, 3, 41);
  SHOW(msync(at, 3 * PAGE, MS_SYNC));
  SHOW(msync(at, 3 * PAGE, MS_ASYNC));
  SHOW(msync(at, 3 * PAGE, MS_INVALIDATE));
  SHOW(msync(at, 3 * PAGE, MS_SYNC | MS_INVALIDATE));
  SHOW(msync(at, 3 * PAGE, 0));
  SHOW(msync(at, 3 * PAGE, MS_SYNC | MS_ASYNC));
  SHOW(msync(at, 3 * PAGE, 8));
  SHOW(msync(at + 1, PAGE, MS_SYNC));
  SHOW(msync(at, 0, MS_SYNC));
  SHOW(msync(at, 1, MS_SYNC));
  SHOW(msync(at, -1UL, MS_SYNC));
  SHOW(msync(at, TOP, MS_SYNC));
  SHOW(msync(at + 1, 0, 64));
  SHOW(msync(at, 4 * PAGE, MS_SYNC));
  SHOW(msync(at + 3 * PAGE, PAGE, MS_SYNC));
  SHOW(msync(at + 3 * PAGE, 0, MS_SYNC));
  munmap(at + PAGE, PAGE);
  SHOW(msync(at, 3 * PAGE, MS_SYNC));
  SHOW(msync(at, 3 * PAGE, MS_ASYNC));
  char text[3];
  for (int i = 0; i < 3; i++) pread(fd, &text[i], 1, i * (long)PAGE);
  say("the file has %d %d %d", text[0], text[1], text[2]);
  anon(at, 3, RW);
  SHOW(msync(at, 3 * PAGE, MS_SYNC));
  mprotect(at, PAGE, NONE);
  SHOW(msync(at, 3 * PAGE, MS_SYNC));
  mmap(at, 3 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);
  at[0] = 9;
  SHOW(msync(at, 3 * PAGE, MS_SYNC));
  pread(fd, text, 1, 0);
  say("the file has %d", text[0]);
  munmap(at, 16 * PAGE);
  close(fd);
}

static void invalidating(void) {
  char *at = room(4);
  int fd = file(2 * PAGE);
  mmap(at, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  at[0] = 5;
  SHOW(mlock(at, PAGE));
  SHOW(msync(at, 2 * PAGE, MS_INVALIDATE));
  SHOW(msync(at, 2 * PAGE, MS_SYNC));
  SHOW(munlock(at, PAGE));
  SHOW(msync(at, 2 * PAGE, MS_INVALIDATE));
  bytes("nothing lost", at, 2);
  munmap(at, 4 * PAGE);
  close(fd);
}

static void shown(const char *what, char *from, int pages) {
  unsigned char in[64];
  memset(in, 0xee, sizeof in);
  long result = mincore(from, (unsigned long)pages * PAGE, in);
  printf("%s %s:", what, outcome(result));
  for (int i = 0; result == 0 && i < pages; i++) printf(" %d", in[i]);
  say("%s", in[pages] == 0xee ? "" : " and more");
}

static void residency(void) {
  char *at = room(16);
  anon(at, 8, RW);
  shown("untouched", at, 8);
  at[PAGE] = 1;
  (void)load(at + 3 * PAGE);
  shown("one stored, one loaded", at, 8);
  madvise(at + PAGE, PAGE, MADV_DONTNEED);
  shown("one dropped", at, 8);
  mark(at, 8, 1);
  mprotect(at + 2 * PAGE, 2 * PAGE, NONE);
  shown("two closed", at, 8);
  mprotect(at, 8 * PAGE, RW);
  mremap(at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 10 * PAGE);
  anon(at, 2, RW);
  shown("two moved away", at, 8);
  shown("there", at + 10 * PAGE, 2);
  munmap(at, 16 * PAGE);
  mmap(at, 4 * PAGE, RW, SHARED | MAP_FIXED, -1, 0);
  shown("shared", at, 4);
  at[PAGE] = 1;
  shown("shared, one stored", at, 4);
  mremap(at, 0, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 8 * PAGE);
  shown("its second view", at + 8 * PAGE, 4);
  madvise(at + PAGE, PAGE, MADV_DONTNEED);
  shown("dropped here, still there", at, 4);
  int fd = file(3 * PAGE);
  mmap(at, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  for (int i = 0; i < 3; i++) (void)load(at + i * PAGE);
  shown("a file, and past its end", at, 4);
  mmap(at, 3 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);
  at[PAGE] = 8;
  (void)load(at);
  (void)load(at + 2 * PAGE);
  shown("of its own", at, 3);
  close(fd);
  munmap(at, 16 * PAGE);
}

static void refusals(void) {
  char *at = room(8);
  unsigned char in[8];
  anon(at, 3, RW);
  anon(at + 4 * PAGE, 1, R);
  SHOW(mincore(at + 1, PAGE, in));
  SHOW(mincore(at, 0, in));
  SHOW(mincore(at, 1, in));
  SHOW(mincore(at, PAGE + 1, in));
  SHOW(mincore(at, 4 * PAGE, in));
  SHOW(mincore(at + 3 * PAGE, PAGE, in));
  SHOW(mincore(at, PAGE, NULL));
  SHOW(mincore(at, PAGE, at + 3 * PAGE));
  SHOW(mincore(at, PAGE, at + 4 * PAGE));
  SHOW(mincore(at, 0, NULL));
  SHOW(mincore(at, -1UL, in));
  SHOW(mincore(at, TOP, in));
  SHOW(mincore(TOP, PAGE, in));
  munmap(at, 8 * PAGE);
}

static const struct section SECTIONS[] = {
    SECTION(syncing), SECTION(invalidating), SECTION(residency), SECTION(refusals),
};
PROGRAM(SECTIONS)
