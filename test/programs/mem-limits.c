/* mem-limits.c: RLIMIT_AS, DATA, STACK, and what overcommit refuses. Each limit is set in a child. */
#include "mem.h"

static long field(const char *name) {
  char line[256];
  long value = -1;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (strncmp(line, name, strlen(name)) == 0) value = atol(line + strlen(name)) * 1024;
  if (status) fclose(status);
  return value;
}

static void least(int resource, long bytes) {
  struct rlimit less;
  getrlimit(resource, &less);
  less.rlim_cur = (rlim_t)bytes;
  must(setrlimit(resource, &less) == 0, "setrlimit");
}

static void spaceChild(void) {
  char *at = room(64);
  anon(at + 40 * PAGE, 4, RW);
  anon(at + 50 * PAGE, 4, RW);
  long size = field("VmSize:");
  must(size > 0, "VmSize");
  least(RLIMIT_AS, size + 4 * (long)PAGE);
  PLACE(mmap(at, 5 * PAGE, RW, ANON, -1, 0));
  PLACE(mmap(at, 5 * PAGE, NONE, ANON | MAP_NORESERVE, -1, 0));
  PLACE(mmap(at, 4 * PAGE, NONE, SHARED, -1, 0));
  PLACE(mmap(at + 8 * PAGE, PAGE, R, ANON, -1, 0));
  PLACE(mmap(at, 4 * PAGE, R, ANON | MAP_FIXED, -1, 0));
  PLACE(mmap(at + PAGE, 4 * PAGE, R, ANON | MAP_FIXED, -1, 0));
  PLACE(mremap(at + 40 * PAGE, 4 * PAGE, 5 * PAGE, 0, 0));
  PLACE(mremap(at + 40 * PAGE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 20 * PAGE));
  PLACE(mremap(at + 20 * PAGE, 4 * PAGE, 3 * PAGE, 0, 0));
  PLACE(mremap(at + 50 * PAGE, 4 * PAGE, 5 * PAGE, 0, 0));
  char *now = (char *)syscall(SYS_brk, 0);
  say("brk %d", (char *)syscall(SYS_brk, now + 16 * PAGE) == now);
  SHOW(munmap(at, 4 * PAGE));
  PLACE(mmap(at, 4 * PAGE, RW, ANON, -1, 0));
  SHOW(mprotect(at + PAGE, PAGE, R));
  least(RLIMIT_AS, 0);
  PLACE(mmap(at + 30 * PAGE, PAGE, RW, ANON, -1, 0));
  SHOW(munmap(at, 4 * PAGE));
}

static void space(void) {
  ended("child", inChild(spaceChild));
}

static void dataChild(void) {
  char *at = room(64);
  int fd = file(4 * PAGE);
  least(RLIMIT_DATA, (long)PAGE);
  PLACE(mmap(at, PAGE, RW, ANON, -1, 0));
  PLACE(mmap(at, PAGE, R, ANON, -1, 0));
  SHOW(mprotect(at, PAGE, RW));
  SHOW(mprotect(at, PAGE, NONE));
  PLACE(mmap(at + 4 * PAGE, PAGE, RW, SHARED, -1, 0));
  PLACE(mmap(at + 8 * PAGE, PAGE, RW, MAP_PRIVATE, fd, 0));
  PLACE(mmap(at + 8 * PAGE, PAGE, R, MAP_PRIVATE, fd, 0));
  SHOW(mprotect(at + 8 * PAGE, PAGE, RW));
  PLACE(mmap(at + 12 * PAGE, PAGE, RW, MAP_SHARED, fd, 0));
  PLACE(mmap(at + 16 * PAGE, PAGE, RW, ANON | MAP_GROWSDOWN, -1, 0));
  char *now = (char *)syscall(SYS_brk, 0);
  say("brk %d", (char *)syscall(SYS_brk, now + 16 * PAGE) == now);
}

static void data(void) {
  ended("child", inChild(dataChild));
}

static void stackChild(void) {
  char *at = room(600);
  mmap(at + 500 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  least(RLIMIT_STACK, 16 * (long)PAGE);
  STORE(at + 490 * PAGE, 1);
  STORE(at + 486 * PAGE, 1);
  STORE(at + 485 * PAGE, 1);
  STORE(at + 300 * PAGE, 1);
  strip("grown", at + 484 * PAGE, 5);
}

static volatile int depth;

__attribute__((noinline)) static int deeper(int left) {
  volatile char frame[4000];
  frame[0] = (char)left;
  depth++;
  return left == 0 ? frame[0] : deeper(left - 1) + frame[0];
}

static void overflowChild(void) {
  signal(SIGSEGV, SIG_DFL);
  least(RLIMIT_STACK, 1 << 20);
  deeper(1000);
}

static void enoughChild(void) {
  least(RLIMIT_STACK, 16 << 20);
  deeper(3000);
  say("%d frames", depth);
}

static void stack(void) {
  ended("16 pages", inChild(stackChild));
  ended("1 MiB, 4 MB used", inChild(overflowChild));
  ended("16 MiB, 12 MB used", inChild(enoughChild));
}

static void values(void) {
  struct rlimit now, set = {100, 50};
  SHOW(setrlimit(RLIMIT_AS, &set));
  SHOW(syscall(SYS_prlimit64, 0, 99, NULL, &now));
  SHOW(syscall(SYS_prlimit64, 0, RLIMIT_AS, NULL, (void *)TOP));
  SHOW(syscall(SYS_prlimit64, 0, RLIMIT_AS, (void *)TOP, NULL));
  SHOW(syscall(SYS_prlimit64, 99999999, RLIMIT_AS, NULL, &now));
  SHOW(syscall(SYS_prlimit64, getpid(), RLIMIT_STACK, NULL, &now));
  getrlimit(RLIMIT_DATA, &set);
  set.rlim_cur = 1UL << 30;
  SHOW(setrlimit(RLIMIT_DATA, &set));
  getrlimit(RLIMIT_DATA, &now);
  say("told back %d", now.rlim_cur == 1UL << 30 && now.rlim_max == set.rlim_max);
  set.rlim_cur = set.rlim_max;
  SHOW(setrlimit(RLIMIT_DATA, &set));
}

static void *otherThread(void *arg) {
  struct rlimit now;
  getrlimit(RLIMIT_DATA, &now);
  say("another thread sees it %d", now.rlim_cur == *(rlim_t *)arg);
  return NULL;
}

static void inheritedChild(void) {
  struct rlimit now;
  getrlimit(RLIMIT_DATA, &now);
  say("a child has it %d", now.rlim_cur == 1UL << 29);
  least(RLIMIT_DATA, 1L << 28);
}

static void inherited(void) {
  struct rlimit old;
  getrlimit(RLIMIT_DATA, &old);
  least(RLIMIT_DATA, 1L << 29);
  rlim_t wanted = 1UL << 29;
  finish(begin(otherThread, &wanted));
  ended("child", inChild(inheritedChild));
  struct rlimit now;
  getrlimit(RLIMIT_DATA, &now);
  say("its change is its own %d", now.rlim_cur == 1UL << 29);
  SHOW(setrlimit(RLIMIT_DATA, &old));
}

static int up[2], down[2];

/* Says that it is there, and what its own limits and its heap's are worth when asked to go on. */
static void limitedOther(void) {
  char byte = 0;
  struct rlimit now;
  must(write(up[1], "r", 1) == 1 && read(down[0], &byte, 1) == 1, "the parent goes first");
  getrlimit(RLIMIT_DATA, &now);
  say("set from outside: %d %d", now.rlim_cur == 1UL << 28, now.rlim_max == 1UL << 29);
  getrlimit(RLIMIT_AS, &now);
  say("a mapping beyond it: %s", mmap(NULL, now.rlim_cur, NONE, ANON, -1, 0) == MAP_FAILED ? errname(errno) : "mapped");
}

static void *theirThread(void *arg) {
  *(pid_t *)arg = gettid();
  char byte;
  must(write(up[1], "r", 1) == 1 && read(down[0], &byte, 1) == 1, "the parent goes first");
  return NULL;
}

/* The limits of another process: set and told by its id, not the caller's own. */
static void others(void) {
  struct rlimit own, old, set = {1UL << 28, 1UL << 29}, now;
  must(pipe(up) == 0 && pipe(down) == 0, "pipe");
  getrlimit(RLIMIT_DATA, &own);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    limitedOther();
    fflush(stdout);
    _exit(3);
  }
  char byte;
  must(read(up[0], &byte, 1) == 1, "the child");
  SHOW(syscall(SYS_prlimit64, (long)pid, RLIMIT_DATA, &set, &old));
  say("it had its parent's: %d", old.rlim_cur == own.rlim_cur && old.rlim_max == own.rlim_max);
  SHOW(syscall(SYS_prlimit64, (long)pid, RLIMIT_DATA, NULL, &now));
  say("now its own %d", now.rlim_cur == 1UL << 28 && now.rlim_max == 1UL << 29);
  getrlimit(RLIMIT_DATA, &now);
  say("the caller's stays %d", now.rlim_cur == own.rlim_cur && now.rlim_max == own.rlim_max);
  set = (struct rlimit){1UL << 36, 1UL << 36};
  SHOW(syscall(SYS_prlimit64, (long)pid, RLIMIT_AS, &set, NULL));
  set.rlim_max = 1;
  SHOW(syscall(SYS_prlimit64, (long)pid, RLIMIT_AS, &set, NULL));
  SHOW(syscall(SYS_prlimit64, (long)pid, 99, NULL, &now));
  SHOW(syscall(SYS_prlimit64, 99999999L, RLIMIT_AS, (void *)TOP, NULL));
  SHOW(syscall(SYS_prlimit64, 99999999L, 99, NULL, &now));
  SHOW(syscall(SYS_prlimit64, -1L, RLIMIT_AS, NULL, &now));
  SHOW(syscall(SYS_prlimit64, (long)pid, RLIMIT_AS, NULL, (void *)TOP));
  fflush(stdout);
  must(write(down[1], "g", 1) == 1, "go");
  int status;
  must(waitpid(pid, &status, 0) == pid, "waitpid");
  ended("child", status);
  SHOW(syscall(SYS_prlimit64, (long)pid, RLIMIT_DATA, NULL, &now));
  pid_t *tid = (pid_t *)mmap(NULL, PAGE, RW, SHARED, -1, 0);
  pid = fork();
  if (pid == 0) {
    finish(begin(theirThread, tid));
    _exit(0);
  }
  must(read(up[0], &byte, 1) == 1, "the child's thread");
  set = (struct rlimit){1UL << 27, own.rlim_max};
  SHOW(syscall(SYS_prlimit64, (long)*tid, RLIMIT_DATA, &set, NULL));
  SHOW(syscall(SYS_prlimit64, (long)pid, RLIMIT_DATA, NULL, &now));
  say("by a thread's id: %d", now.rlim_cur == 1UL << 27);
  must(write(down[1], "g", 1) == 1 && waitpid(pid, &status, 0) == pid, "waitpid");
  close(up[0]), close(up[1]), close(down[0]), close(down[1]);
  munmap((char *)tid, PAGE);
}

/* Far more than any machine has: mode 0, the heuristic, refuses it at once unless nothing is reserved. */
static void overcommit(void) {
  char mode = 0;
  int fd = open("/proc/sys/vm/overcommit_memory", O_RDONLY);
  if (fd >= 0) {
    must(read(fd, &mode, 1) == 1, "overcommit_memory");
    close(fd);
  }
  say("mode %c", mode);
  unsigned long huge = 1UL << 37; /* within Sv39, more than there is */
  char *at = mmap(NULL, huge, NONE, ANON, -1, 0);
  say("closed and private: %s", at == MAP_FAILED ? errname(errno) : "mapped");
  if (at == MAP_FAILED) return;
  say("opened: %s", outcome(mprotect(at, huge, RW)));
  say("a part opened: %s", outcome(mprotect(at + (1UL << 30), 16 * PAGE, RW)));
  STORE(at + (1UL << 30), 1);
  munmap(at, huge);
  at = mmap(NULL, huge, RW, ANON, -1, 0);
  say("to be written: %s", at == MAP_FAILED ? errname(errno) : "mapped");
  at = mmap(NULL, huge, RW, SHARED, -1, 0);
  say("shared: %s", at == MAP_FAILED ? errname(errno) : "mapped");
  at = mmap(NULL, huge, RW, ANON | MAP_NORESERVE, -1, 0);
  say("unreserved: %s", at == MAP_FAILED ? errname(errno) : "mapped");
  if (at != MAP_FAILED) munmap(at, huge);
}

static const struct section SECTIONS[] = {
    SECTION(space), SECTION(data), SECTION(stack), SECTION(values), SECTION(inherited), SECTION(others),
    SECTION(overcommit),
};
PROGRAM(SECTIONS)
