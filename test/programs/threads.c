/* threads.c: threads themselves: keys with destructors, __thread, attributes, guard pages, every way to join, and C11.
 *
 * Left out    pthread_getattr_np of the main thread: the C library reads it from /proc/self/maps           */
#include "program.h"
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <threads.h>

static pthread_key_t key, second;
static int destroyed, revived;

static void destroy(void *value) {
  destroyed += (int)(intptr_t)value;
}

static void revive(void *value) {
  revived++;
  pthread_setspecific(second, value);
}

static void *setKeys(void *arg) {
  must(pthread_getspecific(key) == NULL, "a new thread has no value");
  pthread_setspecific(key, arg);
  pthread_setspecific(second, arg);
  must(pthread_getspecific(key) == arg, "getspecific");
  return arg;
}

static void keys(void) {
  pthread_key_create(&key, destroy);
  pthread_key_create(&second, revive);
  for (intptr_t i = 1; i <= 4; i++) finish(begin(setKeys, (void *)i));
  say("destroyed %d, revived %d times a thread", destroyed, revived / 4);
  say("delete %s", errname(pthread_key_delete(key)));
  say("delete again %s", errname(pthread_key_delete(key)));
  say("set deleted %s", errname(pthread_setspecific(key, "x")));
  pthread_key_delete(second);
  pthread_key_t many[1025];
  int made = 0;
  while (made < 1025 && pthread_key_create(&many[made], NULL) == 0) made++;
  say("then %s", errname(pthread_key_create(&key, NULL)));
  for (int i = 0; i < made; i++) pthread_key_delete(many[i]);
}

static __thread int initial = 41;
static __thread long zeroed;
static __thread char large[20000] __attribute__((aligned(64)));
static pthread_barrier_t meeting;
static void *places[6];

static void *ownCopies(void *arg) {
  intptr_t i = (intptr_t)arg;
  int clean = initial == 41 && zeroed == 0 && ((uintptr_t)large & 63) == 0;
  for (int j = 0; j < COUNT(large); j++) clean &= large[j] == 0;
  initial = (int)i;
  memset(large, (int)i, sizeof large);
  places[i] = large;
  pthread_barrier_wait(&meeting);
  for (int j = 0; j < COUNT(large); j++) clean &= large[j] == i;
  for (int j = 0; j < COUNT(places); j++) clean &= j == i || places[j] != places[i];
  must(clean && initial == i, "a copy of one's own");
  pthread_barrier_wait(&meeting);
  return NULL;
}

static void threadLocal(void) {
  pthread_barrier_init(&meeting, NULL, COUNT(places));
  for (int round = 0; round < 3; round++) together(COUNT(places), ownCopies);
  say("main's own %d %ld", initial, zeroed);
}

static void *useStack(void *arg) {
  volatile char block[48 * 1024];
  for (int i = 0; i < COUNT(block); i += 512) block[i] = (char)i;
  int inside = arg == NULL || ((char *)block > (char *)arg && (char *)block < (char *)arg + 256 * 1024);
  return (void *)(intptr_t)(inside ? block[1024] + 7 : -1);
}

static void attributes(void) {
  pthread_attr_t attr;
  size_t size = 0;
  pthread_t thread;
  pthread_attr_init(&attr);
  say("tiny stack %s", errname(pthread_attr_setstacksize(&attr, 100)));
  say("stack size %s", errname(pthread_attr_setstacksize(&attr, 256 * 1024)));
  pthread_attr_getstacksize(&attr, &size);
  pthread_create(&thread, &attr, useStack, NULL);
  say("size %zu, result %ld", size, (long)finish(thread));
  void *own = mmap(NULL, 256 * 1024, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pthread_attr_setstack(&attr, own, 256 * 1024);
  pthread_create(&thread, &attr, useStack, own);
  say("own stack %ld", (long)finish(thread));
  say("free own stack %s", outcome(munmap(own, 256 * 1024)));
  pthread_attr_destroy(&attr);
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attr, (size_t)1 << 60);
  say("a stack larger than the address space %s", errname(pthread_create(&thread, &attr, useStack, NULL)));
  pthread_attr_destroy(&attr);
}

static sigjmp_buf escape;
static char *guardAt;
static volatile int codeSeen, inGuard;

static void caught(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  codeSeen = info->si_code;
  inGuard = (char *)info->si_addr >= guardAt && (char *)info->si_addr < guardAt + 16384;
  siglongjmp(escape, 1);
}

static void *touchGuard(void *arg) {
  pthread_attr_t attr;
  size_t size, guard;
  void *low;
  pthread_getattr_np(pthread_self(), &attr);
  pthread_attr_getstack(&attr, &low, &size);
  pthread_attr_getguardsize(&attr, &guard);
  guardAt = (char *)low - guard;
  say("guard %zu", guard);
  for (volatile int i = 0; i < 2; i++) {
    char *volatile at = i == 0 ? (char *)low - 1 : guardAt;
    if (sigsetjmp(escape, 1) == 0) {
      *(volatile char *)at = 1;
      say("written");
    } else {
      say("refused: code %d, in the guard %d", codeSeen, inGuard);
    }
  }
  pthread_attr_destroy(&attr);
  *(volatile char *)low = 1;
  say("the lowest byte is ours");
  return arg;
}

static void guardPage(void) {
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  pthread_attr_t attr;
  pthread_t thread;
  pthread_attr_init(&attr);
  pthread_attr_setguardsize(&attr, 16384);
  pthread_create(&thread, &attr, touchGuard, NULL);
  finish(thread);
  pthread_attr_destroy(&attr);
  signal(SIGSEGV, SIG_DFL);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *waitAtGate(void *arg) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return arg;
}

static void *exitEarly(void *arg) {
  pthread_exit((char *)arg + 1);
}

static void *returnArg(void *arg) {
  return arg;
}

static void joins(void) {
  void *result = NULL;
  pthread_mutex_lock(&gate);
  pthread_t thread = begin(waitAtGate, (void *)77);
  say("tryjoin %s", errname(pthread_tryjoin_np(thread, &result)));
  struct timespec until = after(CLOCK_REALTIME, 15 * MS);
  say("timedjoin %s", errname(pthread_timedjoin_np(thread, &result, &until)));
  until = after(CLOCK_MONOTONIC, 15 * MS);
  say("clockjoin %s", errname(pthread_clockjoin_np(thread, &result, CLOCK_MONOTONIC, &until)));
  pthread_mutex_unlock(&gate);
  until = after(CLOCK_REALTIME, 600000 * MS);
  int error = pthread_timedjoin_np(thread, &result, &until);
  say("timedjoin %s, result %ld", errname(error), (long)result);
  say("exit %ld", (long)finish(begin(exitEarly, (void *)10)));
  say("join itself %s", errname(pthread_join(pthread_self(), NULL)));
  thread = begin(returnArg, (void *)5);
  while (pthread_tryjoin_np(thread, &result) == EBUSY) pause1ms();
  say("tryjoin result %ld", (long)result);
  pthread_mutex_lock(&gate);
  thread = begin(waitAtGate, NULL);
  say("detach %s", errname(pthread_detach(thread)));
  say("detach again %s", errname(pthread_detach(thread)));
  say("join detached %s", errname(pthread_join(thread, NULL)));
  pthread_mutex_unlock(&gate);
}

static int tally;

static void *addTally(void *arg) {
  __atomic_add_fetch(&tally, (int)(intptr_t)arg, __ATOMIC_SEQ_CST);
  return arg;
}

static void *haveChildren(void *arg) {
  pthread_t a = begin(addTally, arg), b = begin(addTally, arg);
  finish(b);
  finish(a);
  return arg;
}

static void many(void) {
  for (intptr_t i = 0; i < 100; i++) finish(begin(addTally, (void *)i));
  say("one after another %d", tally);
  together(24, addTally);
  say("24 at once %d", tally);
  together(6, haveChildren);
  say("children of children %d", tally);
  for (intptr_t i = 0; i < 20; i++) pthread_detach(begin(addTally, (void *)1));
  while (__atomic_load_n(&tally, __ATOMIC_SEQ_CST) != 4950 + 276 + 30 + 20) pause1ms();
  say("and 20 detached");
}

static void names(void) {
  char name[16] = "";
  say("set %s", errname(pthread_setname_np(pthread_self(), "a name")));
  pthread_getname_np(pthread_self(), name, sizeof name);
  say("is '%s'", name);
  say("too long %s", errname(pthread_setname_np(pthread_self(), "sixteen letters!")));
  say("no room %s", errname(pthread_getname_np(pthread_self(), name, 3)));
}

static mtx_t guardLock;
static cnd_t changed;
static tss_t slot;
static once_flag flag = ONCE_FLAG_INIT;
static int calls, stage;

static void countCall(void) {
  calls++;
}

static void tssGone(void *value) {
  calls += *(int *)value;
}

static int c11Thread(void *arg) {
  static int ten = 10;
  call_once(&flag, countCall);
  tss_set(slot, &ten);
  mtx_lock(&guardLock);
  stage++;
  cnd_broadcast(&changed);
  while (stage < 3) cnd_wait(&changed, &guardLock);
  mtx_unlock(&guardLock);
  if ((intptr_t)arg == 2) thrd_exit(22);
  return (int)(intptr_t)arg;
}

static void c11(void) {
  thrd_t all[3];
  int result;
  mtx_init(&guardLock, mtx_timed | mtx_recursive);
  cnd_init(&changed);
  tss_create(&slot, tssGone);
  for (intptr_t i = 0; i < 3; i++) thrd_create(&all[i], c11Thread, (void *)i);
  for (int i = 0; i < 3; i++) {
    int joined = thrd_join(all[i], &result);
    say("joined %d, result %d", joined == thrd_success, result);
  }
  say("calls %d", calls);
  struct timespec until;
  timespec_get(&until, TIME_UTC);
  until.tv_nsec = (until.tv_nsec + 10 * MS) % 1000000000;
  mtx_lock(&guardLock);
  say("again %d, try %d", mtx_lock(&guardLock) == thrd_success, mtx_trylock(&guardLock) == thrd_success);
  int timed = cnd_timedwait(&changed, &guardLock, &(struct timespec){.tv_sec = 1});
  say("timed out %d", timed == thrd_timedout);
  thrd_yield();
  say("sleep %d", thrd_sleep(&(struct timespec){.tv_nsec = MS}, NULL));
}

static const struct section SECTIONS[] = {
    {"keys", keys}, {"threadLocal", threadLocal}, {"attributes", attributes}, {"guardPage", guardPage},
    {"joins", joins}, {"many", many},             {"names", names},           {"c11", c11},
};
PROGRAM(SECTIONS)
