/* soak-own.h: memory that one thread alone changes, and knows every byte of.
 *
 *   thread 0 | 48 pages | thread 1 | 48 pages | ...   neighbours: their mappings merge and split beside one's own
 *
 * Model       a page is mapped or not, has a protection, a guard or none, and a stamp that its 512 words are made of
 * Accesses    to what the model forbids must fault, with the code that says why
 * Log         numbers stored in order, each to another page than the one before: whoever copies the space must see a beginning */
#ifndef SOAK_OWN_H
#define SOAK_OWN_H
#include "soak.h"

#define LOG_WORDS (LOG_PAGES * 512)
#define LOG_TAG 0x50a4000000000000UL

static uint64_t *ownPage(int i) {
  return (uint64_t *)(OWN_AT + ((uint64_t)me->index * OWN_PAGES + (uint64_t)i) * PAGE);
}

static uint64_t wordOf(uint32_t stamp, unsigned i) {
  return stamp ? stamp * 0x9e3779b97f4a7c15UL + i * 0xff51afd7ed558ccdUL : 0;
}

/* Every word, or -1 with the index of the first that is not as the stamp has it. */
__attribute__((noinline)) static int samePage(volatile uint64_t *page, uint32_t stamp, volatile unsigned *at) {
  if (sigsetjmp(escape, 0) != 0) return faulted(page);
  for (unsigned i = 0; i < 512; i++)
    if (page[i] != wordOf(stamp, i)) {
      *at = i;
      return -1;
    }
  return 0;
}

__attribute__((noinline)) static int fillPage(volatile uint64_t *page, uint32_t stamp) {
  if (sigsetjmp(escape, 0) != 0) return faulted(page);
  for (unsigned i = 0; i < 512; i++) page[i] = wordOf(stamp, i);
  return 0;
}

/* What an access must come to: 0, or the code of the SIGSEGV. */
static int rightCode(const struct page *page, int prot) {
  if (!page->mapped) return SEGV_MAPERR;
  if ((page->prot & prot) != prot) return SEGV_ACCERR;
  return page->guard ? SEGV_MAPERR : 0;
}

static void expected(int got, int code, int i, const char *what) {
  if (got == 0 && code == 0) return;
  if (got == SIGSEGV && code != 0 && signalCode == code) return;
  const struct page *page = &me->own[i];
  broken("%s own page %d (mapped %d prot %d guard %d): signal %d code %d, wanted code %d", what, i, page->mapped, page->prot,
         page->guard, got, signalCode, code);
}

static void checkOwn(int from, int count) {
  for (int i = from; i < from + count; i++) {
    const struct page *page = &me->own[i];
    volatile unsigned at = 0;
    int got = samePage(ownPage(i), page->stamp, &at);
    if (got >= 0) expected(got, rightCode(page, R), i, "read of");
    else
      broken("own page %d at %p word %u: %lx, wanted %lx (stamp %x)", i, (void *)ownPage(i), at, ownPage(i)[at],
             wordOf(page->stamp, at), page->stamp);
  }
}

static void fillOwn(int from, int count) {
  for (int i = from; i < from + count; i++) {
    uint32_t stamp = (uint32_t)next() | 1;
    int got = fillPage(ownPage(i), stamp);
    expected(got, rightCode(&me->own[i], RW), i, "write of");
    if (got == 0) me->own[i].stamp = stamp;
  }
}

static void setRun(int from, int count, struct page page) {
  for (int i = from; i < from + count; i++) me->own[i] = page;
}

/* Nothing of it is mapped any more: also the way back when memory was too short in the middle of a call. */
static void unmapOwn(int from, int count) {
  while (munmap(ownPage(from), count * PAGE) != 0)
    if (!wanting(-1, "munmap of own pages") || over()) broken("munmap never succeeded");
  setRun(from, count, (struct page){0});
}

static void mapOwn(int from, int count) {
  long flags = ANON | MAP_FIXED | (oneIn(4) ? MAP_POPULATE : 0);
  if (WANTING(mmap(ownPage(from), count * PAGE, RW, flags, -1, 0))) unmapOwn(from, count);
  else setRun(from, count, (struct page){.mapped = 1, .prot = RW});
}

/* The pages from `from` on that are mapped, `most` at most. */
static int mappedRun(int from, int most) {
  int count = 0;
  while (count < most && me->own[from + count].mapped) count++;
  return count;
}

static void protectOwn(int from, int count) {
  static const uint8_t PROTS[] = {NONE, R, RW, RW};
  uint8_t prot = PROTS[below(4)];
  if (WANTING(mprotect(ownPage(from), count * PAGE, prot))) return unmapOwn(from, count);
  for (int i = from; i < from + count; i++) me->own[i].prot = prot;
}

static void dropOwn(int from, int count) {
  if (WANTING(madvise(ownPage(from), count * PAGE, MADV_DONTNEED))) return unmapOwn(from, count);
  for (int i = from; i < from + count; i++) me->own[i].stamp = 0;
}

static void guardOwn(int from, int count) {
  long advice = oneIn(2) ? MADV_GUARD_INSTALL : MADV_GUARD_REMOVE;
  long result = madvise(ownPage(from), count * PAGE, advice);
  if (result == -1 && errno == EINVAL) return; // a kernel before 6.13
  if (wanting(result, "madvise(GUARD)")) return unmapOwn(from, count);
  for (int i = from; i < from + count; i++) {
    if (advice == MADV_GUARD_INSTALL) me->own[i].stamp = 0;
    me->own[i].guard = advice == MADV_GUARD_INSTALL;
  }
}

/* To another place in the region; or the pages alone, and what they leave is zero again. Over several mappings it is refused by kernels before 6.17, with the goal already gone. */
static void moveOwn(int from, int count) {
  int to = (int)below((uint64_t)(OWN_PAGES - count + 1));
  if (to < from + count && from < to + count) return;
  int stays = oneIn(4);
  long flags = MREMAP_MAYMOVE | MREMAP_FIXED | (stays ? MREMAP_DONTUNMAP : 0);
  char *got = mremap(ownPage(from), count * PAGE, count * PAGE, flags, ownPage(to));
  if (got == MAP_FAILED) {
    int refused = errno == EFAULT || (stays && errno == EINVAL);
    if (!refused) wanting(-1, "mremap of own pages"), unmapOwn(from, count);
    return unmapOwn(to, count);
  }
  if (got != (char *)ownPage(to)) broken("mremap moved to %p, wanted %p", got, (void *)ownPage(to));
  memcpy(&me->own[to], &me->own[from], (size_t)count * sizeof(struct page));
  for (int i = from; stays && i < from + count; i++) me->own[i].stamp = me->own[i].guard = 0;
  if (!stays) setRun(from, count, (struct page){0});
}

/* What a fork does with them; one of the two kinds at a time. */
static void adviseOwn(int from, int count) {
  uint8_t atFork = (uint8_t)below(3);
  int failed = WANTING(madvise(ownPage(from), count * PAGE, MADV_DOFORK)) ||
               WANTING(madvise(ownPage(from), count * PAGE, MADV_KEEPONFORK)) ||
               (atFork && WANTING(madvise(ownPage(from), count * PAGE, atFork == 1 ? MADV_DONTFORK : MADV_WIPEONFORK)));
  if (failed) return unmapOwn(from, count);
  for (int i = from; i < from + count; i++) me->own[i].atFork = atFork;
}

/* The model of the copy that a fork made. */
static void ownWasCopied(void) {
  for (int i = 0; i < OWN_PAGES; i++) {
    struct page *page = &me->own[i];
    if (page->atFork == 1) *page = (struct page){0};
    if (page->atFork == 2) page->stamp = page->guard = 0;
  }
}

/* A page through a file to another: the kernel reads and writes what guest code could. */
static void copyOwn(int from, int to) {
  if (!me->file) {
    int fd = memfd_create("page", 0);
    if (wanting(fd, "memfd_create")) return;
    me->file = fd;
  }
  int readable = rightCode(&me->own[from], R) == 0, writable = rightCode(&me->own[to], RW) == 0;
  long got = pwrite(me->file, ownPage(from), PAGE, 0);
  if (got == -1 && (readable ? wanting(got, "pwrite of an own page") : errno == EFAULT)) return;
  if (got != PAGE || !readable) broken("pwrite of own page %d (readable %d): %ld", from, readable, got);
  got = pread(me->file, ownPage(to), PAGE, 0);
  if (got == PAGE && writable) me->own[to].stamp = me->own[from].stamp;
  else if (writable && wanting(got, "pread into an own page")) fillOwn(to, 1);
  else if (got != -1 || writable || errno != EFAULT) broken("pread of own page %d (writable %d): %ld", to, writable, got);
}

/* MADV_FREE may drop a page now, later or not at all, until it is written: so it is written. */
static void freeOwn(int from, int count) {
  if (WANTING(madvise(ownPage(from), count * PAGE, MADV_FREE))) return unmapOwn(from, count);
  for (int i = from; i < from + count; i++)
    if (rightCode(&me->own[i], RW) == 0) fillOwn(i, 1);
    else dropOwn(i, 1);
}

static void lockOwn(int from, int count) {
  if (mlock(ownPage(from), count * PAGE) != 0 && errno != ENOMEM && errno != EAGAIN && errno != EPERM && errno != EFAULT)
    broken("mlock = %s", errname(errno));
  WANTING(munlock(ownPage(from), count * PAGE));
}

/* Memory of the kernel's own choosing: zero, then what was stored, then gone in two parts. */
static void fresh(void) {
  unsigned long pages = 2 + below(30), half = 1 + below(pages - 1);
  char *at = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);
  if (wanting((long)at, "mmap of fresh pages")) return;
  volatile unsigned word = 0;
  uint32_t stamp = (uint32_t)next() | 1;
  for (unsigned long i = 0; i < pages; i++) {
    if (samePage((uint64_t *)(at + i * PAGE), 0, &word) != 0) broken("a fresh page at %p is not zero", at + i * PAGE);
    if (fillPage((uint64_t *)(at + i * PAGE), stamp + (uint32_t)i) != 0) broken("a fresh page at %p faults", at + i * PAGE);
  }
  WANTING(munmap(at, half * PAGE));
  for (unsigned long i = half; i < pages; i++)
    if (samePage((uint64_t *)(at + i * PAGE), stamp + (uint32_t)i, &word) != 0) broken("fresh page at %p lost", at + i * PAGE);
  WANTING(munmap(at + half * PAGE, (pages - half) * PAGE));
}

static void ownStep(void) {
  int from = (int)below(OWN_PAGES), most = 1 + (int)below((uint64_t)(OWN_PAGES - from < 16 ? OWN_PAGES - from : 16));
  int run = mappedRun(from, most);
  uint64_t choice = below(14);
  if (choice == 0) return mapOwn(from, most);
  if (choice == 1) return oneIn(3) ? unmapOwn(from, most) : fresh();
  if (choice <= 3) return checkOwn(from, most);
  if (choice <= 5) return fillOwn(from, most);
  if (choice == 12) return copyOwn(from, (int)below(OWN_PAGES));
  if (run == 0) return mapOwn(from, most);
  if (choice == 13) return adviseOwn(from, run);
  if (choice == 6) return protectOwn(from, run);
  if (choice == 7) return dropOwn(from, run);
  if (choice == 8) return guardOwn(from, run);
  if (choice == 9) return moveOwn(from, run);
  if (choice == 10) return oneIn(2) ? freeOwn(from, run) : lockOwn(from, run);
  protectOwn(from, run);
  checkOwn(from, run);
}

static uint64_t *logOf(int index) { return (uint64_t *)(LOG_AT + (uint64_t)index * LOG_PAGES * PAGE); }
static uint64_t logPlace(uint64_t n) { return (n % LOG_PAGES) * 512 + n / LOG_PAGES % 512; }

static void logStep(void) {
  volatile uint64_t *log = logOf(me->index);
  for (uint64_t i = 64 + below(512); i > 0; i--) {
    uint64_t n = ++me->sequence;
    put(&log[logPlace(n)], LOG_TAG | n);
  }
}

/* In a child just forked: each thread's log must be a beginning of what that thread stored. */
static void checkLog(int index) {
  uint64_t *log = logOf(index), last = 0;
  for (unsigned i = 0; i < LOG_WORDS; i++)
    if (log[i] > last) last = log[i];
  last &= ~LOG_TAG;
  for (uint64_t n = last > LOG_WORDS ? last - LOG_WORDS + 1 : 1; n <= last; n++)
    if (log[logPlace(n)] != (LOG_TAG | n))
      broken("log of thread %d: has %lu but not %lu (%lx)", index, last, n, log[logPlace(n)]);
}

static void newLog(void) {
  while (wanting((long)mmap(logOf(me->index), LOG_PAGES * PAGE, RW, ANON | MAP_FIXED, -1, 0), "mmap of a log")) {
    if (over()) _exit(66);
    usleep(1000);
  }
  me->sequence = 0;
}
#endif
