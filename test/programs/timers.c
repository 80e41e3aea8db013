/* timers.c: timers that send signals: to the process, to a thread, to a function; once and again; and what they interrupt.
 *
 * Time        nothing is printed that depends on how fast a machine is: a timer fires no earlier than asked, soon enough
 *             within a minute, and how often it was late is only checked to add up                               */
#include "program.h"
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>

static volatile int fired, firedIn, lastCode, lastValue;
static __thread int me;

static void onTimer(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  firedIn = me;
  lastCode = info->si_code;
  lastValue = info->si_value.sival_int;
  fired++;
}

static void handle(int signal, int flags) {
  struct sigaction action = {.sa_sigaction = onTimer, .sa_flags = SA_SIGINFO | flags};
  must(sigaction(signal, &action, NULL) == 0, "sigaction");
  fired = 0;
}

static struct itimerspec in(long ns, long every) {
  return (struct itimerspec){.it_value = {ns / 1000000000L, ns % 1000000000L}, .it_interval = {0, every}};
}

static timer_t make(int clock, int notify, int signal, int value) {
  struct sigevent event = {.sigev_notify = notify, .sigev_signo = signal, .sigev_value.sival_int = value};
  timer_t timer;
  must(timer_create(clock, &event, &timer) == 0, "timer_create");
  return timer;
}

static void waitFired(int n) {
  for (int i = 0; fired < n && i < 60000; i++) pause1ms();
  must(fired >= n, "a timer fires within a minute");
}

static void once(void) {
  static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
  handle(SIGRTMIN + 2, 0);
  for (int i = 0; i < COUNT(clocks); i++) {
    timer_t timer = make(clocks[i], SIGEV_SIGNAL, SIGRTMIN + 2, 70 + i);
    struct itimerspec late = in(5000000 * MS, 0), setting = in(20 * MS, 0), left;
    say("set %s", outcome(timer_settime(timer, 0, &late, NULL)));
    timer_gettime(timer, &left);
    say("armed %d", left.it_value.tv_sec > 4000 && left.it_value.tv_sec < 5000);
    int64_t from = nowOn(CLOCK_MONOTONIC);
    fired = 0;
    timer_settime(timer, 0, &setting, NULL);
    waitFired(1);
    say("not early %d, code %d, value %d", nowOn(CLOCK_MONOTONIC) - from >= 20 * MS, lastCode, lastValue);
    timer_gettime(timer, &left);
    say("disarmed %d, overrun %d", left.it_value.tv_nsec == 0, timer_getoverrun(timer));
    say("delete %s", outcome(timer_delete(timer)));
  }
  struct itimerspec past = {.it_value = {1, 0}};
  timer_t timer = make(CLOCK_REALTIME, SIGEV_SIGNAL, SIGRTMIN + 2, 75);
  fired = 0;
  timer_settime(timer, TIMER_ABSTIME, &past, NULL);
  waitFired(1);
  say("a time long past fires at once, value %d", lastValue);
  timer_delete(timer);
}

/* Blocked for a while, so that expirations pile up behind one signal. */
static void overruns(void) {
  sigset_t set;
  siginfo_t info;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 4);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  timer_t timer = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN + 4, 9);
  struct itimerspec setting = in(5 * MS, 5 * MS), off = {0};
  int64_t from = nowOn(CLOCK_MONOTONIC);
  timer_settime(timer, 0, &setting, NULL);
  long total = 0;
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 30; j++) pause1ms();
    int got = sigwaitinfo(&set, &info);
    say("got %d, code %d, value %d, late %d, the same %d", got - SIGRTMIN, info.si_code, info.si_value.sival_int,
        info.si_overrun >= 3, info.si_overrun == timer_getoverrun(timer));
    total += 1 + info.si_overrun;
  }
  int64_t passed = (nowOn(CLOCK_MONOTONIC) - from) / (5 * MS);
  say("all add up %d", total <= passed && total >= 12);
  timer_settime(timer, 0, &off, NULL);
  timer_delete(timer);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static volatile int ready, stop;

static void *sleeper(void *arg) {
  me = (int)(intptr_t)arg;
  *(volatile int *)&ready = (int)syscall(SYS_gettid);
  while (!stop) pause1ms();
  return NULL;
}

/* SIGEV_THREAD_ID: what C libraries build SIGEV_THREAD from. */
static void toThread(void) {
  handle(SIGRTMIN + 5, SA_RESTART);
  ready = stop = 0;
  pthread_t thread = begin(sleeper, (void *)7);
  while (!ready) pause1ms();
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 5, .sigev_value.sival_int = 3};
  event._sigev_un._tid = ready;
  timer_t timer;
  must(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
  struct itimerspec setting = in(2 * MS, 2 * MS);
  timer_settime(timer, 0, &setting, NULL);
  waitFired(3);
  say("in thread %d, value %d", firedIn, lastValue);
  timer_delete(timer);
  stop = 1;
  finish(thread);
}

static volatile int called;

static void callback(union sigval value) {
  if (value.sival_int == 11) __atomic_add_fetch(&called, 1, __ATOMIC_SEQ_CST);
}

static void toFunction(void) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 11};
  event.sigev_notify_function = callback;
  timer_t timer;
  must(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
  struct itimerspec setting = in(3 * MS, 3 * MS);
  called = 0;
  timer_settime(timer, 0, &setting, NULL);
  for (int i = 0; called < 3 && i < 60000; i++) pause1ms();
  say("called often enough %d", called >= 3);
  say("delete %s", outcome(timer_delete(timer)));
}

static void nobody(void) {
  timer_t timer = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
  struct itimerspec setting = in(5000000 * MS, 50 * MS), left, old;
  timer_settime(timer, 0, &setting, NULL);
  timer_gettime(timer, &left);
  say("left %d, interval %ld", left.it_value.tv_sec > 4000, left.it_interval.tv_nsec);
  setting = in(0, 0);
  timer_settime(timer, 0, &setting, &old);
  say("old %d, interval %ld", old.it_value.tv_sec > 4000, old.it_interval.tv_nsec);
  timer_delete(timer);
}

static void alarms(void) {
  struct itimerval setting = {.it_value = {0, 15000}, .it_interval = {0, 10000}}, old, off = {0};
  handle(SIGALRM, 0);
  say("set %s", outcome(setitimer(ITIMER_REAL, &setting, NULL)));
  waitFired(3);
  setitimer(ITIMER_REAL, &off, &old);
  say("code %d, interval %ld", lastCode == SI_KERNEL, (long)old.it_interval.tv_usec);
  say("alarm %u", alarm(5000));
  unsigned was = alarm(0);
  say("alarm was %d", was > 4000 && was <= 5000);
  getitimer(ITIMER_REAL, &old);
  say("off %ld %ld", (long)old.it_value.tv_sec, (long)old.it_value.tv_usec);
}

static void errors(void) {
  timer_t timer = make(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
  struct itimerspec bad = {.it_value = {0, 1000000000L}};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99};
  timer_t other;
  say("nanoseconds %s", outcome(timer_settime(timer, 0, &bad, NULL)));
  say("signal 99 %s", outcome(timer_create(CLOCK_MONOTONIC, &event, &other)));
  event = (struct sigevent){.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
  event._sigev_un._tid = 999999999;
  say("no such thread %s", outcome(timer_create(CLOCK_MONOTONIC, &event, &other)));
  say("clock 77 %s", outcome(timer_create(77, NULL, &other)));
  say("delete %s", outcome(timer_delete(timer)));
  int id = 31000;
  say("no such timer %s", outcome(syscall(SYS_timer_delete, id)));
  struct itimerval late = {.it_value = {0, 1000000}};
  say("microseconds %s", outcome(setitimer(ITIMER_REAL, &late, NULL)));
  say("which %s", outcome(setitimer(9, &late, NULL)));
}

/* What a handler interrupts: sleeps end with EINTR and say what was left, with or without SA_RESTART. The alarm comes again: its
 * first may be handled before the sleep begins. */
static void interrupts(void) {
  for (int restart = 0; restart < 2; restart++) {
    handle(SIGALRM, restart ? SA_RESTART : 0);
    struct itimerval often = {.it_value = {0, 20000}, .it_interval = {0, 20000}}, off = {0};
    struct timespec left = {0};
    setitimer(ITIMER_REAL, &often, NULL);
    int result = nanosleep(&(struct timespec){.tv_sec = 5000}, &left);
    say("nanosleep %s, left %d", outcome(result), left.tv_sec >= 4000);
    say("clock_nanosleep %s", errname(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_sec = 5000}, &left)));
    int word = 0;
    struct timespec limit = {.tv_sec = 5000};
    say("futex with a limit %s", outcome(syscall(SYS_futex, &word, 0, 0, &limit, NULL, 0)));
    if (!restart) say("futex %s", outcome(syscall(SYS_futex, &word, 0, 0, NULL, NULL, 0)));
    setitimer(ITIMER_REAL, &off, NULL);
    say("fired often enough %d", fired >= (restart ? 3 : 4));
  }
}

static const struct section SECTIONS[] = {
    {"once", once},     {"overruns", overruns}, {"toThread", toThread}, {"toFunction", toFunction},
    {"nobody", nobody}, {"alarms", alarms},     {"errors", errors},     {"interrupts", interrupts},
};
PROGRAM(SECTIONS)
