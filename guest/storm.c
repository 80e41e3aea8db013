/* guest/storm.c: the fault storm: threads that touch fresh memory while another one changes the map beside them.
 *
 *   storm [-t threads] [-m none|far|near] [-s seconds | -n rounds] [-p pages] [-r munmap|dontneed] [-v]
 *         4            near               -n 8                    2048      munmap
 *
 * Round       of each storm thread, on a region of its own: map it, store to every page (one fault each), check
 *             that what was not stored is zero, read every store back, release it
 * Mutator     one more thread: maps a 16-page gap, stores, makes its middle read-only, checks, makes it
 *             writable again, stores, checks, unmaps; gap after gap until the storm is over
 *
 *   near   |region 0      |gap 0|region 1      |gap 1| ...    the gap's VMA merges with both regions' and
 *                                                             splits from them: VMAs in use are replaced
 *   far    |region 0      |     |region 1      |     | ...    the same calls, 16 GiB below
 *
 * -v          checks and stores every word instead of three a page, and reads every other page first (so it
 *             starts on the zero page and is upgraded by the store)
 * Prints      key=value lines; `total` counts only the storm threads' touches, over the time from the common
 *             start to the last thread's end
 * Status      0, or 1 when one word or call was wrong (said on stderr, the first few), or 2 for wrong usage  */
#include "sys.h"

#define MOST 250
#define STACK_BYTES (64 * 1024)
#define GAP 16UL
#define WORDS (PAGE_BYTES / sizeof(u64))
#define FAR_BYTES (16UL << 30)
#define RW (PROT_READ | PROT_WRITE)
#define SHOWN 5 /* complaints printed */

enum { None, Far, Near };

/* One line of its own each: a thread's counters must not slow its neighbour's. */
struct worker {
  struct thread thread;
  u64 id, region, rounds, faults, ns, errors;
} __attribute__((aligned(128)));

static struct worker workers[MOST], mutator;
static struct barrier start;
static u32 over, shown;
static u64 nThreads = 4, nRounds = 8, limitNs, nPages = 2048, gapsBase, gapsStride, startNs;
static int mode = Near, keepMapping, every;

static void complain(struct worker *w, const char *what, u64 where, u64 got, u64 wanted) {
  w->errors++;
  if (__atomic_add_fetch(&shown, 1, __ATOMIC_RELAXED) > SHOWN) return;
  struct text err;
  openText(&err, 2);
  str(&err, "storm: thread ");
  dec(&err, (i64)w->id);
  str(&err, " round ");
  dec(&err, (i64)w->rounds);
  str(&err, ": ");
  str(&err, what);
  str(&err, " at ");
  hex(&err, where);
  str(&err, ": got ");
  hex(&err, got);
  str(&err, ", wanted ");
  hex(&err, wanted);
  str(&err, "\n");
  flush(&err);
}

static int called(struct worker *w, const char *what, u64 where, i64 result) {
  if (result >= 0) return 1;
  complain(w, what, where, (u64)result, 0);
  return 0;
}

/* Never 0, different for every thread, round and page, so that a frame seen twice or too early shows. */
static u64 pattern(struct worker *w, u64 page) {
  return ((w->id + 1) << 56 | (w->rounds & 0xffffffff) << 24 | page << 1 | 1) * 0x9e3779b97f4a7c15UL | 1;
}

static void expect(struct worker *w, const char *what, volatile u64 *at, u64 wanted) {
  u64 got = *at;
  if (got != wanted) complain(w, what, (u64)at, got, wanted);
}

static void touch(struct worker *w, u64 base, u64 pages) {
  for (u64 page = 0; page < pages; page++) {
    volatile u64 *p = (volatile u64 *)(base + page * PAGE_BYTES);
    u64 value = pattern(w, page);
    u64 word = value >> 20 & (WORDS - 1);
    if (!every) {
      p[word] = value;
      expect(w, "fresh page", p + (word ^ 1), 0);
      expect(w, "fresh page", p + (word ^ (WORDS / 2)), 0);
      continue;
    }
    if (page & 1)
      for (u64 i = 0; i < WORDS; i++) expect(w, "zero page", p + i, 0);
    p[word] = value;
    for (u64 i = 0; i < WORDS; i++)
      if (i != word) expect(w, "fresh page", p + i, 0);
    for (u64 i = 0; i < WORDS; i++) p[i] = value + i;
  }
}

static void readBack(struct worker *w, u64 base, u64 pages) {
  for (u64 page = 0; page < pages; page++) {
    volatile u64 *p = (volatile u64 *)(base + page * PAGE_BYTES);
    u64 value = pattern(w, page);
    if (!every) {
      expect(w, "read back", p + (value >> 20 & (WORDS - 1)), value);
      continue;
    }
    for (u64 i = 0; i < WORDS; i++) expect(w, "read back", p + i, value + i);
  }
}

static int map(struct worker *w, u64 base, u64 pages) {
  i64 at = sysMmap(base, pages * PAGE_BYTES, RW, MAP_FIXED_NOREPLACE);
  if (at >= 0 && (u64)at != base) complain(w, "mmap elsewhere", base, (u64)at, base);
  return called(w, "mmap", base, at) && (u64)at == base;
}

static int round(struct worker *w) {
  u64 bytes = nPages * PAGE_BYTES;
  if (!(keepMapping && w->rounds) && !map(w, w->region, nPages)) return 0;
  touch(w, w->region, nPages);
  w->faults += nPages;
  readBack(w, w->region, nPages);
  if (keepMapping) return called(w, "madvise", w->region, sysMadvise(w->region, bytes, MADV_DONTNEED));
  return called(w, "munmap", w->region, sysMunmap(w->region, bytes));
}

static void storm(void *arg) {
  struct worker *w = arg;
  barrierWait(&start);
  for (;;) {
    if (!round(w)) break;
    w->rounds++;
    if (limitNs ? nowNs() - startNs >= limitNs : w->rounds == nRounds) break;
  }
  w->ns = nowNs() - startNs;
}

/* gap   0..3 rw, 4..11 read-only then rw, 12..15 rw */
static int mutate(struct worker *w) {
  u64 gap = gapsBase + w->rounds % nThreads * gapsStride;
  u64 middle = gap + 4 * PAGE_BYTES;
  if (!map(w, gap, GAP)) return 0;
  touch(w, gap, GAP);
  if (!called(w, "mprotect", middle, sysMprotect(middle, 8 * PAGE_BYTES, PROT_READ))) return 0;
  readBack(w, gap, GAP);
  if (!called(w, "mprotect", middle, sysMprotect(middle, 8 * PAGE_BYTES, RW))) return 0;
  for (u64 page = 0; page < GAP; page++) *(volatile u64 *)(gap + page * PAGE_BYTES) = page;
  for (u64 page = 0; page < GAP; page++) expect(w, "gap", (volatile u64 *)(gap + page * PAGE_BYTES), page);
  w->faults += GAP;
  return called(w, "munmap", gap, sysMunmap(gap, GAP * PAGE_BYTES));
}

static void change(void *arg) {
  struct worker *w = arg;
  barrierWait(&start);
  while (!__atomic_load_n(&over, __ATOMIC_RELAXED) && mutate(w)) w->rounds++;
  w->ns = nowNs() - startNs;
}

static void field(struct text *out, const char *name, u64 value) {
  str(out, name);
  dec(out, (i64)value);
}

static void figures(struct text *out, u64 faults, u64 ns) {
  field(out, " faults=", faults);
  field(out, " ns=", ns);
  field(out, " rate=", ns ? (u64)((double)faults * 1e9 / (double)ns) : 0);
}

static int usage(void) {
  struct text err;
  openText(&err, 2);
  str(&err, "usage: storm [-t threads] [-m none|far|near] [-s seconds | -n rounds] [-p pages] "
            "[-r munmap|dontneed] [-v]\n");
  flush(&err);
  return 2;
}

/* "2" or "0.5": at most three digits after the point. */
static int readSeconds(const char *s, u64 *ns) {
  u64 ms = 0, digits = 0, point = 0;
  for (; *s; s++) {
    if (*s == '.' && !point) {
      point = 1;
      continue;
    }
    if (*s < '0' || *s > '9' || point > 3 || digits > 6) return 0;
    ms = ms * 10 + (u64)(*s - '0');
    digits++;
    if (point) point++;
  }
  for (u64 i = point ? point : 1; i <= 3; i++) ms *= 10;
  *ns = ms * 1000000;
  return digits > 0 && ms > 0;
}

static int options(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i];
    if (sameText(name, "-v")) {
      every = 1;
      continue;
    }
    const char *value = i + 1 < argc ? argv[++i] : "";
    int good = 0;
    if (sameText(name, "-t")) good = readNumber(value, &nThreads) && nThreads >= 1 && nThreads <= MOST;
    if (sameText(name, "-p")) good = readNumber(value, &nPages) && nPages >= 1 && nPages <= 1 << 20;
    if (sameText(name, "-n")) good = readNumber(value, &nRounds) && nRounds >= 1, limitNs = 0;
    if (sameText(name, "-s")) good = readSeconds(value, &limitNs);
    if (sameText(name, "-m")) {
      mode = sameText(value, "near") ? Near : sameText(value, "far") ? Far : None;
      good = mode != None || sameText(value, "none");
    }
    if (sameText(name, "-r")) {
      keepMapping = sameText(value, "dontneed");
      good = keepMapping || sameText(value, "munmap");
    }
    if (!good) return 0;
  }
  return 1;
}

/* Finds room for all regions and gaps, then frees it again. Every stack is mapped before, and nothing maps
 * without a fixed address afterwards, so the room stays ours. */
static i64 prepare(void) {
  u64 stride = (nPages + GAP) * PAGE_BYTES;
  for (u64 i = 0; i < nThreads; i++) {
    i64 error = threadPrepare(&workers[i].thread, STACK_BYTES);
    if (error) return error;
  }
  i64 error = mode == None ? 0 : threadPrepare(&mutator.thread, STACK_BYTES);
  if (error) return error;
  u64 bytes = nThreads * stride + PAGE_BYTES;
  i64 room = sysMmap(0, bytes + FAR_BYTES, PROT_NONE, MAP_NORESERVE);
  if (room < 0) return room;
  sysMunmap((u64)room, bytes + FAR_BYTES);
  u64 base = (u64)room + FAR_BYTES; /* its last page stays free: no merge with what lies above */
  for (u64 i = 0; i < nThreads; i++) {
    workers[i].id = i;
    workers[i].region = base + i * stride;
  }
  mutator.id = nThreads;
  gapsBase = (mode == Near ? base : (u64)room) + nPages * PAGE_BYTES;
  gapsStride = stride;
  return 0;
}

int main(int argc, char **argv, char **envp) {
  struct text out;
  openText(&out, 1);
  (void)envp;
  if (!options(argc, argv)) return usage();
  i64 error = prepare();
  start.parties = (u32)nThreads + (mode == None ? 1 : 2);
  for (u64 i = 0; !error && i < nThreads; i++) error = threadStart(&workers[i].thread, storm, &workers[i]);
  if (!error && mode != None) error = threadStart(&mutator.thread, change, &mutator);
  if (error) {
    out.fd = 2;
    field(&out, "storm: cannot start: errno ", (u64)-error);
    str(&out, "\n");
    flush(&out);
    return 1;
  }
  startNs = nowNs();
  barrierWait(&start);

  u64 faults = 0, ns = 0, errors = 0;
  for (u64 i = 0; i < nThreads; i++) {
    struct worker *w = &workers[i];
    threadJoin(&w->thread);
    faults += w->faults;
    errors += w->errors;
    if (w->ns > ns) ns = w->ns;
  }
  __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
  if (mode != None) threadJoin(&mutator.thread);
  errors += mutator.errors;

  field(&out, "storm threads=", nThreads);
  str(&out, mode == Near ? " mutator=near" : mode == Far ? " mutator=far" : " mutator=none");
  str(&out, keepMapping ? " release=dontneed" : " release=munmap");
  field(&out, " pages=", nPages);
  str(&out, every ? " verify=every\n" : " verify=sample\n");
  for (u64 i = 0; i < nThreads; i++) {
    field(&out, "thread=", i);
    field(&out, " rounds=", workers[i].rounds);
    figures(&out, workers[i].faults, workers[i].ns);
    str(&out, "\n");
  }
  field(&out, "mutator rounds=", mutator.rounds);
  figures(&out, mutator.faults, mutator.ns);
  str(&out, "\ntotal");
  figures(&out, faults, ns);
  field(&out, " errors=", errors);
  str(&out, "\n");
  flush(&out);
  return errors ? 1 : 0;
}
