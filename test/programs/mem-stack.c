/* mem-stack.c: faults as a program sees them: the stack that grows, its gap and limit, and what siginfo tells. */
#include "mem.h"
#include <sys/auxv.h>
#include <ucontext.h>

static char *volatile nowhere, *volatile low = (char *)8;

static int deepen(int depth) {
  volatile signed char block[4000];
  block[0] = (signed char)(depth % 3);
  return (depth == 0 ? 0 : deepen(depth - 1)) + block[0];
}

static void deep(void) {
  say("1500 frames of a page %d", deepen(1500));
  volatile char big[1 << 20];
  big[0] = 1;
  say("a frame of a megabyte %d", big[0]);
}

static void overflowChild(void) {
  signal(SIGSEGV, SIG_DFL);
  deepen(1 << 20);
}

static void *toTheEnd(void *arg) {
  deepen(1 << 20);
  return arg;
}

static void threadChild(void) {
  signal(SIGSEGV, SIG_DFL);
  finish(begin(toTheEnd, NULL));
}

static void unblockableChild(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGSEGV);
  sigprocmask(SIG_BLOCK, &set, NULL);
  *(volatile char *)low = 1;
}

static void ignoredChild(void) {
  signal(SIGSEGV, SIG_IGN);
  *(volatile char *)low = 1;
}

static void busChild(void) {
  signal(SIGBUS, SIG_DFL);
  int fd = file(PAGE);
  char *at = mmap(NULL, 2 * PAGE, R, MAP_PRIVATE, fd, 0);
  (void)*(volatile char *)(at + PAGE);
}

static void deaths(void) {
  ended("a stack without end", inChild(overflowChild));
  ended("a thread's", inChild(threadChild));
  ended("SIGSEGV blocked", inChild(unblockableChild));
  ended("SIGSEGV ignored", inChild(ignoredChild));
  ended("past a file's end", inChild(busChild));
}

static char *alternate;
static volatile int inside;

static void onAlternate(int number, siginfo_t *info, void *context) {
  (void)context;
  char local;
  inside = &local >= alternate && &local < alternate + 65536;
  signalled = number;
  signalCode = info->si_code;
  siglongjmp(escape, 1);
}

static void overflowOnAlternate(void) {
  struct rlimit less;
  getrlimit(RLIMIT_STACK, &less);
  less.rlim_cur = 1 << 20;
  setrlimit(RLIMIT_STACK, &less);
  alternate = anon(NULL, 16, RW);
  stack_t stack = {.ss_sp = alternate, .ss_size = 65536};
  must(sigaltstack(&stack, NULL) == 0, "sigaltstack");
  struct sigaction action = {.sa_sigaction = onAlternate, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  if (sigsetjmp(escape, 1) == 0) deepen(1 << 20);
  say("caught on the other stack %d, %s", inside, faultName());
  say("and goes on %d", deepen(10) >= 0);
}

static void overflow(void) {
  ended("child", inChild(overflowOnAlternate));
}

static volatile long info[4];
static char *volatile next;

/* Opens the page and returns: the access is made again. */
static void mends(int number, siginfo_t *told, void *context) {
  (void)context;
  info[0] = number;
  info[1] = told->si_code;
  info[2] = (char *)told->si_addr - next;
  info[3] = told->si_errno;
  if (info[1] == SEGV_MAPERR) anon((char *)((uintptr_t)told->si_addr & ~(PAGE - 1)), 1, R);
  else mprotect((void *)((uintptr_t)told->si_addr & ~(PAGE - 1)), PAGE, RW);
}

static void mended(void) {
  char *at = room(8);
  struct sigaction action = {.sa_sigaction = mends, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  static const int offsets[] = {0, 1, 8, 100, 4088, 4095};
  for (int i = 0; i < COUNT(offsets); i++) {
    next = at + offsets[i];
    say("read %d", *(volatile char *)next);
    say("signal %ld code %ld at %+ld errno %ld", info[0], info[1], info[2], info[3]);
    *(volatile char *)next = 5;
    say("signal %ld code %ld at %+ld errno %ld", info[0], info[1], info[2], info[3]);
    say("now %d", *next);
    munmap(at, PAGE);
  }
  catchFaults();
}

/* Accesses wider than a byte, across the end of a page: the address told is in the page that faults. */
static void wide(void) {
  char *at = room(8);
  anon(at, 1, RW);
  struct sigaction action = {.sa_sigaction = mends, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  next = at + PAGE;
  memset(at, 0x11, PAGE);
  uint64_t value;
  __asm__ volatile("" ::: "memory");
  const char *volatile from = at + PAGE - 8;
  memcpy(&value, (const void *)from, 8);
  say("the last eight %lx", (unsigned long)value);
  *(volatile uint64_t *)next = 0x2222222222222222;
  say("signal %ld code %ld at %+ld", info[0], info[1], info[2]);
  munmap(at, 8 * PAGE);
  catchFaults();
}

/* The kernel's own accesses fail by errno, never by signal. */
static void byTheKernel(void) {
  char *at = room(8);
  anon(at, 1, RW);
  anon(at + 2 * PAGE, 1, R);
  anon(at + 4 * PAGE, 1, NONE);
  int p[2];
  must(pipe(p) == 0, "pipe");
  SHOW(write(p[1], at + PAGE, 1));
  SHOW(write(p[1], at + 4 * PAGE, 1));
  SHOW(write(p[1], at + 2 * PAGE, 4));
  SHOW(read(p[0], at + 2 * PAGE, 1));
  SHOW(read(p[0], at + PAGE, 1));
  SHOW(read(p[0], (void *)TOP, 1));
  SHOW(read(p[0], nowhere, 1));
  SHOW(read(p[0], at, 0));
  int fd = file(PAGE);
  struct iovec v[2] = {{at, 2}, {at + PAGE, 2}};
  SHOW(pwrite(fd, at + PAGE - 4, 8, 0));
  SHOW(preadv(fd, v, 2, 0));
  SHOW(pread(fd, at + PAGE - 4, 8, 0));
  SHOW(pread(fd, at + PAGE, 8, 0));
  close(fd);
  SHOW(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, at + 2 * PAGE));
  SHOW(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, at + PAGE - 8));
  SHOW(syscall(SYS_pipe2, at + PAGE, 0));
  SHOW(open(at + PAGE, O_RDONLY));
  memset(at, 'x', PAGE);
  SHOW(open(at, O_RDONLY));
  close(p[0]), close(p[1]);
  munmap(at, 8 * PAGE);
}

/* mm/mmap.c:expand_downwards(): 256 pages stay free below a mapping that grows, unless what lies there is closed. */
static void gap(void) {
  char *at = room(1000);
  mmap(at + 900 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  anon(at + 500 * PAGE, 1, RW);
  STORE(at + 757 * PAGE, 1);
  STORE(at + 756 * PAGE, 1);
  char *inside = mmap(at + 600 * PAGE, PAGE, RW, ANON, -1, 0);
  say("a hint in the gap is %s", inside == at + 600 * PAGE ? "taken" : "not taken");
  munmap(inside, PAGE);
  PLACE(mmap(at + 600 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0));
  STORE(at + 755 * PAGE, 1);
  munmap(at + 600 * PAGE, PAGE);
  STORE(at + 755 * PAGE, 1);
  munmap(at, 1000 * PAGE);
}

/* The kernel grows a stack for its own accesses too. */
static void grownByTheKernel(void) {
  char *at = room(600);
  mmap(at + 500 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  int p[2];
  must(pipe(p) == 0, "pipe");
  must(write(p[1], "abcdef", 6) == 6, "write");
  SHOW(read(p[0], at + 490 * PAGE, 6));
  LOAD(at + 490 * PAGE);
  munmap(at, 600 * PAGE);
  close(p[0]), close(p[1]);
}

static void execution(void) {
#if defined(__x86_64__)
  static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
#else
  static const unsigned char code[] = {0x13, 0x05, 0xa0, 0x02, 0x67, 0x80, 0x00, 0x00}; /* li a0, 42; ret */
#endif
  char *at = anon(room(2), 1, RW);
  memcpy(at, code, sizeof code);
  int (*call)(void) = (int (*)(void))at;
  if (sigsetjmp(escape, 0) == 0) say("called %d", call());
  else say("not to be executed: %s, there %d", faultName(), signalAt == at);
  SHOW(mprotect(at, PAGE, R | PROT_EXEC));
  __builtin___clear_cache(at, at + sizeof code);
  if (sigsetjmp(escape, 0) == 0) say("called %d", call());
  else say("%s", faultName());
  STORE(at, 1);
  munmap(at, PAGE);
  if (sigsetjmp(escape, 0) == 0) say("called %d", call());
  else say("unmapped: %s, there %d", faultName(), signalAt == at);
}

static const struct section SECTIONS[] = {
    SECTION(deep), SECTION(deaths), SECTION(overflow), SECTION(mended), SECTION(wide), SECTION(byTheKernel), SECTION(gap),
    SECTION(grownByTheKernel), SECTION(execution),
};
PROGRAM(SECTIONS)
