/* mem-mmap.c: mmap(2) and munmap(2): every flag and type, what is refused and in which order, what is replaced. */
#include "mem.h"

#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif

static void types(void) {
  char *at = room(8);
  PLACE(mmap(at, PAGE, RW, MAP_ANONYMOUS, -1, 0));
  PLACE(mmap(at, PAGE, RW, ANON, -1, 0));
  PLACE(mmap(at + PAGE, PAGE, RW, SHARED, -1, 0));
  PLACE(mmap(at + 2 * PAGE, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0));
  PLACE(mmap(at + 3 * PAGE, PAGE, RW, 4 | MAP_ANONYMOUS, -1, 0));
  PLACE(mmap(at + 3 * PAGE, PAGE, RW, 0xf | MAP_ANONYMOUS, -1, 0));
  PLACE(mmap(at + 3 * PAGE, PAGE, RW, 0x10000000 | ANON, -1, 0));
  strip("mapped", at, 4);
  munmap(at, 8 * PAGE);
}

static void lengths(void) {
  char *at = room(8);
  PLACE(mmap(at, 0, RW, ANON, -1, 0));
  PLACE(mmap(at, 1, RW, ANON, -1, 0));
  strip("one byte is a page", at, 2);
  PLACE(mmap(at + PAGE, PAGE + 1, RW, ANON, -1, 0));
  strip("one more is two", at, 4);
  PLACE(mmap(NULL, -1UL, RW, ANON, -1, 0));
  PLACE(mmap(NULL, TOP, RW, ANON, -1, 0));
  PLACE(mmap(NULL, 1UL << 62, NONE, ANON | MAP_NORESERVE, -1, 0));
  PLACE(mmap(at, 1UL << 62, RW, ANON | MAP_FIXED, -1, 0));
  SHOW(munmap(at, 0));
  SHOW(munmap(at + 1, PAGE));
  SHOW(munmap(at, -1UL));
  SHOW(munmap(TOP, PAGE));
  SHOW(munmap(at, TOP));
  SHOW(munmap(at, 1));
  strip("one byte unmaps a page", at, 4);
  SHOW(munmap(at, 8 * PAGE));
  SHOW(munmap(at, 8 * PAGE));
  strip("all gone", at, 4);
}

static void fixed(void) {
  char *at = room(16);
  PLACE(mmap(at + 5, PAGE, RW, ANON | MAP_FIXED, -1, 0));
  PLACE(mmap(TOP, PAGE, RW, ANON | MAP_FIXED, -1, 0));
  PLACE(mmap(TOP, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
  PLACE(mmap(at, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0));
  mark(at, 4, 10);
  PLACE(mmap(at + PAGE, 2 * PAGE, R, ANON | MAP_FIXED, -1, 0));
  bytes("replaced in the middle", at, 4);
  strip("and for reading", at, 4);
  PLACE(mmap(at + 3 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
  PLACE(mmap(at + 4 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
  PLACE(mmap(at + 6 * PAGE + 1, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
  PLACE(mmap(at + 4 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_FIXED_NOREPLACE, -1, 0));
  PLACE(mmap(at + 8 * PAGE, PAGE, RW, ANON, -1, 0));
  char *other = mmap(at + 8 * PAGE, PAGE, RW, ANON, -1, 0);
  say("a hint that is taken: %s", other != MAP_FAILED && other != at + 8 * PAGE ? "elsewhere" : "there");
  munmap(other, PAGE);
  other = mmap(at + 9 * PAGE + 100, PAGE, RW, ANON, -1, 0);
  say("a hint between pages: aligned %d", ((uintptr_t)other & (PAGE - 1)) == 0);
  munmap(other, PAGE);
  other = mmap(TOP, PAGE, RW, ANON, -1, 0);
  say("a hint out of reach: %s", other == MAP_FAILED ? errname(errno) : "elsewhere");
  munmap(other, PAGE);
  strip("now", at, 10);
  munmap(at, 16 * PAGE);
}

/* Flags that are hints, or mean nothing any more: the mapping is as it would be without. */
static void hints(void) {
  static const struct {
    const char *name;
    int flag;
  } flags[] = {
      {"MAP_NORESERVE", MAP_NORESERVE}, {"MAP_POPULATE", MAP_POPULATE},     {"MAP_NONBLOCK", MAP_NONBLOCK},
      {"MAP_STACK", MAP_STACK},         {"MAP_DENYWRITE", MAP_DENYWRITE},   {"MAP_EXECUTABLE", MAP_EXECUTABLE},
      {"MAP_LOCKED", MAP_LOCKED},       {"MAP_SYNC", MAP_SYNC},             {"MAP_FILE", MAP_FILE},
      {"MAP_UNINITIALIZED", 0x4000000}, {"populate, nonblock", MAP_POPULATE | MAP_NONBLOCK},
      {"populate, locked", MAP_POPULATE | MAP_LOCKED},
  };
  char *at = room(4);
  for (int i = 0; i < COUNT(flags); i++) {
    PLACE(mmap(at, 3 * PAGE, RW, ANON | MAP_FIXED | flags[i].flag, -1, 0));
    unsigned char resident[3];
    mincore(at, 3 * PAGE, resident);
    say("%s: resident %d%d%d", flags[i].name, resident[0] & 1, resident[1] & 1, resident[2] & 1);
    bytes("zero", at, 3);
    strip("all", at, 4);
    munmap(at, 3 * PAGE);
  }
}

static void refusals(void) {
  char *at = room(4);
  int ro = open("/proc/self/exe", O_RDONLY);
  int rw = file(2 * PAGE);
  int p[2];
  must(pipe(p) == 0, "pipe");
  int dir = open("/tmp", O_RDONLY | O_DIRECTORY);
  PLACE(mmap(at, PAGE, R, MAP_PRIVATE, -1, 0));
  PLACE(mmap(at, PAGE, R, MAP_PRIVATE, 999, 0));
  PLACE(mmap(at, PAGE, R, MAP_PRIVATE, rw, 1));
  PLACE(mmap(at, PAGE, R, MAP_PRIVATE, 999, 1));
  PLACE(mmap(at, 0, R, MAP_PRIVATE, 999, 0));
  PLACE(mmap(at, 0, R, MAP_PRIVATE, rw, 0));
  PLACE(mmap(at, PAGE, R, 0, rw, 0));
  PLACE(mmap(at, PAGE, R, MAP_FIXED, rw, 0));
  PLACE(mmap(at, PAGE, R, MAP_PRIVATE, p[0], 0));
  PLACE(mmap(at, PAGE, R, MAP_PRIVATE, dir, 0));
  PLACE(mmap(at, PAGE, RW, MAP_SHARED, ro, 0));
  PLACE(mmap(at, PAGE, RW, MAP_PRIVATE, ro, 0));
  munmap(at, PAGE);
  PLACE(mmap(at, 2 * PAGE, R, MAP_SHARED, rw, TOP));
  PLACE(mmap(at, 2 * PAGE, R, MAP_SHARED, rw, 0x7ffffffffffff000));
  PLACE(mmap(at, PAGE, R, MAP_SHARED_VALIDATE | 0x800000, rw, 0));
  PLACE(mmap(at, PAGE, R, MAP_SHARED_VALIDATE | MAP_FIXED_NOREPLACE, rw, 0));
  PLACE(mmap(at, PAGE, R, MAP_SHARED_VALIDATE | MAP_FIXED, rw, 0));
  PLACE(mmap(at, PAGE, R, MAP_SHARED | MAP_FIXED | 0x800000, rw, 0));
  munmap(at, PAGE);
  PLACE(mmap(at, PAGE, R, MAP_SHARED_VALIDATE | MAP_SYNC, rw, 0));
  PLACE(mmap(at, PAGE, R, MAP_SHARED | MAP_SYNC, rw, 0));
  munmap(at, PAGE);
  PLACE(mmap(at, PAGE, R, MAP_PRIVATE | MAP_GROWSDOWN, rw, 0));
  munmap(at, PAGE);
  PLACE(mmap(at, PAGE, R, MAP_SHARED | MAP_GROWSDOWN, rw, 0));
  PLACE(mmap(at, PAGE, RW, SHARED | MAP_GROWSDOWN, -1, 0));
  PLACE(mmap(at, PAGE, RW, ANON | MAP_HUGETLB, rw, 0));
  PLACE(mmap(at, PAGE, R, MAP_PRIVATE | MAP_HUGETLB, rw, 0));
  PLACE(mmap(at, 2UL << 20, RW, ANON | MAP_HUGETLB, -1, 0));
  int path = open("/tmp", O_PATH);
  PLACE(mmap(at, PAGE, R, MAP_PRIVATE, path, 0));
  int null = open("/dev/null", O_RDWR);
  PLACE(mmap(at, PAGE, R, MAP_PRIVATE, null, 0));
  strip("nothing is left", at, 2);
  close(path), close(null), close(ro), close(rw), close(dir), close(p[0]), close(p[1]);
}

static void writeOnly(void) {
  char path[] = "/tmp/faultline-mem-XXXXXX";
  int fd = mkstemp(path);
  must(ftruncate(fd, PAGE) == 0, "ftruncate");
  int wo = open(path, O_WRONLY), ro = open(path, O_RDONLY);
  unlink(path);
  char *at = room(4);
  PLACE(mmap(at, PAGE, W, MAP_SHARED, wo, 0));
  PLACE(mmap(at, PAGE, R, MAP_PRIVATE, wo, 0));
  PLACE(mmap(at, PAGE, NONE, MAP_PRIVATE, wo, 0));
  PLACE(mmap(at, PAGE, R, MAP_SHARED, ro, 0));
  SHOW(mprotect(at, PAGE, RW));
  SHOW(mprotect(at, PAGE, NONE));
  SHOW(mprotect(at, PAGE, R));
  munmap(at, PAGE);
  PLACE(mmap(at, PAGE, R, MAP_PRIVATE, ro, 0));
  SHOW(mprotect(at, PAGE, RW));
  STORE(at, 5);
  PLACE(mmap(at, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0));
  STORE(at, 6);
  munmap(at, PAGE);
  close(fd), close(wo), close(ro);
}

/* What the protections of a page allow. One that may be written may be read too, here and on riscv64; whether one that
 * may only be executed can be read is the architecture's affair. */
static void protections(void) {
  char *at = room(8);
  for (int prot = 0; prot < 8; prot++) {
    anon(at, 1, prot);
    if (prot != PROT_EXEC) say("protection %d: load %s", prot, load(at) < 0 ? faultName() : "ok");
    say("protection %d: store %s", prot, store(at, 1) < 0 ? faultName() : "ok");
    munmap(at, PAGE);
  }
  PLACE(mmap(at, PAGE, 0x8, ANON | MAP_FIXED, -1, 0));
  PLACE(mmap(at, PAGE, R | 0x100, ANON | MAP_FIXED, -1, 0));
  LOAD(at);
  PLACE(mmap(at, PAGE, R | PROT_GROWSDOWN, ANON | MAP_FIXED, -1, 0));
  LOAD(at);
  munmap(at, PAGE);
}

static void growsDown(void) {
  char *at = room(600);
  PLACE(mmap(at + 500 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0));
  strip("itself", at + 500 * PAGE, 2);
  STORE(at + 499 * PAGE + 4000, 1);
  STORE(at + 400 * PAGE, 2);
  strip("what it grew over", at + 398 * PAGE, 4);
  anon(at + 100 * PAGE, 1, RW);
  STORE(at + 101 * PAGE, 3);
  say("256 pages below a mapping nothing grows: %s", load(at + 360 * PAGE) < 0 ? faultName() : "grew");
  anon(at + 50 * PAGE, 1, NONE);
  PLACE(mmap(at + 90 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0));
  STORE(at + 60 * PAGE, 4);
  STORE(at + 51 * PAGE, 5);
  LOAD(at + 50 * PAGE);
  munmap(at, 600 * PAGE);
}

static void holes(void) {
  char *at = room(20);
  for (int i = 0; i < 10; i++) anon(at + 2 * i * PAGE, 1, RW);
  strip("every other", at, 20);
  SHOW(munmap(at + PAGE, 18 * PAGE));
  strip("the ends left", at, 20);
  anon(at, 20, RW);
  mark(at, 20, 1);
  for (int i = 0; i < 20; i += 3) munmap(at + i * PAGE, PAGE);
  bytes("each third gone", at, 20);
  SHOW(munmap(at, 20 * PAGE));
}

static void droppable(void) {
  char *at = room(4);
  char *got = mmap(at, PAGE, RW, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);
  if (unsupported(got == MAP_FAILED)) return;
  say("droppable memory holds what is stored while nobody wants it: %d", store(got, 7) == 0 && load(got) == 7);
  int fd = file(PAGE);
  PLACE(mmap(at + PAGE, PAGE, RW, MAP_DROPPABLE, fd, 0));
  PLACE(mmap(at + PAGE, PAGE, RW, MAP_DROPPABLE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0));
  PLACE(mmap(at + PAGE, PAGE, RW, MAP_DROPPABLE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0));
  SHOW(madvise(at, PAGE, MADV_KEEPONFORK));
  SHOW(mlock(at, PAGE));
  munmap(at, 4 * PAGE);
  close(fd);
}

static void many(void) {
  char *at = room(4096);
  int made = 0;
  for (int i = 0; i < 4000; i += 2) made += mmap(at + i * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) != MAP_FAILED;
  say("mappings apart %d", made);
  for (int i = 0; i < 4000; i += 2) at[i * PAGE] = (char)(i / 2);
  int right = 0;
  for (int i = 0; i < 4000; i += 2) right += at[i * PAGE] == (char)(i / 2);
  say("right %d", right);
  SHOW(munmap(at, 4000 * PAGE));
}

static const struct section SECTIONS[] = {
    SECTION(types),     SECTION(lengths),     SECTION(fixed),     SECTION(hints), SECTION(refusals),
    SECTION(writeOnly), SECTION(protections), SECTION(growsDown), SECTION(holes), SECTION(droppable),
    SECTION(many),
};
PROGRAM(SECTIONS)
