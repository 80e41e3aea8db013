/* waits.c: what threads wait for besides locks: conditions, barriers, semaphores, once, and each other in queues. */
#include "program.h"
#include <limits.h>
#include <semaphore.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_cond_t other = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem, back;
static volatile long turn, arrived, sum;

static void *pong(void *arg) {
  long rounds = (intptr_t)arg;
  pthread_mutex_lock(&mutex);
  for (long i = 0; i < rounds; i++) {
    while (turn % 2 == 0) pthread_cond_wait(&cond, &mutex);
    turn = turn + 1;
    pthread_cond_signal(&other);
  }
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static void signals(void) {
  turn = 0;
  pthread_t thread = begin(pong, (void *)1000);
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < 1000; i++) {
    while (turn % 2 == 1) pthread_cond_wait(&other, &mutex);
    turn = turn + 1;
    pthread_cond_signal(&cond);
  }
  pthread_mutex_unlock(&mutex);
  finish(thread);
  say("turns %ld", turn);
}

static void *waitForBroadcast(void *arg) {
  pthread_mutex_lock(&mutex);
  arrived = arrived + 1;
  while (turn == 0) pthread_cond_wait(&cond, &mutex);
  sum = sum + (intptr_t)arg;
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static void broadcast(void) {
  pthread_t all[8];
  turn = arrived = sum = 0;
  for (intptr_t i = 0; i < 8; i++) all[i] = begin(waitForBroadcast, (void *)(i + 1));
  for (;;) {
    pthread_mutex_lock(&mutex);
    if (arrived == 8) break;
    pthread_mutex_unlock(&mutex);
    pause1ms();
  }
  turn = 1;
  pthread_cond_broadcast(&cond);
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < 8; i++) finish(all[i]);
  say("woken %ld, sum %ld", arrived, sum);
}

static int waitUntil(clockid_t clock, pthread_cond_t *on, int clocked) {
  struct timespec until = after(clock, 15 * MS);
  int error = 0;
  while (error == 0)
    error = clocked ? pthread_cond_clockwait(on, &mutex, clock, &until) : pthread_cond_timedwait(on, &mutex, &until);
  say("  past the deadline %d", nowOn(clock) >= until.tv_sec * 1000000000LL + until.tv_nsec);
  return error;
}

static void *signalSoon(void *arg) {
  for (int i = 0; i < 5; i++) pause1ms();
  pthread_mutex_lock(&mutex);
  turn = 1;
  pthread_cond_signal(arg);
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static void timeouts(void) {
  pthread_condattr_t attr;
  pthread_cond_t monotonic;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  pthread_cond_init(&monotonic, &attr);
  pthread_mutex_lock(&mutex);
  say("timedwait %s", errname(waitUntil(CLOCK_REALTIME, &cond, 0)));
  say("timedwait monotonic %s", errname(waitUntil(CLOCK_MONOTONIC, &monotonic, 0)));
  say("clockwait realtime %s", errname(waitUntil(CLOCK_REALTIME, &cond, 1)));
  say("clockwait monotonic %s", errname(waitUntil(CLOCK_MONOTONIC, &cond, 1)));
  struct timespec bad = {0, -1};
  say("bad nanoseconds %s", errname(pthread_cond_timedwait(&cond, &mutex, &bad)));
  struct timespec until = after(CLOCK_MONOTONIC, 600000 * MS);
  turn = 0;
  pthread_t thread = begin(signalSoon, &monotonic);
  int error = 0;
  while (turn == 0 && error == 0) error = pthread_cond_timedwait(&monotonic, &mutex, &until);
  say("signalled in time %s", errname(error));
  pthread_mutex_unlock(&mutex);
  finish(thread);
  pthread_cond_destroy(&monotonic);
}

#define SLOTS 5
#define ITEMS 1500

static long slots[SLOTS], filled, taken, made;

static void *produce(void *arg) {
  for (int i = 0; i < ITEMS; i++) {
    pthread_mutex_lock(&mutex);
    while (filled == SLOTS) pthread_cond_wait(&other, &mutex);
    slots[made++ % SLOTS] = (intptr_t)arg * ITEMS + i;
    filled++;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

static void *consume(void *arg) {
  (void)arg;
  for (int i = 0; i < ITEMS; i++) {
    pthread_mutex_lock(&mutex);
    while (filled == 0) pthread_cond_wait(&cond, &mutex);
    sum = sum + slots[taken++ % SLOTS];
    filled--;
    pthread_cond_signal(&other);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

static void *produceOrConsume(void *arg) {
  intptr_t i = (intptr_t)arg;
  return i % 2 ? produce((void *)(i / 2)) : consume(NULL);
}

static void queue(void) {
  sum = 0;
  together(6, produceOrConsume);
  say("made %ld taken %ld sum %ld", made, taken, sum);
}

#define PARTIES 5
#define MEETINGS 100

static long marks[PARTIES], serial;

static void *meet(void *arg) {
  intptr_t me = (intptr_t)arg;
  for (int i = 0; i < MEETINGS; i++) {
    marks[me] = i;
    int last = pthread_barrier_wait(&barrier);
    for (int j = 0; j < PARTIES; j++) must(marks[j] == i, "every mark of this meeting");
    if (last == PTHREAD_BARRIER_SERIAL_THREAD) __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
    else must(last == 0, "barrier_wait");
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}

static void barriers(void) {
  say("none %s", errname(pthread_barrier_init(&barrier, NULL, 0)));
  pthread_barrier_init(&barrier, NULL, 1);
  say("alone %d", pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
  pthread_barrier_destroy(&barrier);
  pthread_barrier_init(&barrier, NULL, PARTIES);
  together(PARTIES, meet);
  say("meetings %d, serial threads %ld", MEETINGS, serial);
  say("destroy %s", errname(pthread_barrier_destroy(&barrier)));
}

static void *echo(void *arg) {
  for (intptr_t i = 0; i < (intptr_t)arg; i++) {
    while (sem_wait(&sem) != 0) continue;
    sum = sum + 1;
    sem_post(&back);
  }
  return NULL;
}

static void semaphores(void) {
  int value = -1;
  sem_init(&sem, 0, 2);
  sem_init(&back, 0, 0);
  sem_getvalue(&sem, &value);
  say("value %d", value);
  for (int i = 0; i < 3; i++) say("trywait %s", outcome(sem_trywait(&sem)));
  struct timespec until = after(CLOCK_REALTIME, 15 * MS);
  say("timedwait %s", outcome(sem_timedwait(&sem, &until)));
  until = after(CLOCK_MONOTONIC, 15 * MS);
  say("clockwait %s", outcome(sem_clockwait(&sem, CLOCK_MONOTONIC, &until)));
  say("waited %d", nowOn(CLOCK_MONOTONIC) >= until.tv_sec * 1000000000LL + until.tv_nsec);
  say("bad nanoseconds %s", outcome(sem_timedwait(&sem, &(struct timespec){0, -1})));
  sum = 0;
  pthread_t thread = begin(echo, (void *)1000);
  for (int i = 0; i < 1000; i++) {
    sem_post(&sem);
    while (sem_wait(&back) != 0) continue;
    must(sum == i + 1, "one echo a post");
  }
  finish(thread);
  say("echoes %ld", sum);
  sem_destroy(&sem);
  say("init too large %s", outcome(sem_init(&sem, 0, (unsigned)SEM_VALUE_MAX + 1)));
  sem_init(&sem, 0, SEM_VALUE_MAX);
  say("post overflow %s", outcome(sem_post(&sem)));
}

static pthread_once_t onceControl = PTHREAD_ONCE_INIT;

static void initialize(void) {
  pause1ms();
  sum = sum + 1;
}

static void *callOnce(void *arg) {
  pthread_once(&onceControl, initialize);
  must(sum == 1, "initialized when once returns");
  return arg;
}

static void once(void) {
  sum = 0;
  together(8, callOnce);
  say("initialized %ld", sum);
}

static const struct section SECTIONS[] = {
    {"signals", signals},   {"broadcast", broadcast},   {"timeouts", timeouts}, {"queue", queue},
    {"barriers", barriers}, {"semaphores", semaphores}, {"once", once},
};
PROGRAM(SECTIONS)
