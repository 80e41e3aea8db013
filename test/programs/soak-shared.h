/* soak-shared.h: memory that threads of many processes change at once, and what must be true of it all the same.
 *
 * Sums        each thread adds to words of three shared areas through views of its own, which it moves, closes, drops and maps
 *             anew between additions; at the end the words' sum is the number of additions
 * Pair        two words under a futex lock: equal for whoever holds it
 * Cut         two files that anybody truncates: a word is 0 or says which it is; past the end SIGBUS
 * Siblings    logs and mailboxes of other processes, through process_vm_readv and process_vm_writev: well-formed or EFAULT, ESRCH */
#ifndef SOAK_SHARED_H
#define SOAK_SHARED_H
#include "soak-own.h"

#define SUM_BYTES (WORDS * 8UL)
#define CUT_PAGES 16UL
#define CUT_TAG 0x7c00000000000000UL
#define LOCK_PATIENCE_S 100

/* A new view of a summed area, or NULL where there is none. */
static char *newView(int kind) {
  char *at = kind == 0 ? summed : NULL;
  if (kind == 0 && !at) return NULL;
  at = kind == 0 ? mremap(summed, 0, SUM_BYTES, MREMAP_MAYMOVE, 0) : mmap(NULL, SUM_BYTES, RW, MAP_SHARED, sumFds[kind], 0);
  return wanting((long)at, "mapping of a view") ? NULL : at;
}

static void dropView(int kind) {
  if (me->view[kind] && !WANTING(munmap(me->view[kind], SUM_BYTES))) me->view[kind] = NULL;
}

static void moveView(int kind) {
  char *to = mmap(NULL, SUM_BYTES, NONE, ANON, -1, 0);
  if (wanting((long)to, "room for a view")) return;
  char *got = mremap(me->view[kind], SUM_BYTES, SUM_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, to);
  if (!wanting((long)got, "mremap of a view")) me->view[kind] = got;
  else munmap(to, SUM_BYTES);
}

static void changeView(int kind) {
  static const int PROTS[] = {NONE, R, RW, RW};
  char *view = me->view[kind];
  int prot = PROTS[below(4)];
  switch (below(6)) {
    case 0: return dropView(kind);
    case 1: return moveView(kind);
    case 2: return (void)WANTING(madvise(view, SUM_BYTES, MADV_DONTNEED));
    case 3: return (void)WANTING(msync(view, SUM_BYTES, MS_SYNC));
    case 4: mlock(view, PAGE); return (void)WANTING(munlock(view, PAGE));
    default:
      if (!WANTING(mprotect(view, SUM_BYTES, prot))) me->viewProt[kind] = prot;
  }
}

static void sumStep(void) {
  int kind = (int)below(KINDS);
  if (!me->slot) return;
  if (!me->view[kind]) {
    me->view[kind] = newView(kind);
    me->viewProt[kind] = RW;
    if (!me->view[kind]) return;
  }
  for (int i = 0; i < 40; i++) {
    int got = tryAdd((uint64_t *)me->view[kind] + below(WORDS));
    if (got == 0) put(&me->slot->did[kind], me->slot->did[kind] + 1);
    int right = me->viewProt[kind] == RW ? 0 : SIGSEGV;
    if (got != right || (got && signalCode != SEGV_ACCERR))
      broken("addition to a view of kind %d, prot %d: signal %d code %d", kind, me->viewProt[kind], got, signalCode);
    if (got) break;
  }
  changeView(kind);
}

static long futex(uint32_t *at, int call, uint32_t value, const struct timespec *timeout) {
  return syscall(SYS_futex, at, call, value, timeout, NULL, 0);
}

/* 0 free, 1 held, 2 held and somebody waits. Taken by processes that nobody kills. */
static void pairStep(void) {
  if (mortal || get(&board->scarce)) return;
  struct timespec patience = {.tv_sec = LOCK_PATIENCE_S};
  uint32_t free = 0;
  if (!__atomic_compare_exchange_n(&board->lock, &free, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    while (__atomic_exchange_n(&board->lock, 2, __ATOMIC_SEQ_CST) != 0)
      if (futex(&board->lock, FUTEX_WAIT, 2, &patience) == -1 && errno == ETIMEDOUT) broken("a futex was never woken");
  uint64_t left = get(&board->left), right = get(&board->right);
  if (left != right) broken("pair under a lock: %lu and %lu", left, right);
  put(&board->left, left + 1);
  if (oneIn(8)) sched_yield();
  put(&board->right, right + 1);
  if (__atomic_exchange_n(&board->lock, 0, __ATOMIC_SEQ_CST) == 2) futex(&board->lock, FUTEX_WAKE, 1, NULL);
}

static void cutWord(uint64_t word, uint64_t place, const char *how) {
  if (word != 0 && word != (CUT_TAG | place)) broken("%s of a cut file, word %lu: %lx", how, place, word);
}

static void accessCut(uint64_t *at, uint64_t place) {
  uint64_t word = 0;
  int got = tryLoad(at, &word);
  if (got == 0) cutWord(word, place, "load");
  if (got == 0) got = tryStore(at, CUT_TAG | place);
  if (got != 0 && (got != SIGBUS || signalCode != BUS_ADRERR)) broken("cut file: signal %d code %d", got, signalCode);
}

static void mapCut(int fd) {
  uint64_t first = below(CUT_PAGES), pages = 1 + below(CUT_PAGES - first);
  char *at = mmap(NULL, pages * PAGE, RW, oneIn(2) ? MAP_SHARED : MAP_PRIVATE, fd, first * PAGE);
  if (wanting((long)at, "mmap of a cut file")) return;
  for (int i = 0; i < 20; i++) {
    uint64_t word = below(pages * 512);
    accessCut((uint64_t *)at + word, first * 512 + word);
  }
  if (oneIn(3)) WANTING(msync(at, pages * PAGE, MS_SYNC));
  WANTING(munmap(at, pages * PAGE));
}

static void cutStep(void) {
  int fd = cutFds[below(2)];
  uint64_t words[64], place = below(CUT_PAGES * 512 - 64);
  long got;
  switch (below(5)) {
    case 0: return (void)WANTING(ftruncate(fd, (long)below(CUT_PAGES * 512 + 1) * 8));
    case 1:
      for (int i = 0; i < 64; i++) words[i] = CUT_TAG | (place + (uint64_t)i);
      return (void)WANTING(pwrite(fd, words, sizeof words, (long)place * 8));
    case 2:
      got = pread(fd, words, sizeof words, (long)place * 8);
      if (wanting(got, "pread of a cut file")) return;
      for (int i = 0; i < got / 8; i++) cutWord(words[i], place + (uint64_t)i, "pread");
      return;
    default: return mapCut(fd);
  }
}

static uint64_t mailPlace(uint64_t word) { return 0x3a11000000000000UL | word; }

/* Whether a copy to or from another process went as it may: all, a part, or nothing with a lawful reason. */
static long remote(long got, const char *what) {
  if (got == -1 && errno != ESRCH && errno != EFAULT && errno != EPERM && errno != ENOMEM) broken("%s = %s", what, errname(errno));
  if (got > 0) add(&board->remotes, 1);
  return got;
}

static void siblingStep(void) {
  static __thread uint64_t words[768];
  int32_t pid = get(&board->pids[below(64)]);
  int index = (int)below(THREADS);
  if (pid == 0) return;
  uint64_t from = below(LOG_WORDS - 768), count = 1 + below(768);
  if (oneIn(3)) {
    for (uint64_t i = 0; i < 512; i++) words[i] = mailPlace(i);
    struct iovec mine = {words, 512 * 8}, its = {(void *)MAIL_AT, 512 * 8};
    remote(process_vm_writev(pid, &mine, 1, &its, 1, 0), "process_vm_writev");
    return;
  }
  struct iovec mine = {words, count * 8}, its = {logOf(index) + from, count * 8};
  long got = remote(process_vm_readv(pid, &mine, 1, &its, 1, 0), "process_vm_readv");
  for (uint64_t i = 0; (long)i < got / 8; i++) {
    uint64_t n = words[i] & ~LOG_TAG;
    if (words[i] != 0 && ((words[i] & LOG_TAG) != LOG_TAG || logPlace(n) != from + i))
      broken("log of process %d thread %d word %lu: %lx", pid, index, from + i, words[i]);
  }
}

/* The parent's own pages while it waits: as the copy of them says. Then one is changed, if the model lets it. */
static uint32_t remoteStamp(uint64_t childPath) { return (uint32_t)(childPath >> 32) | 1; }
static int remotePage(uint64_t childPath) { return (int)(childPath % OWN_PAGES); }

static void parentPages(pid_t parent) {
  static __thread uint64_t words[512];
  struct iovec mine = {words, PAGE};
  for (int i = 0; i < OWN_PAGES; i++) {
    if (me->own[i].atFork != 0) continue;
    struct iovec its = {ownPage(i), PAGE};
    long got = process_vm_readv(parent, &mine, 1, &its, 1, 0), error = errno;
    int readable = rightCode(&me->own[i], R) == 0;
    if (got == PAGE ? !readable : readable || error != EFAULT)
      broken("parent's own page %d (readable %d): %ld %s", i, readable, got, errname((int)error));
    for (unsigned w = 0; got == PAGE && w < 512; w++)
      if (words[w] != wordOf(me->own[i].stamp, w)) broken("parent's own page %d word %u: %lx", i, w, words[w]);
  }
}

static void changeParent(pid_t parent) {
  static __thread uint64_t words[512];
  int i = remotePage(path);
  for (unsigned w = 0; w < 512; w++) words[w] = wordOf(remoteStamp(path), w);
  struct iovec mine = {words, PAGE}, its = {ownPage(i), PAGE};
  long got = process_vm_writev(parent, &mine, 1, &its, 1, 0), error = errno;
  int writable = rightCode(&me->own[i], RW) == 0;
  if (me->own[i].atFork != 0) return;
  if (got == PAGE ? !writable : writable || error != EFAULT)
    broken("store to the parent's own page %d (writable %d): %ld %s", i, writable, got, errname((int)error));
}

/* In the parent, once the child has ended; `finished`: it cannot have missed that. */
static void changedByChild(uint64_t childPath, int finished) {
  int i = remotePage(childPath);
  if (rightCode(&me->own[i], RW) != 0) return;
  if (me->own[i].atFork == 0 && finished) me->own[i].stamp = remoteStamp(childPath);
  else fillOwn(i, 1);
  checkOwn(i, 1);
}

static void mailStep(void) {
  uint64_t word = below(512), value = get((uint64_t *)MAIL_AT + word);
  if (value != 0 && value != mailPlace(word)) broken("mailbox word %lu: %lx", word, value);
  if (oneIn(16)) WANTING(madvise(MAIL_AT, PAGE, MADV_DONTNEED));
}
#endif
