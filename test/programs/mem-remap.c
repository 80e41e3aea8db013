/* mem-remap.c: mremap(2) in all its forms. Since Linux 6.17 one call may move several mappings: that section probes. */
#include "mem.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define MAY MREMAP_MAYMOVE
#define FIX (MREMAP_MAYMOVE | MREMAP_FIXED)
#define DONT (MREMAP_MAYMOVE | MREMAP_DONTUNMAP)

static void refusals(void) {
  char *at = room(32);
  anon(at, 4, RW);
  anon(at + 6 * PAGE, 2, RW);
  PLACE(mremap(at + 1, PAGE, PAGE, 0, 0));
  PLACE(mremap(at, PAGE, 0, 0, 0));
  PLACE(mremap(at, PAGE, 0, MAY, 0));
  PLACE(mremap(at, PAGE, PAGE, 8, 0));
  PLACE(mremap(at, PAGE, PAGE, MREMAP_FIXED, at + 16 * PAGE));
  PLACE(mremap(at, PAGE, PAGE, MREMAP_DONTUNMAP, 0));
  PLACE(mremap(at, PAGE, 2 * PAGE, DONT, 0));
  PLACE(mremap(at, PAGE, PAGE, FIX, at + 16 * PAGE + 1));
  PLACE(mremap(at, PAGE, PAGE, FIX, TOP));
  PLACE(mremap(at, 2 * PAGE, 2 * PAGE, FIX, at + PAGE));
  PLACE(mremap(at + PAGE, 2 * PAGE, 2 * PAGE, FIX, at));
  PLACE(mremap(at, PAGE, PAGE, FIX, at));
  PLACE(mremap(at, PAGE, -1UL, MAY, 0));
  PLACE(mremap(at + 4 * PAGE, PAGE, PAGE, 0, 0));
  PLACE(mremap(at + 4 * PAGE, PAGE, 2 * PAGE, MAY, 0));
  PLACE(mremap(at + 4 * PAGE, PAGE, PAGE, FIX, at + 16 * PAGE));
  PLACE(mremap(at + 2 * PAGE, 3 * PAGE, 4 * PAGE, MAY, 0));
  PLACE(mremap(at + 2 * PAGE, 3 * PAGE, 4 * PAGE, 0, 0));
  PLACE(mremap(at + 3 * PAGE, PAGE, 4 * PAGE, 0, 0));
  PLACE(mremap(at, 0, PAGE, MAY, 0));
  PLACE(mremap(at, 0, PAGE, 0, 0));
  PLACE(mremap(TOP, PAGE, PAGE, 0, 0));
  strip("as it was", at, 10);
  munmap(at, 32 * PAGE);
}

static void inPlace(void) {
  char *at = room(32);
  anon(at, 4, RW);
  mark(at, 4, 1);
  PLACE(mremap(at, 4 * PAGE, 4 * PAGE, 0, 0));
  PLACE(mremap(at, 4 * PAGE, 8 * PAGE, 0, 0));
  bytes("grown", at, 9);
  PLACE(mremap(at, 8 * PAGE, 3 * PAGE, 0, 0));
  bytes("shrunk", at, 9);
  PLACE(mremap(at, 3 * PAGE, 2 * PAGE + 1, 0, 0));
  PLACE(mremap(at, 2 * PAGE + 1, 5 * PAGE, 0, 0));
  bytes("grown anew", at, 9);
  anon(at + 6 * PAGE, 1, R);
  PLACE(mremap(at, 5 * PAGE, 6 * PAGE, 0, 0));
  PLACE(mremap(at, 6 * PAGE, 7 * PAGE, 0, 0));
  PLACE(mremap(at + PAGE, 2 * PAGE, 4 * PAGE, 0, 0));
  PLACE(mremap(at + PAGE, 2 * PAGE, PAGE, 0, 0));
  bytes("shrunk in its middle", at, 9);
  strip("all", at, 9);
  munmap(at, 32 * PAGE);
}

static void moves(void) {
  char *at = room(32);
  anon(at, 4, RW);
  mark(at, 4, 1);
  anon(at + 4 * PAGE, 1, NONE);
  char *to = mremap(at, 4 * PAGE, 6 * PAGE, MAY, 0);
  say("moved %d", to != at && to != MAP_FAILED);
  bytes("there", to, 6);
  bytes("here", at, 5);
  STORE(to + 5 * PAGE, 9);
  munmap(to, 6 * PAGE);
  anon(at, 4, RW);
  mark(at, 4, 11);
  PLACE(mremap(at + PAGE, 2 * PAGE, 2 * PAGE, FIX, at + 10 * PAGE));
  bytes("here", at, 5);
  bytes("there", at + 9 * PAGE, 4);
  PLACE(mremap(at + 10 * PAGE, 2 * PAGE, 4 * PAGE, FIX, at + 16 * PAGE));
  bytes("grown on the way", at + 15 * PAGE, 6);
  PLACE(mremap(at + 16 * PAGE, 4 * PAGE, PAGE, FIX, at + 10 * PAGE));
  bytes("shrunk on the way", at + 9 * PAGE, 3);
  bytes("all of it gone", at + 15 * PAGE, 6);
  PLACE(mremap(at + 10 * PAGE, PAGE, PAGE, FIX, at + 4 * PAGE));
  bytes("over another", at, 6);
  STORE(at + 4 * PAGE, 88);
  munmap(at, 32 * PAGE);
}

static void protection(void) {
  char *at = room(16);
  anon(at, 2, RW);
  mark(at, 2, 5);
  mprotect(at, 2 * PAGE, R);
  PLACE(mremap(at, 2 * PAGE, 3 * PAGE, FIX, at + 4 * PAGE));
  strip("only to be read", at, 8);
  SHOW(mprotect(at + 4 * PAGE, 3 * PAGE, RW));
  bytes("kept", at + 4 * PAGE, 3);
  STORE(at + 4 * PAGE, 1);
  mprotect(at + 4 * PAGE, 3 * PAGE, NONE);
  PLACE(mremap(at + 4 * PAGE, 3 * PAGE, 3 * PAGE, FIX, at));
  strip("nothing", at, 4);
  SHOW(mprotect(at, 3 * PAGE, R));
  bytes("kept", at, 3);
  munmap(at, 16 * PAGE);
}

static void several(void) {
  char *at = room(16);
  anon(at, 4, RW);
  mprotect(at + 2 * PAGE, 2 * PAGE, R);
  PLACE(mremap(at, 4 * PAGE, 6 * PAGE, MAY, 0));
  PLACE(mremap(at, 4 * PAGE, 6 * PAGE, FIX, at + 8 * PAGE));
  PLACE(mremap(at, 4 * PAGE, 4 * PAGE, 0, 0));
  PLACE(mremap(at, 4 * PAGE, 3 * PAGE, 0, 0));
  strip("shrinking may cross", at, 5);
  munmap(at, 16 * PAGE);
}

/* mm/mremap.c:remap_move(), Linux 6.17: several mappings and the holes between them, when nothing is resized. */
static void severalMoved(void) {
  char *at = room(32);
  anon(at, 4, RW);
  mark(at, 4, 1);
  mprotect(at + 2 * PAGE, 2 * PAGE, R);
  char *to = mremap(at, 4 * PAGE, 4 * PAGE, FIX, at + 16 * PAGE);
  if (unsupported(to == MAP_FAILED)) {
    munmap(at, 32 * PAGE);
    return;
  }
  bytes("there", at + 16 * PAGE, 5);
  strip("there", at + 16 * PAGE, 5);
  bytes("here", at, 5);
  munmap(at + 17 * PAGE, PAGE);
  PLACE(mremap(at + 16 * PAGE, 4 * PAGE, 4 * PAGE, FIX, at));
  strip("with a hole", at, 5);
  PLACE(mremap(at + PAGE, 3 * PAGE, 3 * PAGE, FIX, at + 16 * PAGE));
  PLACE(mremap(at, 5 * PAGE, 5 * PAGE, FIX, at + 8 * PAGE));
  strip("hole at the end", at + 8 * PAGE, 6);
  PLACE(mremap(at + 8 * PAGE, 4 * PAGE, 4 * PAGE, DONT, 0));
  PLACE(mremap(at + 8 * PAGE, PAGE, TOP, MAY, 0));
  PLACE(mremap(at + 8 * PAGE, PAGE, 1UL << 50, MAY, 0));
  munmap(at, 32 * PAGE);
}

static void dontUnmap(void) {
  char *at = room(32);
  anon(at, 3, RW);
  mark(at, 3, 1);
  char *to = mremap(at, 3 * PAGE, 3 * PAGE, DONT, 0);
  say("moved %d", to != at && to != MAP_FAILED);
  bytes("there", to, 3);
  strip("still mapped here", at, 4);
  bytes("and empty", at, 4);
  munmap(to, 3 * PAGE);
  mark(at, 3, 21);
  PLACE(mremap(at, 3 * PAGE, 3 * PAGE, DONT | MREMAP_FIXED, at + 8 * PAGE));
  bytes("fixed, there", at + 8 * PAGE, 3);
  bytes("fixed, here", at, 3);
  PLACE(mremap(at, 2 * PAGE, 2 * PAGE, DONT | MREMAP_FIXED, at + PAGE));
  PLACE(mremap(at, 0, 3 * PAGE, DONT, 0));
  mprotect(at + 8 * PAGE, 3 * PAGE, R);
  PLACE(mremap(at + 8 * PAGE, 3 * PAGE, 3 * PAGE, DONT | MREMAP_FIXED, at + 16 * PAGE));
  strip("only to be read, there", at + 16 * PAGE, 3);
  strip("only to be read, here", at + 8 * PAGE, 3);
  int fd = file(2 * PAGE);
  mmap(at + 20 * PAGE, 2 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);
  STORE(at + 20 * PAGE, 77);
  PLACE(mremap(at + 20 * PAGE, 2 * PAGE, 2 * PAGE, DONT | MREMAP_FIXED, at + 24 * PAGE));
  bytes("a private file, there", at + 24 * PAGE, 2);
  bytes("a private file, here", at + 20 * PAGE, 2);
  mmap(at + 20 * PAGE, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  PLACE(mremap(at + 20 * PAGE, 2 * PAGE, 2 * PAGE, DONT | MREMAP_FIXED, at + 28 * PAGE));
  STORE(at + 28 * PAGE, 78);
  bytes("a shared file, here", at + 20 * PAGE, 2);
  close(fd);
  munmap(at, 32 * PAGE);
}

/* old_size 0: a second mapping of the same shared pages. */
static void duplicates(void) {
  char *at = room(32);
  mmap(at, 3 * PAGE, RW, SHARED | MAP_FIXED, -1, 0);
  mark(at, 3, 1);
  PLACE(mremap(at, 0, 3 * PAGE, FIX, at + 8 * PAGE));
  bytes("a second view", at + 8 * PAGE, 3);
  STORE(at + 9 * PAGE, 50);
  bytes("the first", at, 3);
  PLACE(mremap(at + PAGE, 0, 2 * PAGE, FIX, at + 16 * PAGE));
  bytes("from its middle", at + 16 * PAGE, 2);
  PLACE(mremap(at, 0, 3 * PAGE, 0, 0));
  char *any = mremap(at, 0, 3 * PAGE, MAY, 0);
  say("anywhere %d", any != MAP_FAILED && any != at && load(any + PAGE) == 50);
  munmap(any, 3 * PAGE);
  munmap(at, 3 * PAGE);
  bytes("the second lives on", at + 8 * PAGE, 3);
  int fd = file(3 * PAGE);
  mmap(at, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, PAGE);
  PLACE(mremap(at, 0, 2 * PAGE, FIX, at + 20 * PAGE));
  STORE(at + 20 * PAGE, 66);
  bytes("of a file", at, 2);
  mmap(at, 2 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, PAGE);
  PLACE(mremap(at, 0, 2 * PAGE, FIX, at + 20 * PAGE));
  close(fd);
  munmap(at, 32 * PAGE);
}

static void files(void) {
  char *at = room(32);
  int fd = file(6 * PAGE);
  mmap(at, 2 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, PAGE);
  STORE(at, 70);
  PLACE(mremap(at, 2 * PAGE, 4 * PAGE, FIX, at + 8 * PAGE));
  bytes("moved and grown", at + 8 * PAGE, 5);
  PLACE(mremap(at + 8 * PAGE, 4 * PAGE, 7 * PAGE, 0, 0));
  strip("past its end", at + 8 * PAGE, 7);
  PLACE(mremap(at + 9 * PAGE, PAGE, PAGE, FIX, at));
  bytes("from its middle", at, 1);
  strip("leaves a hole", at + 8 * PAGE, 4);
  mmap(at + 20 * PAGE, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  PLACE(mremap(at + 20 * PAGE, 2 * PAGE, 3 * PAGE, 0, 0));
  STORE(at + 22 * PAGE, 71);
  char byte = 0;
  pread(fd, &byte, 1, 2 * PAGE);
  say("the file has %d", byte);
  mmap(at + 26 * PAGE, PAGE, R, MAP_SHARED | MAP_FIXED, fd, 0x7fffffffffffe000);
  PLACE(mremap(at + 26 * PAGE, PAGE, 4 * PAGE, MAY, 0));
  close(fd);
  munmap(at, 32 * PAGE);
}

/* Across tables of the page table: 2 MiB and more, sparsely filled. */
static void large(void) {
  unsigned long span = 1200;
  char *at = room(4000);
  anon(at, (int)span, RW);
  for (unsigned long i = 0; i < span; i += 7) at[i * PAGE] = (char)(i % 100 + 1);
  PLACE(mremap(at, span * PAGE, span * PAGE, FIX, at + 2001 * PAGE));
  int right = 0, left = 0;
  for (unsigned long i = 0; i < span; i++) right += load(at + (2001 + i) * PAGE) == (i % 7 ? 0 : (int)(i % 100 + 1));
  for (unsigned long i = 0; i < span; i++) left += load(at + i * PAGE) >= 0;
  say("right %d, left %d", right, left);
  PLACE(mremap(at + 2001 * PAGE, span * PAGE, span * PAGE, FIX, at + 700 * PAGE));
  right = 0;
  for (unsigned long i = 0; i < span; i++) right += load(at + (700 + i) * PAGE) == (i % 7 ? 0 : (int)(i % 100 + 1));
  say("right %d", right);
  munmap(at, 4000 * PAGE);
}

static volatile int over;

/* Loads from both places while the page goes to and fro: 42 there, a fault, or 0 where it is gone and mapped anew; never
 * another byte. */
static void *watch(void *arg) {
  (void)arg;
  long wrong = 0;
  while (!over)
    for (int i = 0; i < 2; i++) {
      int byte = load(base + i * 8 * PAGE);
      wrong += byte != 42 && byte != -1;
    }
  return (void *)wrong;
}

static void watched(void) {
  char *at = room(16);
  anon(at, 1, RW);
  *at = 42;
  over = 0;
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) threads[i] = begin(watch, NULL);
  int done = 0;
  for (int i = 0; i < 400; i++) done += mremap(at + i % 2 * 8 * PAGE, PAGE, PAGE, FIX, at + (i + 1) % 2 * 8 * PAGE) != MAP_FAILED;
  over = 1;
  long wrong = 0;
  for (int i = 0; i < 2; i++) wrong += (long)finish(threads[i]);
  say("moves %d, wrong %ld, at last %d", done, wrong, *at);
  munmap(at, 16 * PAGE);
}

static const struct section SECTIONS[] = {
    SECTION(refusals),  SECTION(inPlace),    SECTION(moves), SECTION(protection), SECTION(several), SECTION(severalMoved),
    SECTION(dontUnmap), SECTION(duplicates), SECTION(files), SECTION(large),      SECTION(watched),
};
PROGRAM(SECTIONS)
