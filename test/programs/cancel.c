/* cancel.c: cancellation at every kind of wait, and signals aimed at threads.
 *
 * Ordering    a canceller waits until the victim says it is about to wait; whether the cancel comes just before or
 *             during the wait, the outcome is the same, and both happen                                        */
#include "program.h"
#include <semaphore.h>
#include <signal.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static int ends[2];
static volatile int ready, cleaned;

static void cleanup(void *arg) {
  cleaned = cleaned * 10 + (int)(intptr_t)arg;
}

static void unlockIt(void *arg) {
  cleaned = cleaned * 10 + (pthread_mutex_trylock(arg) == EBUSY ? 7 : 8);
  pthread_mutex_unlock(arg);
}

static void *inCond(void *arg) {
  pthread_mutex_lock(&mutex);
  pthread_cleanup_push(unlockIt, &mutex);
  ready = 1;
  for (;;) pthread_cond_wait(&cond, &mutex);
  pthread_cleanup_pop(0);
  return arg;
}

static void *inTimedCond(void *arg) {
  struct timespec until = after(CLOCK_REALTIME, 600000 * MS);
  pthread_mutex_lock(&mutex);
  pthread_cleanup_push(unlockIt, &mutex);
  ready = 1;
  for (;;) pthread_cond_timedwait(&cond, &mutex, &until);
  pthread_cleanup_pop(0);
  return arg;
}

static void *inSem(void *arg) {
  ready = 1;
  for (;;) sem_wait(&sem);
  return arg;
}

static void *inSleep(void *arg) {
  ready = 1;
  nanosleep(&(struct timespec){.tv_sec = 600}, NULL);
  return arg;
}

static void *inClockSleep(void *arg) {
  struct timespec until = after(CLOCK_MONOTONIC, 600000 * MS);
  ready = 1;
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
  return arg;
}

static void *inRead(void *arg) {
  char byte;
  ready = 1;
  must(read(ends[0], &byte, 1) < 0, "nobody writes");
  return arg;
}

static void *inPause(void *arg) {
  ready = 1;
  pause();
  return arg;
}

static void *inSigwait(void *arg) {
  sigset_t set;
  int got;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  ready = 1;
  sigwait(&set, &got);
  return arg;
}

static void *inTest(void *arg) {
  ready = 1;
  for (;;) pthread_testcancel();
  return arg;
}

static void *inJoin(void *arg) {
  ready = 1;
  pthread_join(*(pthread_t *)arg, NULL);
  return arg;
}

static void *(*victim)(void *);
static void *victimArg;

static void *withHandlers(void *arg) {
  pthread_cleanup_push(cleanup, (void *)1);
  pthread_cleanup_push(cleanup, (void *)2);
  victim(arg);
  pthread_cleanup_pop(0);
  pthread_cleanup_pop(0);
  return arg;
}

static void cancelIn(const char *name, void *(*run)(void *)) {
  for (int late = 0; late < 2; late++) {
    ready = cleaned = 0;
    victim = run;
    pthread_t thread = begin(withHandlers, victimArg);
    while (late && !ready) pause1ms();
    for (int i = 0; late && i < 3; i++) pause1ms();
    int error = pthread_cancel(thread);
    void *result = finish(thread);
    // A thread cancelled before it ran any of its own code has pushed no handlers when it notices, or some.
    say("%s %s: cancel %s, cancelled %d", name, late ? "late" : "early", errname(error), result == PTHREAD_CANCELED);
    if (late) say("  handlers %d", cleaned);
  }
}

static void deferred(void) {
  sem_init(&sem, 0, 0);
  must(pipe(ends) == 0, "pipe");
  cancelIn("cond_wait", inCond);
  cancelIn("cond_timedwait", inTimedCond);
  cancelIn("sem_wait", inSem);
  cancelIn("nanosleep", inSleep);
  cancelIn("clock_nanosleep", inClockSleep);
  cancelIn("read", inRead);
  cancelIn("pause", inPause);
  cancelIn("sigwait", inSigwait);
  cancelIn("testcancel", inTest);
  pthread_t sleeper = begin(inSleep, NULL);
  victimArg = &sleeper;
  cancelIn("join", inJoin);
  say("the joined one is still joinable %s", errname(pthread_cancel(sleeper)));
  say("cancelled %d", finish(sleeper) == PTHREAD_CANCELED);
  close(ends[0]);
  close(ends[1]);
}

static volatile int go;

static void *disabledFirst(void *arg) {
  int old = -1;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
  must(old == PTHREAD_CANCEL_ENABLE, "enabled at first");
  ready = 1;
  while (!go) pause1ms();
  pthread_testcancel();
  cleaned = 5;
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
  pthread_testcancel();
  cleaned = 6;
  return arg;
}

static void disabled(void) {
  ready = go = cleaned = 0;
  pthread_t thread = begin(disabledFirst, NULL);
  while (!ready) pause1ms();
  say("cancel %s", errname(pthread_cancel(thread)));
  go = 1;
  int cancelled = finish(thread) == PTHREAD_CANCELED;
  say("cancelled %d at %d", cancelled, cleaned);
  pthread_t done = begin(disabledFirst, NULL);
  say("not cancelled %d", finish(done) == NULL);
  say("bad state %s", errname(pthread_setcancelstate(9, NULL)));
  say("bad type %s", errname(pthread_setcanceltype(9, NULL)));
}

static volatile long spins;

static void *busy(void *arg) {
  pthread_cleanup_push(cleanup, (void *)3);
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  ready = 1;
  for (;;) spins = spins + 1;
  pthread_cleanup_pop(0);
  return arg;
}

static void asynchronous(void) {
  for (int i = 0; i < 5; i++) {
    ready = cleaned = 0;
    pthread_t thread = begin(busy, NULL);
    while (!ready) pause1ms();
    int error = pthread_cancel(thread);
    int cancelled = finish(thread) == PTHREAD_CANCELED;
    say("cancel %s, cancelled %d, handlers %d", errname(error), cancelled, cleaned);
  }
}

static void *handlersAtExit(void *arg) {
  pthread_cleanup_push(cleanup, (void *)1);
  pthread_cleanup_push(cleanup, (void *)2);
  pthread_cleanup_push(cleanup, (void *)3);
  pthread_cleanup_pop(1);
  pthread_exit(arg);
  pthread_cleanup_pop(0);
  pthread_cleanup_pop(0);
}

static void handlers(void) {
  cleaned = 0;
  say("exit %ld", (long)finish(begin(handlersAtExit, (void *)4)));
  say("order %d", cleaned);
}

static __thread int here;
static volatile int handledIn[4];

static void handled(int signal) {
  (void)signal;
  handledIn[here]++;
}

static void *takeSignals(void *arg) {
  sigset_t set, old;
  int got = 0;
  here = (int)(intptr_t)arg;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, &old);
  must(sigismember(&old, SIGUSR2) == 1, "the mask is inherited");
  __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
  must(sigwait(&set, &got) == 0 && got == SIGUSR1, "sigwait");
  must(handledIn[here] == 0, "a blocked signal runs no handler");
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
  while (handledIn[here] == 0) pause1ms();
  return NULL;
}

static void targeted(void) {
  struct sigaction action = {.sa_handler = handled};
  sigaction(SIGUSR1, &action, NULL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  pthread_t all[3];
  ready = 0;
  for (intptr_t i = 0; i < 3; i++) all[i] = begin(takeSignals, (void *)(i + 1));
  while (ready < 3) pause1ms();
  for (int i = 0; i < 3; i++) say("kill %s", errname(pthread_kill(all[i], SIGUSR1)));
  while (ready < 6) pause1ms();
  for (int i = 0; i < 3; i++) say("kill %s", errname(pthread_kill(all[i], SIGUSR1)));
  for (int i = 0; i < 3; i++) finish(all[i]);
  say("handled %d %d %d, main %d", handledIn[1], handledIn[2], handledIn[3], handledIn[0]);
  pthread_kill(pthread_self(), SIGUSR1);
  say("main now %d", handledIn[0]);
  say("signal 0 %s, signal 99 %s", errname(pthread_kill(pthread_self(), 0)), errname(pthread_kill(pthread_self(), 99)));
}

static void *takeQueued(void *arg) {
  sigset_t set;
  siginfo_t info;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  sigaddset(&set, SIGRTMIN + 3);
  pthread_barrier_wait(arg);
  pthread_barrier_wait(arg);
  for (int i = 0; i < 6; i++) {
    int got = sigwaitinfo(&set, &info);
    say("real-time %d value %d from us %d, code %d", got - SIGRTMIN, info.si_value.sival_int,
        info.si_pid == getpid(), info.si_code);
  }
  int got = sigtimedwait(&set, &info, &(struct timespec){.tv_nsec = 10 * MS});
  say("no more: %s", outcome(got));
  return NULL;
}

static void queued(void) {
  pthread_barrier_t both;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  sigaddset(&set, SIGRTMIN + 3);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  pthread_barrier_init(&both, NULL, 2);
  pthread_t thread = begin(takeQueued, &both);
  pthread_barrier_wait(&both);
  for (int i = 0; i < 3; i++) {
    say("queue %s", errname(pthread_sigqueue(thread, SIGRTMIN + 3, (union sigval){.sival_int = 30 + i})));
    say("queue %s", errname(pthread_sigqueue(thread, SIGRTMIN + 1, (union sigval){.sival_int = 10 + i})));
  }
  pthread_barrier_wait(&both);
  finish(thread);
}

static const struct section SECTIONS[] = {
    {"deferred", deferred}, {"disabled", disabled}, {"asynchronous", asynchronous},
    {"handlers", handlers}, {"targeted", targeted}, {"queued", queued},
};
PROGRAM(SECTIONS)
