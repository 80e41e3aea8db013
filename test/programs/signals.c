/* signals.c: signals that instructions raise, where their handlers run, and what masks and flags do.
 *
 *   signals [SECTION]...      as program.h
 *   signals die NAME          ends by that signal, no handler installed (see "die" below)
 *
 * Traps       SIGTRAP comes from a breakpoint instruction on riscv64 and from raise() elsewhere, SIGILL from an
 *             instruction every machine refuses; si_code differs between them, so only what is common is printed    */
#include "program.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define PAGE 4096UL
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static sigjmp_buf escape;
static volatile int got, gotCode;
static void *volatile gotAddress;

static void install(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
  must(sigaction(signal, &action, NULL) == 0, "sigaction");
}

static void leave(int signal, siginfo_t *info, void *context) {
  (void)context;
  got = signal;
  gotCode = info->si_code;
  gotAddress = info->si_addr;
  siglongjmp(escape, signal);
}

static void illegal(void) {
#ifdef __riscv
  __asm__ volatile(".4byte 0xffffffff");
#else
  __asm__ volatile("ud2");
#endif
}

static void breakpoint(void) {
#ifdef __riscv
  __asm__ volatile("ebreak");
#else
  raise(SIGTRAP);
#endif
}

static char *pastEnd(void) {
  FILE *file = tmpfile();
  must(fputs("short", file) >= 0 && fflush(file) == 0, "tmpfile");
  return (char *)mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fileno(file), 0) + PAGE + 5;
}

static void tryRead(const char *what, char *at) {
  if (sigsetjmp(escape, 1) == 0) {
    int byte = *(volatile char *)at;
    say("%s: read %d", what, byte);
  } else {
    say("%s: signal %d code %d, address right %d", what, got, gotCode, gotAddress == at);
  }
}

static void tryCall(const char *what, char *at) {
  if (sigsetjmp(escape, 1) == 0) ((void (*)(void))at)();
  else say("%s: signal %d code %d, address right %d", what, got, gotCode, gotAddress == at);
}

static void faults(void) {
  install(SIGSEGV, leave, 0);
  install(SIGBUS, leave, 0);
  char *area = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, ANON, -1, 0);
  munmap(area + PAGE, PAGE);
  mprotect(area + 2 * PAGE, PAGE, PROT_NONE);
  tryRead("mapped", area + 3);
  tryRead("unmapped", area + PAGE + 3);
  tryRead("forbidden", area + 2 * PAGE + 3);
  tryRead("past the end of a file", pastEnd());
  tryRead("null", NULL);
  tryCall("call what is not executable", area);
  tryCall("call what is not there", area + PAGE);
}

static void traps(void) {
  install(SIGILL, leave, 0);
  install(SIGTRAP, leave, 0);
  install(SIGFPE, leave, 0);
  install(SIGABRT, leave, 0);
  void (*raising[])(void) = {illegal, breakpoint, abort};
  for (volatile int i = 0; i < COUNT(raising); i++) {
    if (sigsetjmp(escape, 1) == 0) raising[i]();
    say("signal %d", got);
  }
  if (sigsetjmp(escape, 1) == 0) raise(SIGFPE);
  say("signal %d, code %d", got, gotCode);
}

/* The handler repairs what was wrong and returns: the instruction starts again. */
static char *repaired;

static void repair(int signal, siginfo_t *info, void *context) {
  (void)signal;
  ucontext_t *uc = context;
  sigset_t blocked;
  sigprocmask(SIG_BLOCK, NULL, &blocked);
  must(sigismember(&blocked, SIGSEGV) == 1, "blocked while its handler runs");
  must(sigismember(&uc->uc_sigmask, SIGSEGV) == 0, "uc_sigmask is the mask of before");
  must((char *)info->si_addr == repaired + 100, "si_addr");
  mprotect(repaired, PAGE, PROT_READ | PROT_WRITE);
  got++;
}

static void restarts(void) {
  install(SIGSEGV, repair, 0);
  repaired = mmap(NULL, PAGE, PROT_READ, ANON, -1, 0);
  got = 0;
  for (int i = 0; i < 50; i++) {
    mprotect(repaired, PAGE, PROT_READ);
    repaired[100] = (char)i;
    must(repaired[100] == i, "stored");
  }
  say("repaired %d", got);
}

static char *altLow;
static volatile int onAlt;

static void overflowed(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info, (void)context;
  char local;
  stack_t now;
  sigaltstack(NULL, &now);
  onAlt = &local > altLow && &local < altLow + 65536 && (now.ss_flags & SS_ONSTACK) != 0;
  siglongjmp(escape, 1);
}

static volatile int depth;

static int recurse(int n);
static int (*volatile recurseAgain)(int) = recurse;

static int recurse(int n) {
  volatile char block[8192];
  block[0] = (char)n;
  depth = n;
  return recurseAgain(n + 1) + block[0];
}

static void *overflow(void *arg) {
  stack_t stack = {.ss_sp = altLow = malloc(65536), .ss_size = 65536}, old;
  say("alternate stack %s", outcome(sigaltstack(&stack, &old)));
  say("before: disabled %d", old.ss_flags == SS_DISABLE);
  say("too small %s", outcome(sigaltstack(&(stack_t){.ss_sp = altLow, .ss_size = 100}, NULL)));
  for (volatile int i = 0; i < 3; i++) {
    if (sigsetjmp(escape, 1) == 0) recurseAgain(0);
    say("on the alternate stack %d, deep %d", onAlt, depth > 10);
  }
  stack.ss_flags = SS_DISABLE;
  sigaltstack(&stack, NULL);
  return arg;
}

static void altStack(void) {
  install(SIGSEGV, overflowed, SA_ONSTACK);
  overflow(NULL);
  finish(begin(overflow, NULL));
}

static volatile int order[16], orders;

static void outer(int signal, siginfo_t *info, void *context) {
  (void)info, (void)context;
  order[orders++] = signal;
  if (signal == SIGUSR1) raise(SIGUSR2);
  order[orders++] = -signal;
}

static void again(int signal, siginfo_t *info, void *context) {
  (void)info, (void)context;
  order[orders++] = signal;
  if (orders < 4) raise(signal);
  order[orders++] = -signal;
}

static void showOrder(const char *what) {
  printf("%s:", what);
  for (int i = 0; i < orders; i++) printf(" %d", order[i]);
  putchar('\n');
  orders = 0;
}

static void nesting(void) {
  struct sigaction masking = {.sa_sigaction = outer, .sa_flags = SA_SIGINFO}, old;
  install(SIGUSR1, outer, 0);
  install(SIGUSR2, outer, 0);
  raise(SIGUSR1);
  showOrder("nested");
  sigaddset(&masking.sa_mask, SIGUSR2);
  sigaction(SIGUSR1, &masking, NULL);
  raise(SIGUSR1);
  showOrder("sa_mask");
  install(SIGUSR1, again, 0);
  raise(SIGUSR1);
  showOrder("deferred");
  install(SIGUSR1, again, SA_NODEFER);
  raise(SIGUSR1);
  showOrder("SA_NODEFER");
  install(SIGUSR1, outer, SA_RESETHAND);
  raise(SIGUSR2);
  raise(SIGUSR1);
  sigaction(SIGUSR1, NULL, &old);
  showOrder("SA_RESETHAND");
  say("then default %d", old.sa_handler == SIG_DFL);
  signal(SIGUSR1, SIG_IGN);
  raise(SIGUSR1);
  showOrder("ignored");
  say("handle SIGKILL %s", outcome(sigaction(SIGKILL, &masking, NULL)));
  say("signal 0 %s, 65 %s", outcome(sigaction(0, &masking, NULL)), outcome(sigaction(65, &masking, NULL)));
}

static void masks(void) {
  sigset_t set, pending, old;
  for (int i = 0; i < 3; i++) install(SIGRTMIN + i, outer, 0);
  install(SIGUSR2, outer, 0);
  install(SIGTERM, outer, 0);
  sigemptyset(&set);
  for (int i = 0; i < 3; i++) sigaddset(&set, SIGRTMIN + i);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGKILL);
  sigprocmask(SIG_BLOCK, &set, &old);
  sigprocmask(SIG_BLOCK, NULL, &pending);
  say("blocked: USR2 %d KILL %d", sigismember(&pending, SIGUSR2), sigismember(&pending, SIGKILL));
  kill(getpid(), SIGTERM);
  kill(getpid(), SIGUSR2);
  raise(SIGUSR2);
  raise(SIGUSR2);
  for (int i = 2; i >= 0; i--) {
    sigqueue(getpid(), SIGRTMIN + i, (union sigval){.sival_int = i});
    sigqueue(getpid(), SIGRTMIN + i, (union sigval){.sival_int = i});
  }
  showOrder("while blocked");
  sigpending(&pending);
  say("pending: USR2 %d TERM %d RT %d USR1 %d", sigismember(&pending, SIGUSR2), sigismember(&pending, SIGTERM),
      sigismember(&pending, SIGRTMIN), sigismember(&pending, SIGUSR1));
  sigset_t allowed;
  sigfillset(&allowed);
  sigdelset(&allowed, SIGTERM);
  say("sigsuspend %s", outcome(sigsuspend(&allowed)));
  showOrder("suspended");
  sigpending(&pending);
  say("pending: TERM %d", sigismember(&pending, SIGTERM));
  sigprocmask(SIG_SETMASK, &old, NULL);
  showOrder("unblocked");
  say("bad how %s", outcome(sigprocmask(77, &set, NULL)));
}

static int ends[2];
static volatile int reading;

static void wake(int signal) {
  (void)signal;
  got++;
}

static void *readOne(void *arg) {
  char byte = 0;
  reading = 1;
  long result = read(ends[0], &byte, 1);
  reading = 2;
  say("%s: %s %d", (char *)arg, outcome(result), byte);
  return NULL;
}

/* Signals it while it waits, at most `most` times: the first may come before it does. */
static void wakeUp(pthread_t thread, int most) {
  while (!reading) pause1ms();
  for (int sent = 0; sent < most && reading == 1; sent++) {
    for (int i = 0; i < 5; i++) pause1ms();
    int before = got;
    pthread_kill(thread, SIGUSR1);
    while (got == before && reading == 1) pause1ms();
  }
}

static void interrupted(const char *what, int flags) {
  struct sigaction action = {.sa_handler = wake, .sa_flags = flags};
  sigaction(SIGUSR1, &action, NULL);
  got = reading = 0;
  pthread_t thread = begin(readOne, (void *)what);
  wakeUp(thread, flags & SA_RESTART ? 5 : 1 << 30);
  if (flags & SA_RESTART) must(write(ends[1], "x", 1) == 1, "write");
  finish(thread);
}

static void *sleeping(void *arg) {
  struct timespec left;
  reading = 1;
  int result = nanosleep(&(struct timespec){.tv_sec = 5000}, &left);
  reading = 2;
  say("nanosleep %s, most left %d", outcome(result), left.tv_sec >= 4000 && left.tv_sec < 5000);
  return arg;
}

static void restart(void) {
  must(pipe(ends) == 0, "pipe");
  interrupted("without SA_RESTART", 0);
  interrupted("with SA_RESTART", SA_RESTART);
  got = reading = 0;
  pthread_t thread = begin(sleeping, NULL);
  wakeUp(thread, 1 << 30);
  finish(thread);
  close(ends[0]);
  signal(SIGPIPE, wake);
  got = 0;
  say("write to nobody %s", outcome(write(ends[1], "x", 1)));
  say("SIGPIPE %d", got);
}

static __thread volatile int mine;
static volatile int tids[4], total, finished;

static void count(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  must(info->si_code == SI_TKILL && info->si_pid == getpid(), "siginfo of tgkill");
  mine++;
  __atomic_add_fetch(&total, 1, __ATOMIC_SEQ_CST);
}

static void *pelt(void *arg) {
  intptr_t me = (intptr_t)arg;
  tids[me] = gettid();
  while (!tids[0] || !tids[1] || !tids[2] || !tids[3]) sched_yield();
  for (int i = 0; i < 50; i++) {
    int before = mine;
    must(syscall(SYS_tgkill, getpid(), tids[me], SIGUSR1) == 0 && mine > before, "own signal at once");
    must(syscall(SYS_tgkill, getpid(), tids[(me + 1) % 4], SIGUSR1) == 0, "tgkill");
  }
  __atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&finished, __ATOMIC_SEQ_CST) < 4) pause1ms();
  return NULL;
}

static void threads(void) {
  install(SIGUSR1, count, SA_RESTART);
  pthread_t all[4];
  for (intptr_t i = 0; i < 4; i++) all[i] = begin(pelt, (void *)i);
  for (int i = 0; i < 4; i++) finish(all[i]);
  say("at least 200, at most 400: %d", total >= 200 && total <= 400);
  say("nobody %s", outcome(syscall(SYS_tgkill, getpid(), 999999999, SIGUSR1)));
  say("pid 0 %s", outcome(syscall(SYS_tgkill, 0, tids[0], SIGUSR1)));
}

static char volatile *volatile nowhere = (char *)8;

static int die(const char *name) {
  printf("about to die\n");
  fflush(stdout);
  if (strcmp(name, "SEGV") == 0) *nowhere = 1;
  if (strcmp(name, "BUS") == 0) return *(volatile char *)pastEnd();
  if (strcmp(name, "ILL") == 0) illegal();
  if (strcmp(name, "TRAP") == 0) breakpoint();
  if (strcmp(name, "ABRT") == 0) abort();
  if (strcmp(name, "FPE") == 0) raise(SIGFPE);
  if (strcmp(name, "USR1") == 0) kill(getpid(), SIGUSR1);
  if (strcmp(name, "KILL") == 0) pthread_kill(pthread_self(), SIGKILL);
  if (strcmp(name, "blocked") == 0) {
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    *nowhere = 1;
  }
  if (strcmp(name, "stack") == 0) recurseAgain(0);
  if (strcmp(name, "thread") == 0) finish(begin((void *(*)(void *))abort, NULL));
  return 3;
}

#define HANDOFFS 3000
static volatile int handedOff;

static void *takeHandoffs(void *arg) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  for (int i = 0; i < HANDOFFS; i++) {
    int got = 0;
    handedOff = i + 1;
    must(sigwait(&set, &got) == 0 && got == SIGUSR2, "sigwait takes it");
  }
  return arg;
}

/* A signal sent at the very moment its thread begins to wait for it; none may be slept through. */
static void handoff(void) {
  sigset_t set, old;
  pthread_t thread;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, &old);
  must(pthread_create(&thread, NULL, takeHandoffs, NULL) == 0, "create");
  for (int i = 0; i < HANDOFFS; i++) {
    while (handedOff <= i) sched_yield();
    for (volatile int spin = 0; spin < (i % 64) * 4; spin++) {}
    must(pthread_kill(thread, SIGUSR2) == 0, "kill");
  }
  must(pthread_join(thread, NULL) == 0, "join");
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  say("handed off %d", handedOff);
}

static const struct section SECTIONS[] = {
    {"faults", faults},   {"traps", traps}, {"restarts", restarts}, {"altStack", altStack},
    {"nesting", nesting}, {"masks", masks}, {"restart", restart},   {"threads", threads},
    {"handoff", handoff},
};

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "die") == 0) return die(argv[2]);
  return runSections(SECTIONS, COUNT(SECTIONS), argc, argv);
}
