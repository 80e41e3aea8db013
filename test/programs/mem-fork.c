/* mem-fork.c: what a child has of its parent's memory, and what neither sees of the other afterwards. */
#include "mem.h"
#include <sched.h>

static char *area;
static int p[2];

static void childOfCopies(void) {
  bytes("the child has", area, 4);
  mark(area, 2, 51);
  bytes("the child wrote", area, 4);
  char byte;
  must(read(p[0], &byte, 1) == 1, "read");
  bytes("the parent wrote, the child sees", area, 4);
}

static void copies(void) {
  area = anon(room(8), 4, RW);
  mark(area, 3, 1);
  must(pipe(p) == 0, "pipe");
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    childOfCopies();
    fflush(stdout);
    _exit(7);
  }
  usleep(2000);
  area[0] = 91;
  area[PAGE * 2] = 92;
  must(write(p[1], "g", 1) == 1, "write");
  int status;
  must(waitpid(pid, &status, 0) == pid, "waitpid");
  ended("child", status);
  bytes("the parent sees its own", area, 4);
  close(p[0]), close(p[1]);
  munmap(area, 8 * PAGE);
}

/* A page written before, shared by three, is written by each in turn. */
static void grandchild(void) {
  bytes("grandchild", area, 3);
  mark(area, 1, 33);
  bytes("grandchild wrote", area, 3);
}

static void middle(void) {
  mark(area + PAGE, 1, 22);
  ended("grandchild", inChild(grandchild));
  bytes("child", area, 3);
  mark(area, 3, 44);
}

static void generations(void) {
  area = anon(room(4), 3, RW);
  mark(area, 3, 1);
  ended("child", inChild(middle));
  bytes("parent", area, 3);
  mark(area, 3, 11);
  bytes("parent wrote", area, 3);
  munmap(area, 4 * PAGE);
}

static void adviceChild(void) {
  strip("the child has", area, 9);
  bytes("the child has", area, 9);
}

/* 0 plain, 1 DONTFORK, 2 WIPEONFORK, 3 DONTFORK then DOFORK, 4 WIPEONFORK then KEEPONFORK, 5 MAP_PRIVATE file, 6 shared */
static void advice(void) {
  area = room(16);
  anon(area, 5, RW);
  int fd = file(PAGE);
  mmap(area + 5 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);
  mmap(area + 6 * PAGE, PAGE, RW, SHARED | MAP_FIXED, -1, 0);
  mark(area, 7, 1);
  SHOW(madvise(area + PAGE, PAGE, MADV_DONTFORK));
  SHOW(madvise(area + 2 * PAGE, PAGE, MADV_WIPEONFORK));
  SHOW(madvise(area + 3 * PAGE, PAGE, MADV_DONTFORK));
  SHOW(madvise(area + 3 * PAGE, PAGE, MADV_DOFORK));
  SHOW(madvise(area + 4 * PAGE, PAGE, MADV_WIPEONFORK));
  SHOW(madvise(area + 4 * PAGE, PAGE, MADV_KEEPONFORK));
  SHOW(madvise(area + 6 * PAGE, PAGE, MADV_WIPEONFORK));
  ended("child", inChild(adviceChild));
  bytes("the parent keeps all", area, 9);
  munmap(area, 16 * PAGE);
  close(fd);
}

static void wipedTwice(void) {
  bytes("wiped", area, 3);
  mark(area, 3, 5);
  ended("its child", inChild(adviceChild));
  bytes("kept", area, 3);
}

/* WIPEONFORK is inherited; DONTFORK leaves nothing to inherit. */
static void wiped(void) {
  area = room(16);
  anon(area, 3, RW);
  mark(area, 3, 1);
  SHOW(madvise(area, 2 * PAGE, MADV_WIPEONFORK));
  ended("child", inChild(wipedTwice));
  bytes("parent", area, 3);
  munmap(area, 16 * PAGE);
}

static void protectionChild(void) {
  strip("as in the parent", area, 4);
  mprotect(area, 4 * PAGE, RW);
  bytes("opened", area, 4);
  mark(area, 4, 71);
  munmap(area + PAGE, PAGE);
}

static void protection(void) {
  area = anon(room(8), 4, RW);
  mark(area, 4, 1);
  mprotect(area, PAGE, R);
  mprotect(area + PAGE, PAGE, NONE);
  ended("child", inChild(protectionChild));
  strip("the parent's", area, 4);
  mprotect(area, 4 * PAGE, RW);
  bytes("and its bytes", area, 4);
  munmap(area, 8 * PAGE);
}

static void heapChild(void) {
  char *now = (char *)syscall(SYS_brk, 0);
  say("heap grows %d", (char *)syscall(SYS_brk, now + 8 * PAGE) == now + 8 * PAGE);
  now[5] = 3;
  char *mapped = mmap(NULL, 8 * PAGE, RW, ANON, -1, 0);
  say("maps %d", mapped != MAP_FAILED && store(mapped + PAGE, 1) == 0);
  int deep[3000];
  memset(deep, 1, sizeof deep);
  say("stack %d", deep[2999]);
  void *block = malloc(300000);
  say("malloc %d", block != NULL);
  free(block);
}

static void independent(void) {
  char *before = (char *)syscall(SYS_brk, 0);
  ended("child", inChild(heapChild));
  say("the parent's break stays %d", (char *)syscall(SYS_brk, 0) == before);
}

static void crashChild(void) {
  signal(SIGSEGV, SIG_DFL);
  munmap(area, PAGE);
  *(volatile char *)area = 1;
}

static void deaths(void) {
  area = anon(room(4), 1, RW);
  ended("child", inChild(crashChild));
  STORE(area, 1);
  munmap(area, PAGE);
}

/* vfork: the child acts on its parent's memory until it ends. */
static volatile int seen;

static void vforked(void) {
  seen = 1;
  area = anon(room(4), 2, RW);
  fflush(stdout);
  pid_t pid = vfork();
  if (pid == 0) {
    seen = 2;
    area[0] = 8;
    _exit(3);
  }
  int status;
  waitpid(pid, &status, 0);
  ended("child", status);
  say("its stores are the parent's: %d %d", seen, area[0]);
  munmap(area, 4 * PAGE);
}

static int cloned(void *arg) {
  area[PAGE] = 9;
  munmap(area + 2 * PAGE, PAGE);
  return (int)(intptr_t)arg;
}

/* CLONE_VM without CLONE_THREAD: another process, the same space. */
static void sharedSpace(void) {
  static char stack[65536] __attribute__((aligned(16)));
  area = anon(room(8), 4, RW);
  mark(area, 4, 1);
  fflush(stdout);
  int pid = clone(cloned, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)5);
  must(pid > 0, "clone");
  int status;
  must(waitpid(pid, &status, 0) == pid, "waitpid");
  ended("child", status);
  bytes("what it did", area, 4);
  anon(area, 4, RW);
  mark(area, 4, 11);
  pid = clone(cloned, stack + sizeof stack, SIGCHLD, (void *)6);
  must(pid > 0, "clone");
  must(waitpid(pid, &status, 0) == pid, "waitpid");
  ended("a space of its own", status);
  bytes("what it did", area, 4);
  munmap(area, 8 * PAGE);
}

static void bigChild(void) {
  long sum = 0;
  for (int i = 0; i < 4000; i++) sum += area[i * PAGE];
  say("sum %ld", sum);
  for (int i = 0; i < 4000; i += 2) area[i * PAGE] = 0;
}

static void big(void) {
  area = anon(room(4000), 4000, RW);
  for (int i = 0; i < 4000; i++) area[i * PAGE] = (char)(i % 7);
  for (int round = 0; round < 3; round++) ended("child", inChild(bigChild));
  long sum = 0;
  for (int i = 0; i < 4000; i++) sum += area[i * PAGE];
  say("sum %ld", sum);
  munmap(area, 4000 * PAGE);
}

#define WRITERS 3
#define WORDS 64
static volatile int over;

/* Each thread keeps its words of every page in step: all equal, never going back. */
static void *keepsWriting(void *arg) {
  intptr_t me = (intptr_t)arg;
  for (uint32_t round = 1; !over; round++)
    for (int page = 0; page < 8; page++) {
      volatile uint32_t *word = (uint32_t *)(area + page * PAGE) + me * WORDS;
      for (int i = 0; i < WORDS; i++) word[i] = round;
    }
  return NULL;
}

static int torn(void) {
  int wrong = 0;
  for (int page = 0; page < 8; page++)
    for (int me = 0; me < WRITERS; me++) {
      volatile uint32_t *word = (uint32_t *)(area + page * PAGE) + me * WORDS;
      for (int i = 1; i < WORDS; i++) wrong += word[i] > word[i - 1] || word[i - 1] - word[i] > 1;
    }
  return wrong;
}

/* A child's page is the parent's at one moment, and stands still. */
static void stillChild(void) {
  uint32_t first[8 * WRITERS];
  int wrong = torn();
  for (int i = 0; i < 8 * WRITERS; i++) first[i] = *(uint32_t *)(area + i / WRITERS * PAGE + i % WRITERS * WORDS * 4);
  usleep(500);
  for (int i = 0; i < 8 * WRITERS; i++)
    wrong += first[i] != *(uint32_t *)(area + i / WRITERS * PAGE + i % WRITERS * WORDS * 4);
  for (int page = 0; page < 8; page++) memset(area + page * PAGE, 0xff, PAGE);
  _exit(wrong ? 1 : 0);
}

static void forksWhileWriting(void) {
  area = anon(room(16), 8, RW);
  over = 0;
  pthread_t threads[WRITERS];
  for (intptr_t i = 0; i < WRITERS; i++) threads[i] = begin(keepsWriting, (void *)i);
  int bad = 0;
  for (int i = 0; i < 20; i++) {
    usleep(300);
    bad += inChild(stillChild) != 0;
  }
  over = 1;
  for (int i = 0; i < WRITERS; i++) finish(threads[i]);
  int wrong = 0;
  for (int page = 0; page < 8; page++)
    for (int me = 0; me < WRITERS; me++)
      for (int i = 0; i < WORDS; i++) wrong += ((uint32_t *)(area + page * PAGE))[me * WORDS + i] > 1u << 30;
  say("children wrong %d, parent wrong %d", bad, wrong);
  munmap(area, 16 * PAGE);
}

static void mapsChild(void) {
  for (int i = 0; i < 50; i++) {
    char *at = mmap(NULL, 16 * PAGE, RW, ANON, -1, 0);
    for (int page = 0; page < 16; page++) at[page * PAGE] = (char)i;
    munmap(at, 16 * PAGE);
  }
}

static void *forksToo(void *arg) {
  (void)arg;
  for (int i = 0; i < 8; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      mapsChild();
      _exit(0);
    }
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) return (void *)1;
  }
  return NULL;
}

static void *mapsToo(void *arg) {
  (void)arg;
  while (!over) mapsChild();
  return NULL;
}

static void forksTogether(void) {
  over = 0;
  fflush(stdout);
  pthread_t mapper = begin(mapsToo, NULL), forkers[2];
  for (int i = 0; i < 2; i++) forkers[i] = begin(forksToo, NULL);
  int bad = 0;
  for (int i = 0; i < 2; i++) bad += finish(forkers[i]) != NULL;
  over = 1;
  finish(mapper);
  say("bad %d", bad);
}

static const struct section SECTIONS[] = {
    SECTION(copies),      SECTION(generations), SECTION(advice),           SECTION(wiped),   SECTION(protection),
    SECTION(independent), SECTION(deaths),      SECTION(vforked),          SECTION(sharedSpace), SECTION(big),
    SECTION(forksWhileWriting), SECTION(forksTogether),
};
PROGRAM(SECTIONS)
