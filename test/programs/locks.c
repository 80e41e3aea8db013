/* locks.c: every lock of pthread: mutexes of each type, robust ones whose owner died, spin locks, readers and writers.
 *
 * Left out    PTHREAD_PRIO_INHERIT: it needs the priority futexes, which the machine answers with ENOSYS
 * Ordering    "the other side waits now" is seen by a call that fails while it does, or slept for where none shows it */
#include "program.h"

#define THREADS 4
#define ROUNDS 5000

static pthread_mutex_t mutex;
static pthread_spinlock_t spin;
static pthread_rwlock_t rw;
static volatile long counter;

static void make(pthread_mutex_t *m, int type, int robust) {
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  must(pthread_mutexattr_settype(&attr, type) == 0, "settype");
  if (robust) must(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0, "setrobust");
  must(pthread_mutex_init(m, &attr) == 0, "mutex_init");
  pthread_mutexattr_destroy(&attr);
}

static void *addUnderMutex(void *arg) {
  for (int i = 0; i < ROUNDS; i++) {
    if (pthread_mutex_lock(&mutex) != 0) return arg;
    counter = counter + 1;
    if (pthread_mutex_unlock(&mutex) != 0) return arg;
  }
  return NULL;
}

static void *tryAndUnlock(void *arg) {
  (void)arg;
  int tried = pthread_mutex_trylock(&mutex);
  int unlocked = pthread_mutex_unlock(&mutex);
  say("stranger: trylock %s unlock %s", errname(tried), errname(unlocked));
  return NULL;
}

static void *onlyTry(void *arg) {
  int tried = pthread_mutex_trylock(&mutex);
  say("%s: trylock %s", (char *)arg, errname(tried));
  if (tried == 0) pthread_mutex_unlock(&mutex);
  return NULL;
}

static void counted(const char *name, int type) {
  make(&mutex, type, 0);
  counter = 0;
  together(THREADS, addUnderMutex);
  say("%s: %ld", name, counter);
  pthread_mutex_lock(&mutex);
  finish(begin(onlyTry, "held"));
  pthread_mutex_unlock(&mutex);
  finish(begin(onlyTry, "free"));
  say("destroy %s", errname(pthread_mutex_destroy(&mutex)));
}

static void mutexes(void) {
  counted("normal", PTHREAD_MUTEX_NORMAL);
  counted("errorcheck", PTHREAD_MUTEX_ERRORCHECK);
  counted("recursive", PTHREAD_MUTEX_RECURSIVE);
  counted("adaptive", PTHREAD_MUTEX_ADAPTIVE_NP);
}

static void recursive(void) {
  make(&mutex, PTHREAD_MUTEX_RECURSIVE, 0);
  for (int i = 0; i < 3; i++) say("lock %s", errname(pthread_mutex_lock(&mutex)));
  say("trylock %s", errname(pthread_mutex_trylock(&mutex)));
  finish(begin(tryAndUnlock, NULL));
  for (int i = 0; i < 5; i++) say("unlock %s", errname(pthread_mutex_unlock(&mutex)));
  finish(begin(onlyTry, "after"));
  pthread_mutex_destroy(&mutex);
}

static void errorcheck(void) {
  make(&mutex, PTHREAD_MUTEX_ERRORCHECK, 0);
  say("unlock unlocked %s", errname(pthread_mutex_unlock(&mutex)));
  say("lock %s", errname(pthread_mutex_lock(&mutex)));
  say("lock again %s", errname(pthread_mutex_lock(&mutex)));
  say("trylock %s", errname(pthread_mutex_trylock(&mutex)));
  finish(begin(tryAndUnlock, NULL));
  say("destroy held %s", errname(pthread_mutex_destroy(&mutex)));
  say("unlock %s", errname(pthread_mutex_unlock(&mutex)));
  pthread_mutex_destroy(&mutex);
}

static void *timedOut(void *arg) {
  (void)arg;
  int64_t began = nowOn(CLOCK_MONOTONIC);
  struct timespec until = after(CLOCK_REALTIME, 20 * MS);
  say("timedlock %s", errname(pthread_mutex_timedlock(&mutex, &until)));
  say("waited %d", nowOn(CLOCK_MONOTONIC) - began >= 20 * MS);
  began = nowOn(CLOCK_MONOTONIC);
  until = after(CLOCK_MONOTONIC, 20 * MS);
  say("clocklock monotonic %s", errname(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until)));
  say("waited %d", nowOn(CLOCK_MONOTONIC) - began >= 20 * MS);
  until = after(CLOCK_REALTIME, 5 * MS);
  say("clocklock realtime %s", errname(pthread_mutex_clocklock(&mutex, CLOCK_REALTIME, &until)));
  say("clocklock cpu clock %s", errname(pthread_mutex_clocklock(&mutex, CLOCK_PROCESS_CPUTIME_ID, &until)));
  say("past %s", errname(pthread_mutex_timedlock(&mutex, &(struct timespec){.tv_sec = 1})));
  say("bad nanoseconds %s", errname(pthread_mutex_timedlock(&mutex, &(struct timespec){1, 1000000000})));
  return NULL;
}

static void *lockInTime(void *arg) {
  (void)arg;
  struct timespec until = after(CLOCK_MONOTONIC, 600000 * MS);
  int error = pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until);
  if (error == 0) pthread_mutex_unlock(&mutex);
  return (void *)(intptr_t)error;
}

static void timed(void) {
  make(&mutex, PTHREAD_MUTEX_NORMAL, 0);
  pthread_mutex_lock(&mutex);
  finish(begin(timedOut, NULL));
  pthread_t waiter = begin(lockInTime, NULL);
  for (int i = 0; i < 5; i++) pause1ms();
  pthread_mutex_unlock(&mutex);
  say("in time %s", errname((int)(intptr_t)finish(waiter)));
  pthread_mutex_destroy(&mutex);
}

static void *dieHolding(void *arg) {
  pthread_mutex_t *held = arg;
  for (int i = 0; i < 3; i++) pthread_mutex_lock(&held[i]);
  return NULL;
}

static void *waitForDead(void *arg) {
  int error = pthread_mutex_lock(arg);
  if (error == EOWNERDEAD) pthread_mutex_consistent(arg);
  pthread_mutex_unlock(arg);
  return (void *)(intptr_t)error;
}

static volatile int holding;

static void *dieLater(void *arg) {
  pthread_mutex_lock(arg);
  holding = 1;
  for (int i = 0; i < 20; i++) pause1ms();
  return NULL;
}

static void robust(void) {
  static pthread_mutex_t held[3];
  for (int i = 0; i < 3; i++) make(&held[i], i == 2 ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL, 1);
  finish(begin(dieHolding, held));
  say("lock %s", errname(pthread_mutex_lock(&held[0])));
  say("consistent %s", errname(pthread_mutex_consistent(&held[0])));
  say("unlock %s", errname(pthread_mutex_unlock(&held[0])));
  say("lock %s", errname(pthread_mutex_lock(&held[0])));
  say("consistent again %s", errname(pthread_mutex_consistent(&held[0])));
  say("unlock %s", errname(pthread_mutex_unlock(&held[0])));
  say("trylock %s", errname(pthread_mutex_trylock(&held[1])));
  say("unlock inconsistent %s", errname(pthread_mutex_unlock(&held[1])));
  say("lock %s", errname(pthread_mutex_lock(&held[1])));
  say("trylock %s", errname(pthread_mutex_trylock(&held[1])));
  struct timespec until = after(CLOCK_REALTIME, 600000 * MS);
  say("timedlock %s", errname(pthread_mutex_timedlock(&held[2], &until)));
  say("lock %s", errname(pthread_mutex_lock(&held[2])));
  say("consistent %s", errname(pthread_mutex_consistent(&held[2])));
  say("unlock %s", errname(pthread_mutex_unlock(&held[2])));
  say("unlock %s", errname(pthread_mutex_unlock(&held[2])));
  pthread_t owner = begin(dieLater, &held[0]);
  while (!holding) pause1ms();
  pthread_t waiters[3];
  for (int i = 0; i < 3; i++) waiters[i] = begin(waitForDead, &held[0]);
  int dead = 0, fine = 0;
  for (int i = 0; i < 3; i++) {
    int error = (int)(intptr_t)finish(waiters[i]);
    dead += error == EOWNERDEAD;
    fine += error == 0;
  }
  finish(owner);
  say("waiters: told once %d, then %d", dead, fine);
}

static void *addUnderSpin(void *arg) {
  for (int i = 0; i < ROUNDS; i++) {
    pthread_spin_lock(&spin);
    counter = counter + 1;
    pthread_spin_unlock(&spin);
  }
  return arg;
}

static void spins(void) {
  pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
  counter = 0;
  together(2, addUnderSpin);
  say("spin %ld", counter);
  pthread_spin_lock(&spin);
  say("trylock %s", errname(pthread_spin_trylock(&spin)));
  pthread_spin_unlock(&spin);
  say("trylock %s", errname(pthread_spin_trylock(&spin)));
  say("unlock %s", errname(pthread_spin_unlock(&spin)));
}

static pthread_barrier_t inside;

static void *readBeside(void *arg) {
  int locked = pthread_rwlock_rdlock(&rw);
  pthread_barrier_wait(&inside);
  pthread_rwlock_unlock(&rw);
  return (void *)(intptr_t)locked;
  (void)arg;
}

static void *probe(void *arg) {
  int reading = pthread_rwlock_tryrdlock(&rw);
  if (reading == 0) pthread_rwlock_unlock(&rw);
  int writing = pthread_rwlock_trywrlock(&rw);
  if (writing == 0) pthread_rwlock_unlock(&rw);
  say("%s: read %s write %s", (char *)arg, errname(reading), errname(writing));
  return NULL;
}

static void *timedProbe(void *arg) {
  struct timespec until = after(CLOCK_REALTIME, 10 * MS);
  say("%s: timedrdlock %s", (char *)arg, errname(pthread_rwlock_timedrdlock(&rw, &until)));
  until = after(CLOCK_MONOTONIC, 10 * MS);
  say("%s: clockwrlock %s", (char *)arg, errname(pthread_rwlock_clockwrlock(&rw, CLOCK_MONOTONIC, &until)));
  return NULL;
}

static void *mixed(void *arg) {
  for (int i = 0; i < ROUNDS / 4; i++) {
    int write = (i + (intptr_t)arg) % 4 == 0;
    if (write) {
      pthread_rwlock_wrlock(&rw);
      counter = counter + 1;
    } else {
      pthread_rwlock_rdlock(&rw);
    }
    pthread_rwlock_unlock(&rw);
  }
  return NULL;
}

static void readWrite(void) {
  pthread_rwlock_init(&rw, NULL);
  pthread_barrier_init(&inside, NULL, 3);
  together(3, readBeside);
  say("three readers met inside");
  finish(begin(probe, "free"));
  pthread_rwlock_rdlock(&rw);
  finish(begin(probe, "read"));
  pthread_rwlock_unlock(&rw);
  pthread_rwlock_wrlock(&rw);
  finish(begin(probe, "written"));
  finish(begin(timedProbe, "written"));
  say("own: read %s write %s", errname(pthread_rwlock_rdlock(&rw)), errname(pthread_rwlock_wrlock(&rw)));
  pthread_rwlock_unlock(&rw);
  counter = 0;
  together(THREADS, mixed);
  say("writes %ld", counter);
  say("destroy %s", errname(pthread_rwlock_destroy(&rw)));
}

static void *writeOnce(void *arg) {
  int locked = pthread_rwlock_wrlock(&rw);
  counter = counter + 1;
  pthread_rwlock_unlock(&rw);
  return (void *)(intptr_t)locked;
  (void)arg;
}

static void writersFirst(void) {
  pthread_rwlockattr_t attr;
  pthread_rwlockattr_init(&attr);
  pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
  pthread_rwlock_init(&rw, &attr);
  counter = 0;
  pthread_rwlock_rdlock(&rw);
  pthread_t writer = begin(writeOnce, NULL);
  while (pthread_rwlock_tryrdlock(&rw) == 0) {
    pthread_rwlock_unlock(&rw);
    pause1ms();
  }
  say("a waiting writer shuts readers out, written %ld", counter);
  pthread_rwlock_unlock(&rw);
  say("writer %s", errname((int)(intptr_t)finish(writer)));
  say("then read %s, written %ld", errname(pthread_rwlock_tryrdlock(&rw)), counter);
  pthread_rwlock_unlock(&rw);
}

static const struct section SECTIONS[] = {
    {"mutexes", mutexes}, {"recursive", recursive}, {"errorcheck", errorcheck}, {"timed", timed},
    {"robust", robust},   {"spins", spins},         {"readWrite", readWrite},   {"writersFirst", writersFirst},
};
PROGRAM(SECTIONS)
