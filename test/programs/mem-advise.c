/* mem-advise.c: madvise(2): every advice on every kind of memory, and what each does. */
#include "mem.h"

#define FREE 8
#define HOLE 9

static const struct {
  const char *name;
  int advice;
} ADVICE[] = {
    {"NORMAL", 0},        {"RANDOM", 1},     {"SEQUENTIAL", 2},     {"WILLNEED", 3},       {"DONTNEED", 4},
    {"5", 5},             {"6", 6},          {"7", 7},              {"FREE", 8},           {"REMOVE", 9},
    {"DONTFORK", 10},     {"DOFORK", 11},    {"DONTDUMP", 16},      {"DODUMP", 17},        {"WIPEONFORK", 18},
    {"KEEPONFORK", 19},   {"COLD", 20},      {"PAGEOUT", 21},       {"POPULATE_READ", 22}, {"POPULATE_WRITE", 23},
    {"DONTNEED_LOCKED", 24}, {"26", 26},     {"99", 99},            {"104", 104},          {"-1", -1},
};

/* Each advice on four pages of one kind: the answer, and what the first bytes are then. */
static void each(const char *kind, char *at) {
  for (int i = 0; i < COUNT(ADVICE); i++) {
    printf("%s %s = %s, ", kind, ADVICE[i].name, outcome(madvise(at, 4 * PAGE, ADVICE[i].advice)));
    if (ADVICE[i].advice == FREE) { /* freed whenever the kernel likes: a store settles it */
      for (int page = 0; page < 4; page++) store(at + page * PAGE, page + 1);
    }
    bytes("then", at, 4);
    for (int page = 0; page < 4; page++) store(at + page * PAGE, page + 1);
  }
  madvise(at, 4 * PAGE, MADV_NORMAL);
  munmap(at, 4 * PAGE);
}

static void anonymous(void) {
  char *at = room(8);
  anon(at, 4, RW);
  mark(at, 4, 1);
  each("anonymous", at);
}

static void readable(void) {
  char *at = room(8);
  anon(at, 4, RW);
  mark(at, 4, 1);
  mprotect(at, 4 * PAGE, R);
  each("only to be read", at);
}

static void forbidden(void) {
  char *at = room(8);
  anon(at, 4, NONE);
  each("nothing allowed", at);
}

static void sharedAnonymous(void) {
  char *at = room(8);
  mmap(at, 4 * PAGE, RW, SHARED | MAP_FIXED, -1, 0);
  mark(at, 4, 1);
  each("shared", at);
}

static void privateFile(void) {
  char *at = room(8);
  int fd = file(4 * PAGE);
  mmap(at, 4 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);
  close(fd);
  for (int i = 0; i < 4; i++) at[i * PAGE] = (char)(i + 1);
  each("private file", at);
}

static void memoryFile(void) {
  char *at = room(8);
  int fd = memfd_create("advised", 0);
  must(ftruncate(fd, 4 * PAGE) == 0, "ftruncate");
  mmap(at, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  close(fd);
  mark(at, 4, 1);
  each("memfd", at);
}

/* A disk's file: MADV_REMOVE and its like depend on the filesystem, so only what holds everywhere. */
static void sharedFile(void) {
  char *at = room(8);
  int fd = file(4 * PAGE);
  mmap(at, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  at[PAGE] = 99;
  SHOW(madvise(at, 4 * PAGE, MADV_DONTNEED));
  bytes("nothing is lost", at, 4);
  SHOW(madvise(at, 4 * PAGE, MADV_FREE));
  SHOW(madvise(at, 4 * PAGE, MADV_WILLNEED));
  SHOW(madvise(at, 4 * PAGE, MADV_COLD));
  SHOW(madvise(at, 4 * PAGE, MADV_PAGEOUT));
  SHOW(madvise(at, 4 * PAGE, MADV_POPULATE_READ));
  SHOW(madvise(at, 4 * PAGE, MADV_POPULATE_WRITE));
  SHOW(madvise(at, 4 * PAGE, MADV_WIPEONFORK));
  SHOW(madvise(at, 4 * PAGE, MADV_DONTFORK));
  SHOW(madvise(at, 4 * PAGE, MADV_DOFORK));
  bytes("as before", at, 4);
  munmap(at, 4 * PAGE);
  close(fd);
}

static void ranges(void) {
  char *at = room(16);
  anon(at, 3, RW);
  anon(at + 4 * PAGE, 3, RW);
  static const int advices[] = {MADV_NORMAL, MADV_RANDOM, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE, MADV_DONTFORK,
                                MADV_DOFORK, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_WIPEONFORK,
                                MADV_KEEPONFORK, MADV_REMOVE, MADV_DONTDUMP, MADV_DODUMP};
  for (int i = 0; i < COUNT(advices); i++) {
    int advice = advices[i];
    mark(at, 3, 1);
    mark(at + 4 * PAGE, 3, 5);
    say("advice %d", advice);
    SHOW(madvise(at + 1, PAGE, advice));
    SHOW(madvise(at, 0, advice));
    SHOW(madvise(at + 3 * PAGE, 0, advice));
    SHOW(madvise(at, -1UL, advice));
    SHOW(madvise(at, TOP, advice));
    SHOW(madvise(TOP, PAGE, advice));
    SHOW(madvise(at + 3 * PAGE, PAGE, advice));
    SHOW(madvise(at, 7 * PAGE, advice));
    if (advice != MADV_FREE) bytes("the rest of it was done", at, 7);
    SHOW(madvise(at + 5 * PAGE, 5 * PAGE, advice));
    SHOW(madvise(at, 1, advice));
    if (advice != MADV_FREE) bytes("one byte is a page", at, 7);
  }
  SHOW(madvise(at + 1, 0, 12345));
  SHOW(madvise(at, 0, 12345));
  munmap(at, 16 * PAGE);
}

static void dontNeed(void) {
  char *at = room(700);
  anon(at, 600, RW);
  for (int i = 0; i < 600; i++) at[i * PAGE + 5] = 1;
  SHOW(madvise(at + 100 * PAGE, 400 * PAGE, MADV_DONTNEED));
  int left = 0;
  for (int i = 0; i < 600; i++) left += at[i * PAGE + 5];
  say("left %d", left);
  int fd = file(3 * PAGE);
  mmap(at, 3 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);
  mark(at, 3, 70);
  SHOW(madvise(at + PAGE, PAGE, MADV_DONTNEED));
  bytes("the file's again", at, 3);
  char byte = 40;
  pwrite(fd, &byte, 1, PAGE);
  bytes("and follows it until written", at, 3);
  close(fd);
  munmap(at, 700 * PAGE);
}

/* A page is 0 or what it was until it is stored to; then it is kept. */
static void lazily(void) {
  char *at = room(8);
  anon(at, 8, RW);
  mark(at, 8, 1);
  SHOW(madvise(at, 8 * PAGE, MADV_FREE));
  int right = 0;
  for (int i = 0; i < 8; i++) right += load(at + i * PAGE) == 0 || load(at + i * PAGE) == i + 1;
  say("right %d", right);
  mark(at, 8, 11);
  SHOW(madvise(at, 8 * PAGE, MADV_COLD));
  bytes("written after", at, 8);
  munmap(at, 8 * PAGE);
}

static void populate(void) {
  char *at = room(16);
  unsigned char in[8];
  anon(at, 4, RW);
  SHOW(madvise(at, 2 * PAGE, MADV_POPULATE_WRITE));
  mincore(at, 4 * PAGE, in);
  say("resident %d%d%d%d", in[0], in[1], in[2], in[3]);
  mprotect(at, 4 * PAGE, R);
  SHOW(madvise(at, 4 * PAGE, MADV_POPULATE_WRITE));
  mprotect(at, 4 * PAGE, NONE);
  SHOW(madvise(at, 4 * PAGE, MADV_POPULATE_READ));
  int fd = file(2 * PAGE);
  mmap(at + 4 * PAGE, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  SHOW(madvise(at + 4 * PAGE, 2 * PAGE, MADV_POPULATE_READ));
  SHOW(madvise(at + 4 * PAGE, 2 * PAGE, MADV_POPULATE_WRITE));
  SHOW(madvise(at + 4 * PAGE, 4 * PAGE, MADV_POPULATE_READ));
  SHOW(madvise(at + 4 * PAGE, 4 * PAGE, MADV_POPULATE_WRITE));
  mmap(at + 4 * PAGE, 4 * PAGE, R, MAP_PRIVATE | MAP_FIXED, fd, 0);
  SHOW(madvise(at + 4 * PAGE, 2 * PAGE, MADV_POPULATE_WRITE));
  SHOW(madvise(at + 4 * PAGE, 2 * PAGE, MADV_POPULATE_READ));
  close(fd);
  munmap(at, 16 * PAGE);
}

static void removal(void) {
  char *at = room(16);
  int fd = memfd_create("removed", 0);
  must(ftruncate(fd, 4 * PAGE) == 0, "ftruncate");
  char *other = mmap(at + 8 * PAGE, 4 * PAGE, R, MAP_SHARED, fd, 0);
  char *own = mmap(at + 4 * PAGE, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
  mmap(at, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  mark(at, 4, 1);
  bytes("seen by another mapping", other, 4);
  STORE(own + PAGE, 50);
  SHOW(madvise(at + PAGE, 2 * PAGE, MADV_REMOVE));
  bytes("here", at, 4);
  bytes("there", other, 4);
  bytes("a private copy stays", own, 4);
  char byte = 9;
  pread(fd, &byte, 1, 2 * PAGE);
  say("read %d", byte);
  SHOW(madvise(other, PAGE, MADV_REMOVE));
  SHOW(madvise(own, PAGE, MADV_REMOVE));
  anon(at, 1, RW);
  SHOW(madvise(at, PAGE, MADV_REMOVE));
  close(fd);
  munmap(at, 16 * PAGE);
}

static void locked(void) {
  char *at = room(8);
  anon(at, 4, RW);
  mark(at, 4, 1);
  SHOW(mlock(at, 2 * PAGE));
  SHOW(madvise(at, 4 * PAGE, MADV_DONTNEED));
  bytes("locked pages stay", at, 4);
  SHOW(madvise(at, PAGE, MADV_FREE));
  SHOW(madvise(at, PAGE, MADV_COLD));
  SHOW(madvise(at, PAGE, MADV_PAGEOUT));
  SHOW(madvise(at, PAGE, MADV_DONTNEED_LOCKED));
  bytes("unless asked so", at, 4);
  SHOW(munlock(at, 2 * PAGE));
  SHOW(madvise(at, 4 * PAGE, MADV_DONTNEED));
  bytes("all gone", at, 4);
  munmap(at, 8 * PAGE);
}

static const struct section SECTIONS[] = {
    SECTION(anonymous),  SECTION(readable),   SECTION(forbidden), SECTION(sharedAnonymous), SECTION(privateFile),
    SECTION(memoryFile), SECTION(sharedFile), SECTION(ranges),    SECTION(dontNeed),        SECTION(lazily),
    SECTION(populate),   SECTION(removal),    SECTION(locked),
};
PROGRAM(SECTIONS)
