/* mem-guard.c: guard pages, MADV_GUARD_INSTALL and MADV_GUARD_REMOVE: Linux 6.13 for private anonymous memory, 6.15 for files.
 * mm/madvise.c:madvise_guard_install(), mm/memory.c:handle_pte_marker(). */
#include "mem.h"

static int without(void) {
  char *at = anon(NULL, 1, RW);
  int missing = madvise(at, PAGE, MADV_GUARD_INSTALL) != 0;
  munmap(at, PAGE);
  return unsupported(missing);
}

static void basics(void) {
  if (without()) return;
  char *at = room(16);
  anon(at, 8, RW);
  mark(at, 8, 1);
  SHOW(madvise(at + 2 * PAGE, 3 * PAGE, MADV_GUARD_INSTALL));
  bytes("what was there is gone", at, 8);
  strip("guarded", at, 9);
  LOAD(at + 2 * PAGE);
  STORE(at + 3 * PAGE, 1);
  SHOW(madvise(at + 2 * PAGE, 3 * PAGE, MADV_GUARD_INSTALL));
  SHOW(madvise(at, 6 * PAGE, MADV_GUARD_INSTALL));
  strip("wider", at, 9);
  SHOW(madvise(at + PAGE, 2 * PAGE, MADV_GUARD_REMOVE));
  bytes("fresh where they were", at, 8);
  SHOW(madvise(at, 8 * PAGE, MADV_GUARD_REMOVE));
  bytes("all fresh, but what never was guarded", at, 8);
  SHOW(madvise(at, 8 * PAGE, MADV_GUARD_REMOVE));
  bytes("nothing to remove, nothing lost", at, 8);
  munmap(at, 16 * PAGE);
}

static void keptBy(void) {
  if (without()) return;
  char *at = room(32);
  anon(at, 6, RW);
  mark(at, 6, 1);
  SHOW(madvise(at + PAGE, PAGE, MADV_GUARD_INSTALL));
  SHOW(madvise(at, 6 * PAGE, MADV_DONTNEED));
  strip("DONTNEED", at, 6);
  mark(at, 1, 1), mark(at + 2 * PAGE, 4, 3);
  SHOW(madvise(at, 6 * PAGE, MADV_FREE));
  SHOW(madvise(at, 6 * PAGE, MADV_COLD));
  SHOW(madvise(at, 6 * PAGE, MADV_PAGEOUT));
  SHOW(madvise(at, 6 * PAGE, MADV_WILLNEED));
  strip("FREE, COLD, PAGEOUT, WILLNEED", at, 6);
  SHOW(madvise(at, 6 * PAGE, MADV_POPULATE_READ));
  SHOW(madvise(at, 6 * PAGE, MADV_POPULATE_WRITE));
  SHOW(mprotect(at, 6 * PAGE, R));
  SHOW(mprotect(at, 6 * PAGE, RW));
  strip("mprotect", at, 6);
  SHOW(mprotect(at, 6 * PAGE, NONE));
  strip("closed: a guard is told first, or not", at + 2 * PAGE, 2);
  SHOW(mprotect(at, 6 * PAGE, RW));
  strip("opened", at, 6);
  PLACE(mremap(at, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 16 * PAGE));
  strip("it moves along", at + 16 * PAGE, 4);
  SHOW(munmap(at + 16 * PAGE, 3 * PAGE));
  anon(at, 3, RW);
  strip("a new mapping has none", at, 6);
  unsigned char in[4];
  SHOW(madvise(at + PAGE, PAGE, MADV_GUARD_INSTALL));
  SHOW(mincore(at, 3 * PAGE, in));
  say("resident %d%d%d", in[0], in[1], in[2]);
  munmap(at, 32 * PAGE);
}

static char *area;

static void child(void) {
  strip("the child has", area, 5);
  SHOW(madvise(area, 5 * PAGE, MADV_GUARD_REMOVE));
  bytes("removed", area, 5);
}

static void forked(void) {
  if (without()) return;
  area = room(8);
  anon(area, 5, RW);
  mark(area, 5, 1);
  SHOW(madvise(area + PAGE, PAGE, MADV_GUARD_INSTALL));
  SHOW(madvise(area + 3 * PAGE, 2 * PAGE, MADV_WIPEONFORK));
  SHOW(madvise(area + 3 * PAGE, PAGE, MADV_GUARD_INSTALL));
  ended("child", inChild(child));
  strip("the parent's", area, 5);
  munmap(area, 8 * PAGE);
}

static void refusals(void) {
  if (without()) return;
  char *at = room(16);
  anon(at, 4, RW);
  anon(at + 5 * PAGE, 1, R);
  SHOW(madvise(at + 1, PAGE, MADV_GUARD_INSTALL));
  SHOW(madvise(at, 0, MADV_GUARD_INSTALL));
  SHOW(madvise(at + 4 * PAGE, PAGE, MADV_GUARD_INSTALL));
  SHOW(madvise(at, 6 * PAGE, MADV_GUARD_INSTALL));
  strip("all but the hole", at, 7);
  SHOW(madvise(at, 6 * PAGE, MADV_GUARD_REMOVE));
  strip("removed", at, 7);
  anon(at, 2, NONE);
  SHOW(madvise(at, PAGE, MADV_GUARD_INSTALL));
  LOAD(at);
  LOAD(at + PAGE);
  SHOW(mlock(at + 2 * PAGE, PAGE));
  SHOW(madvise(at + 2 * PAGE, PAGE, MADV_GUARD_INSTALL));
  SHOW(munlock(at + 2 * PAGE, PAGE));
  SHOW(madvise(at + 2 * PAGE, PAGE, MADV_GUARD_INSTALL));
  SHOW(mlock(at + 2 * PAGE, 2 * PAGE));
  SHOW(madvise(at + 2 * PAGE, PAGE, MADV_GUARD_REMOVE));
  munmap(at, 16 * PAGE);
}

static void calls(void) {
  if (without()) return;
  char *at = room(8);
  anon(at, 3, RW);
  SHOW(madvise(at + PAGE, PAGE, MADV_GUARD_INSTALL));
  int p[2];
  must(pipe(p) == 0, "pipe");
  SHOW(write(p[1], at + PAGE, 10));
  must(write(p[1], "0123456789", 10) == 10, "write");
  SHOW(read(p[0], at + PAGE, 10));
  struct iovec l = {at + 2 * PAGE, PAGE}, r = {at + PAGE, PAGE};
  SHOW(syscall(SYS_process_vm_readv, (long)getpid(), &l, 1UL, &r, 1UL, 0UL));
  close(p[0]), close(p[1]);
  munmap(at, 8 * PAGE);
}

static void ofFiles(void) {
  char *at = room(16);
  int fd = file(4 * PAGE);
  mmap(at, 4 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);
  if (unsupported(madvise(at + PAGE, PAGE, MADV_GUARD_INSTALL) != 0)) return;
  strip("private", at, 4);
  mmap(at + 8 * PAGE, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  SHOW(madvise(at + 9 * PAGE, 2 * PAGE, MADV_GUARD_INSTALL));
  strip("shared", at + 8 * PAGE, 4);
  SHOW(madvise(at + 8 * PAGE, 4 * PAGE, MADV_DONTNEED));
  strip("dropped", at + 8 * PAGE, 4);
  SHOW(madvise(at + 8 * PAGE, 4 * PAGE, MADV_GUARD_REMOVE));
  bytes("removed", at + 8 * PAGE, 4);
  mmap(at + 8 * PAGE, 4 * PAGE, R, MAP_SHARED | MAP_FIXED, fd, 0);
  SHOW(madvise(at + 9 * PAGE, 2 * PAGE, MADV_GUARD_INSTALL));
  strip("only to be read", at + 8 * PAGE, 4);
  must(ftruncate(fd, PAGE) == 0, "ftruncate");
  strip("cut", at + 8 * PAGE, 4);
  must(ftruncate(fd, 4 * PAGE) == 0, "ftruncate");
  strip("long again", at + 8 * PAGE, 4);
  munmap(at, 16 * PAGE);
  close(fd);
}

static volatile int over;

static void *touches(void *arg) {
  (void)arg;
  long wrong = 0;
  while (!over)
    for (int i = 0; i < 4; i++) {
      int byte = load(area + i * PAGE);
      wrong += byte == -1 ? i % 2 == 0 || signalCode != SEGV_MAPERR : byte != 0 && byte != 9;
      if (store(area + i * PAGE, 9) != 0) wrong += i % 2 == 0;
    }
  return (void *)wrong;
}

static void racing(void) {
  if (without()) return;
  area = room(8);
  anon(area, 4, RW);
  over = 0;
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) threads[i] = begin(touches, NULL);
  int bad = 0;
  for (int i = 0; i < 300; i++) {
    bad += madvise(area + PAGE, PAGE, MADV_GUARD_INSTALL) != 0;
    bad += madvise(area + 3 * PAGE, PAGE, MADV_GUARD_INSTALL) != 0;
    bad += load(area + PAGE) != -1;
    bad += madvise(area, 4 * PAGE, MADV_GUARD_REMOVE) != 0;
  }
  over = 1;
  long wrong = 0;
  for (int i = 0; i < 2; i++) wrong += (long)finish(threads[i]);
  say("bad %d, wrong %ld", bad, wrong);
  munmap(area, 8 * PAGE);
}

static const struct section SECTIONS[] = {
    SECTION(basics), SECTION(keptBy), SECTION(forked), SECTION(refusals), SECTION(calls), SECTION(ofFiles), SECTION(racing),
};
PROGRAM(SECTIONS)
