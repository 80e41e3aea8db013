/* guest/counter.c: threads that count together, three ways, and the sum they must reach.
 *
 *   counter [-t threads] [-n rounds]      defaults 4 and 20000
 *
 * amo         one atomic add a round
 * cas         load and compare-and-swap until it succeeds (LR/SC on riscv64)
 * mutex       a plain add under a futex mutex: sleeps and wakes under contention
 * Status      0 when all three sums are exact, 1 when one is not, 2 for wrong usage      */
#include "sys.h"

#define MOST 64
#define STACK_BYTES (64 * 1024)

static struct barrier together;
static struct mutex lock;
static u64 rounds = 20000, amo, cas, plain;

static void count(void *unused) {
  (void)unused;
  barrierWait(&together);
  for (u64 i = 0; i < rounds; i++) __atomic_fetch_add(&amo, 1, __ATOMIC_RELAXED);
  barrierWait(&together);
  for (u64 i = 0; i < rounds; i++) {
    u64 seen = __atomic_load_n(&cas, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&cas, &seen, seen + 1, 1, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    }
  }
  barrierWait(&together);
  for (u64 i = 0; i < rounds; i++) {
    mutexLock(&lock);
    plain++;
    mutexUnlock(&lock);
  }
}

static int report(struct text *out, const char *name, u64 got, u64 wanted) {
  str(out, name);
  str(out, " ");
  dec(out, (i64)got);
  str(out, got == wanted ? " ok\n" : " WRONG\n");
  return got != wanted;
}

int main(int argc, char **argv, char **envp) {
  static struct thread threads[MOST];
  struct text out;
  openText(&out, 1);
  u64 n = 4;
  (void)envp;
  for (int i = 1; i < argc; i += 2) {
    u64 *to = sameText(argv[i], "-t") ? &n : sameText(argv[i], "-n") ? &rounds : 0;
    if (!to || i + 1 == argc || !readNumber(argv[i + 1], to) || n < 1 || n > MOST) {
      out.fd = 2;
      str(&out, "usage: counter [-t threads] [-n rounds]\n");
      flush(&out);
      return 2;
    }
  }
  together.parties = (u32)n;
  for (u64 i = 0; i < n; i++) {
    i64 error = threadPrepare(&threads[i], STACK_BYTES);
    if (!error) error = threadStart(&threads[i], count, 0);
    if (error) {
      out.fd = 2;
      str(&out, "counter: no thread: errno ");
      dec(&out, -error);
      str(&out, "\n");
      flush(&out);
      return 1;
    }
  }
  for (u64 i = 0; i < n; i++) threadJoin(&threads[i]);
  int wrong = report(&out, "amo", amo, n * rounds) + report(&out, "cas", cas, n * rounds) +
              report(&out, "mutex", plain, n * rounds);
  flush(&out);
  return wrong ? 1 : 0;
}
