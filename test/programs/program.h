/* What the programs of this folder share: named sections, and output that compares byte for byte.
 *
 *   program             runs every section in order
 *   program NAME...     runs those sections; 2 for an unknown name
 *
 * Output      "== NAME", then that section's lines, flushed at its end: a crash loses no finished section. Nothing is
 *             printed that differs between two correct machines: no address, time, thread id or order of a race.
 * Errors      printed by name, so that a table of errnos reads like the manual page                            */
#ifndef PROGRAM_H
#define PROGRAM_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))
#define MS 1000000L

struct section {
  const char *name;
  void (*run)(void);
};

/* "0" or the name of an errno. */
static inline const char *errname(int error) {
  const char *name = error == 0 ? "0" : strerrorname_np(error);
  return name ? name : "unknown";
}

/* What a call that returns -1 and sets errno came to. */
static inline const char *outcome(long result) {
  return errname(result == -1 ? errno : 0);
}

__attribute__((format(printf, 1, 2))) static inline void say(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  putchar('\n');
}

/* Stops the program where going on would only confuse. */
static inline void must(int ok, const char *what) {
  if (ok) return;
  printf("must: %s\n", what);
  fflush(stdout);
  _exit(9);
}

static inline int64_t nowOn(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline struct timespec after(clockid_t clock, int64_t ns) {
  int64_t at = nowOn(clock) + ns;
  return (struct timespec){.tv_sec = at / 1000000000LL, .tv_nsec = at % 1000000000LL};
}

static inline void pause1ms(void) {
  nanosleep(&(struct timespec){.tv_nsec = MS}, NULL);
}

static inline pthread_t begin(void *(*run)(void *), void *arg) {
  pthread_t thread;
  int error = pthread_create(&thread, NULL, run, arg);
  must(error == 0, "pthread_create");
  return thread;
}

static inline void *finish(pthread_t thread) {
  void *result = NULL;
  must(pthread_join(thread, &result) == 0, "pthread_join");
  return result;
}

/* Runs `threads` at once on the same function, each with its index. */
static inline void together(int threads, void *(*run)(void *)) {
  pthread_t all[64];
  for (intptr_t i = 0; i < threads; i++) all[i] = begin(run, (void *)i);
  for (int i = 0; i < threads; i++) finish(all[i]);
}

static inline int runSections(const struct section *all, int count, int argc, char **argv) {
  for (int i = 0; i < (argc > 1 ? argc - 1 : count); i++) {
    const struct section *found = argc > 1 ? NULL : &all[i];
    for (int j = 0; !found && j < count; j++)
      if (strcmp(all[j].name, argv[i + 1]) == 0) found = &all[j];
    if (!found) return 2;
    printf("== %s\n", found->name);
    fflush(stdout);
    found->run();
    fflush(stdout);
  }
  return 0;
}

#define PROGRAM(sections) \
  int main(int argc, char **argv) { return runSections(sections, COUNT(sections), argc, argv); }
#endif
