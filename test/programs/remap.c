/* remap.c: the calls that move, lock, advise and ask about memory, and every refusal in the kernel's order.
 *
 * Method      memory.c's: each line is an outcome by name, or the bytes found. What another kernel version may answer otherwise
 *             is left out.                                                                                          */
#include "program.h"
#include <linux/membarrier.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define PAGE 4096UL
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static __thread sigjmp_buf escape;
static __thread volatile int code;

static void caught(int signal, siginfo_t *info, void *context) {
  (void)context;
  code = signal * 10 + info->si_code;
  siglongjmp(escape, 1);
}

static void catchFaults(void) {
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}

/* The byte at `at`, or minus what the access raised. */
static int peek(char *at) {
  if (sigsetjmp(escape, 0) == 0) return *(volatile unsigned char *)at;
  return -code;
}

static int poke(char *at, int value) {
  if (sigsetjmp(escape, 0) == 0) return *(volatile char *)at = value, 0;
  return -code;
}

/* The first byte of each page. */
static void strip(const char *what, char *from, int pages) {
  printf("%s:", what);
  for (int i = 0; i < pages; i++) {
    int got = peek(from + i * PAGE);
    printf(got == -111 ? " !!" : got == -112 ? " --" : " %d", got);
  }
  putchar('\n');
}

static char *map(char *at, long pages, int prot, int flags) {
  return mmap(at, pages * PAGE, prot, flags, -1, 0);
}

/* `pages` pages with bytes from 1 on, in the middle of a reservation that is free again around them. */
static char *numbered(int pages, int flags) {
  char *room = map(NULL, 64, PROT_NONE, ANON | MAP_NORESERVE);
  munmap(room, 64 * PAGE);
  char *at = map(room + 16 * PAGE, pages, RW, flags | MAP_FIXED);
  for (int i = 0; i < pages; i++) at[i * PAGE] = i + 1;
  return at;
}

static const char *moved(void *result, void *wanted) {
  return result == MAP_FAILED ? errname(errno) : result == wanted ? "there" : "elsewhere";
}

static void resizes(void) {
  char *a = numbered(4, ANON);
  say("shrink %s", moved(mremap(a, 4 * PAGE, 2 * PAGE, 0), a));
  strip("shrunk", a, 4);
  say("grow %s", moved(mremap(a, 2 * PAGE, 6 * PAGE, 0), a));
  strip("grown", a, 7);
  map(a + 6 * PAGE, 1, PROT_READ, ANON | MAP_FIXED);
  say("grow into a neighbour %s", moved(mremap(a, 6 * PAGE, 7 * PAGE, 0), a));
  say("grow a part %s", moved(mremap(a, 2 * PAGE, 3 * PAGE, 0), a));
  char *b = mremap(a, 6 * PAGE, 9 * PAGE, MREMAP_MAYMOVE);
  say("grow and move %s", moved(b, a));
  strip("old", a, 7);
  strip("new", b, 9);
  say("the same size %s", moved(mremap(b, PAGE, PAGE, 0), b));
  munmap(b, 9 * PAGE);
  a = numbered(9, ANON);
  munmap(a + 3 * PAGE, PAGE);
  say("shrink past a hole %s", moved(mremap(a, 12 * PAGE, PAGE, 0), a));
  strip("left", a, 10);
}

static void moves(void) {
  char *a = numbered(6, ANON);
  mprotect(a + 4 * PAGE, PAGE, PROT_NONE);
  mprotect(a + 5 * PAGE, PAGE, PROT_READ);
  char *to = a + 20 * PAGE;
  map(to, 2, RW, ANON | MAP_FIXED);
  to[PAGE] = 99;
  say("two pages %s", moved(mremap(a, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), to));
  strip("old", a, 6);
  strip("new", to, 3);
  say("read-only %s", moved(mremap(a + 5 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 3 * PAGE), to + 3 * PAGE));
  say("write %d", poke(to + 3 * PAGE, 1));
  say("inaccessible %s", moved(mremap(a + 4 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 5 * PAGE), to + 5 * PAGE));
  mprotect(to + 5 * PAGE, 2 * PAGE, RW);
  strip("made accessible", to + 5 * PAGE, 3);
  say("over two mappings %s", moved(mremap(to, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, a), a));
  say("overlap %s", moved(mremap(to, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE), to));
  char *far = (char *)0x2000000000;
  say("far %s", moved(mremap(to, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, far), far));
  strip("far", far, 3);
  munmap(far, 2 * PAGE);
}

/* Linux 6.17 and later: a move that resizes nothing takes several mappings along, and the holes between them. */
static void several(void) {
  char *a = numbered(6, ANON);
  mprotect(a + PAGE, PAGE, PROT_READ);
  munmap(a + 3 * PAGE, PAGE);
  char *to = a + 20 * PAGE;
  map(to, 6, RW, ANON | MAP_FIXED);
  say("six pages %s", moved(mremap(a, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to), to));
  strip("old", a, 6);
  strip("new", to, 6);
  say("write %d %d", poke(to, 1), poke(to + PAGE, 1));
  say("from a hole %s", moved(mremap(to + 3 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, a), a));
}

static void leavesBehind(void) {
  char *a = numbered(3, ANON);
  char *b = mremap(a, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
  say("private %s", moved(b, a));
  strip("old", a, 3);
  strip("new", b, 3);
  char *c = numbered(2, SHARED);
  char *d = mremap(c, 0, 2 * PAGE, MREMAP_MAYMOVE);
  say("second mapping %s", moved(d, c));
  d[0] = 55;
  strip("first", c, 2);
  strip("second", d, 2);
  munmap(c, 2 * PAGE);
  strip("second alone", d, 2);
  say("of private memory %s", moved(mremap(a, 0, PAGE, MREMAP_MAYMOVE), a));
  char *e = mremap(d, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
  strip("past the object", e, 4);
}

static void refusals(void) {
  char *a = numbered(4, ANON);
  munmap(a + 3 * PAGE, PAGE);
  char *to = a + 20 * PAGE;
  const struct { long at, from, upTo; int flags; char *to; } cases[] = {
      {0, PAGE, PAGE, 8, NULL}, {0, PAGE, PAGE, MREMAP_FIXED, to}, {0, PAGE, PAGE, MREMAP_DONTUNMAP, to},
      {0, PAGE, 2 * PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, to}, {1, PAGE, PAGE, 0, NULL}, {0, PAGE, 0, 0, NULL},
      {3 * PAGE, PAGE, PAGE, 0, NULL}, {0, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, NULL},
      {0, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 1}, {0, 4 * PAGE, 5 * PAGE, 0, NULL},
      {0, PAGE, 1L << 60, MREMAP_MAYMOVE, NULL}, {0, PAGE, 1L << 60, MREMAP_MAYMOVE | MREMAP_FIXED, to},
      {0, 3 * PAGE, 1L << 50, MREMAP_MAYMOVE, NULL}, {0, 0, PAGE, MREMAP_MAYMOVE, NULL},
  };
  for (int i = 0; i < COUNT(cases); i++) {
    void *got = (void *)syscall(SYS_mremap, a + cases[i].at, cases[i].from, cases[i].upTo, cases[i].flags, cases[i].to);
    say("%d %s", i, moved(got, to));
  }
}

static void limit(int what, unsigned long soft) {
  struct rlimit l;
  getrlimit(what, &l);
  l.rlim_cur = soft;
  say("limit %s", outcome(setrlimit(what, &l)));
}

static void locks(void) {
  char *a = numbered(6, ANON);
  say("lock %s", outcome(mlock(a + PAGE + 5, PAGE)));
  say("dontneed %s", outcome(madvise(a, 6 * PAGE, MADV_DONTNEED)));
  strip("before the lock", a, 4);
  say("unlock %s", outcome(munlock(a, 6 * PAGE)));
  say("dontneed %s", outcome(madvise(a, 6 * PAGE, MADV_DONTNEED)));
  say("lock on fault %s", outcome(mlock2(a, 2 * PAGE, MLOCK_ONFAULT)));
  say("lock flags %s", outcome(mlock2(a, 2 * PAGE, 6)));
  say("lock nothing %s", outcome(mlock(a, 0)));
  say("lock a hole %s", outcome(mlock(a + 5 * PAGE, 3 * PAGE)));
  say("unlock a hole %s", outcome(munlock(a + 5 * PAGE, 3 * PAGE)));
  say("lock and wrap %s", outcome(mlock(a, -2 * PAGE)));
  mprotect(a, PAGE, PROT_NONE);
  say("lock no access %s", outcome(mlock(a, PAGE)));
  say("all: nothing %s", outcome(mlockall(0)));
  say("all: on fault alone %s", outcome(mlockall(4)));
  say("all: unknown %s", outcome(mlockall(8)));
  say("all: future %s", outcome(mlockall(MCL_FUTURE)));
  char *b = map(NULL, 2, RW, ANON);
  say("locked from birth %s", outcome(madvise(b, PAGE, MADV_DONTNEED)));
  unsigned char in[2];
  say("asked %s", outcome(mincore(b, 2 * PAGE, in)));
  say("resident %d", in[0] & in[1] & 1);
  say("none %s", outcome(munlockall()));
  say("unlocked %s", outcome(madvise(b, PAGE, MADV_DONTNEED)));
  say("msync invalidate %s", outcome(msync(b, PAGE, MS_INVALIDATE)));
  mlock(b, PAGE);
  say("msync invalidate locked %s", outcome(msync(b, 2 * PAGE, MS_INVALIDATE)));
}

static void limits(void) {
  char *a = numbered(2, ANON);
  struct rlimit was;
  getrlimit(RLIMIT_AS, &was);
  limit(RLIMIT_AS, 1 << 20);
  say("map %s", moved(map(NULL, 300, RW, ANON), NULL));
  say("grow %s", moved(mremap(a, 2 * PAGE, 300 * PAGE, 0), a));
  setrlimit(RLIMIT_AS, &was);
  getrlimit(RLIMIT_DATA, &was);
  limit(RLIMIT_DATA, 4096);
  say("map writable %s", moved(map(NULL, 3, RW, ANON), NULL));
  char *r = map(NULL, 3, PROT_READ, ANON);
  say("map read-only %s", r == MAP_FAILED ? errname(errno) : "yes");
  say("make it writable %s", outcome(mprotect(r, 3 * PAGE, RW)));
  say("map shared %s", map(NULL, 3, RW, SHARED) == MAP_FAILED ? errname(errno) : "yes");
  say("brk %s", sbrk(1 << 20) == (void *)-1 ? errname(errno) : "yes");
  setrlimit(RLIMIT_DATA, &was);
  say("brk %s", sbrk(1 << 20) == (void *)-1 ? errname(errno) : "yes");
  getrlimit(RLIMIT_STACK, &was);
  say("stack %lu %d", was.rlim_cur >> 20, was.rlim_max == RLIM_INFINITY);
}

static void advice(void) {
  char *a = numbered(6, ANON);
  munmap(a + 3 * PAGE, PAGE);
  const int all[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTFORK, MADV_DOFORK, MADV_DONTDUMP,
                     MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT, MADV_REMOVE, 5, 6, 7, 26, 99, 105};
  for (int i = 0; i < COUNT(all); i++)
    say("%d: %s, over a hole %s", all[i], outcome(madvise(a, 3 * PAGE, all[i])), outcome(madvise(a, 6 * PAGE, all[i])));
  say("unaligned %s", outcome(madvise(a + 1, PAGE, MADV_NORMAL)));
  say("nothing %s", outcome(madvise(a, 0, MADV_NORMAL)));
  say("nothing, unknown %s", outcome(madvise(a, 0, 99)));
  say("wraps to 0 %s", outcome(madvise(a, -1, MADV_NORMAL)));
  say("wraps %s", outcome(madvise(a, -2 * PAGE, MADV_NORMAL)));
  strip("as before", a, 6);
  say("dontneed over a hole %s", outcome(madvise(a + PAGE, 5 * PAGE, MADV_DONTNEED)));
  strip("after", a, 6);
  char *s = numbered(3, SHARED);
  say("shared: free %s", outcome(madvise(s, PAGE, MADV_FREE)));
  say("shared: wipe %s", outcome(madvise(s, PAGE, MADV_WIPEONFORK)));
  say("shared: dontneed %s", outcome(madvise(s, PAGE, MADV_DONTNEED)));
  say("shared: remove %s", outcome(madvise(s + PAGE, PAGE, MADV_REMOVE)));
  strip("shared", s, 3);
  mprotect(s, PAGE, PROT_READ);
  say("shared, read-only: remove %s", outcome(madvise(s, PAGE, MADV_REMOVE)));
}

static void populates(void) {
  char *a = map(NULL, 6, RW, ANON);
  unsigned char in[6];
  mincore(a, 6 * PAGE, in);
  say("resident %d%d%d", in[0] & 1, in[1] & 1, in[2] & 1);
  say("write %s", outcome(madvise(a, 2 * PAGE, MADV_POPULATE_WRITE)));
  mincore(a, 6 * PAGE, in);
  say("resident %d%d%d", in[0] & 1, in[1] & 1, in[2] & 1);
  mprotect(a + 2 * PAGE, PAGE, PROT_READ);
  mprotect(a + 3 * PAGE, PAGE, PROT_NONE);
  munmap(a + 4 * PAGE, PAGE);
  say("write read-only %s", outcome(madvise(a, 3 * PAGE, MADV_POPULATE_WRITE)));
  say("read it %s", outcome(madvise(a, 3 * PAGE, MADV_POPULATE_READ)));
  say("read no access %s", outcome(madvise(a, 4 * PAGE, MADV_POPULATE_READ)));
  say("read a hole %s", outcome(madvise(a + 4 * PAGE, 2 * PAGE, MADV_POPULATE_READ)));
  say("in core: hole %s", outcome(mincore(a, 6 * PAGE, in)));
  say("in core: unaligned %s", outcome(mincore(a + 1, PAGE, in)));
  say("in core: vector %s", outcome(mincore(a, PAGE, (void *)a + 4 * PAGE)));
  char *p = map(NULL, 3, RW, ANON | MAP_POPULATE);
  mincore(p, 3 * PAGE, in);
  say("populated %d%d%d", in[0] & 1, in[1] & 1, in[2] & 1);
  p = map(NULL, 3, RW, ANON | MAP_POPULATE | MAP_NONBLOCK);
  mincore(p, 3 * PAGE, in);
  say("not blocking %d%d%d", in[0] & 1, in[1] & 1, in[2] & 1);
  p = map(NULL, 3, RW, ANON | MAP_LOCKED);
  mincore(p, 3 * PAGE, in);
  say("locked %d%d%d", in[0] & 1, in[1] & 1, in[2] & 1);
}

static void syncs(void) {
  char *a = numbered(4, ANON);
  munmap(a + PAGE, PAGE);
  say("flags %s", outcome(msync(a, PAGE, 8)));
  say("both %s", outcome(msync(a, PAGE, MS_SYNC | MS_ASYNC)));
  say("unaligned %s", outcome(msync(a + 1, PAGE, MS_SYNC)));
  say("nothing %s", outcome(msync(a, 0, MS_SYNC)));
  say("wraps %s", outcome(msync(a, -2 * PAGE, MS_SYNC)));
  say("whole %s", outcome(msync(a, PAGE, MS_SYNC)));
  say("hole %s", outcome(msync(a, 4 * PAGE, MS_SYNC)));
  say("hole, async %s", outcome(msync(a, 4 * PAGE, MS_ASYNC)));
  say("no flag %s", outcome(msync(a, PAGE, 0)));
}

static void mappings(void) {
  char *a = numbered(4, ANON);
  say("validate, anonymous %s", moved(map(NULL, 1, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS), NULL));
  say("shared, grows down %s", moved(map(NULL, 1, RW, SHARED | MAP_GROWSDOWN), NULL));
  say("no type %s", moved(map(NULL, 1, RW, MAP_ANONYMOUS), NULL));
  say("no replace %s", moved(map(a, 1, RW, ANON | MAP_FIXED_NOREPLACE), a));
  say("no replace, free %s", moved(map(a + 10 * PAGE, 1, RW, ANON | MAP_FIXED_NOREPLACE), a + 10 * PAGE));
  say("hint %s", moved(map(a + 12 * PAGE + 5, 1, RW, ANON), a + 12 * PAGE));
  say("overflow %s", moved(mmap(NULL, PAGE, RW, ANON, -1, -PAGE), NULL));
  say("stack, executable flags %s",
      map(NULL, 1, RW, ANON | MAP_STACK | MAP_EXECUTABLE | MAP_DENYWRITE) == MAP_FAILED ? errname(errno) : "yes");
  say("more than there is %s", moved(map(NULL, 1L << 25, RW, ANON), NULL));
  say("the same, reserved %s", map(NULL, 1L << 25, RW, ANON | MAP_NORESERVE) == MAP_FAILED ? errname(errno) : "yes");
  say("grows both %s", outcome(mprotect(a, PAGE, RW | PROT_GROWSDOWN | PROT_GROWSUP)));
  say("grows down %s", outcome(mprotect(a, PAGE, RW | PROT_GROWSDOWN)));
  say("grows up %s", outcome(mprotect(a, PAGE, RW | PROT_GROWSUP)));
  say("sem %s", outcome(mprotect(a, PAGE, RW | 8)));
  say("unknown %s", outcome(mprotect(a, PAGE, RW | 0x40)));
  say("key -1 %s", outcome(syscall(SYS_pkey_mprotect, a, PAGE, RW, -1)));
}

static void barriers(void) {
  say("unknown %s", outcome(syscall(SYS_membarrier, 1 << 20, 0)));
  say("flags %s", outcome(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 1)));
  say("private %s", outcome(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0)));
  say("register %s", outcome(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0)));
  say("private %s", outcome(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0)));
  say("global %s", outcome(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0)));
  long supported = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0);
  say("query %d", (supported & 31) == 31);
}

static void remote(void) {
  char *a = numbered(4, ANON);
  munmap(a + 2 * PAGE, PAGE);
  static char got[4 * 4096];
  struct iovec here[2] = {{got, 100}, {got + 200, 3 * PAGE}};
  struct iovec there[2] = {{a, 2 * PAGE}, {a + 3 * PAGE, PAGE}};
  long n = process_vm_readv(getpid(), here, 2, there, 2, 0);
  say("read %ld: %d %d", n, got[0], got[200 + PAGE - 100]);
  there[0].iov_len = 3 * PAGE;
  say("read up to a hole %ld", process_vm_readv(getpid(), here, 2, there, 1, 0));
  there[0].iov_base = a + 2 * PAGE;
  say("read a hole %s", outcome(process_vm_readv(getpid(), here, 2, there, 1, 0)));
  got[0] = 77;
  there[0].iov_base = a + PAGE - 1;
  there[0].iov_len = 1;
  say("write %ld", process_vm_writev(getpid(), here, 1, there, 1, 0));
  say("written %d", a[PAGE - 1]);
  mprotect(a, PAGE, PROT_READ);
  say("write read-only %s", outcome(process_vm_writev(getpid(), here, 1, there, 1, 0)));
  say("flags %s", outcome(process_vm_readv(getpid(), here, 1, there, 1, 1)));
  say("too many %s", outcome(process_vm_readv(getpid(), here, 1025, there, 1, 0)));
  say("vector %s", outcome(process_vm_readv(getpid(), here, 1, (void *)8, 1, 0)));
  say("nothing %s", outcome(process_vm_readv(getpid(), here, 0, there, 1, 0)));
  say("nobody %s", outcome(process_vm_readv(0x3ffffff, here, 1, there, 1, 0)));
}

static void guards(void) {
  char *a = numbered(6, ANON);
  say("install %s", outcome(madvise(a + PAGE, 2 * PAGE, 102)));
  strip("guarded", a, 6);
  say("dontneed %s", outcome(madvise(a, 6 * PAGE, MADV_DONTNEED)));
  strip("still", a, 6);
  say("populate %s", outcome(madvise(a, 6 * PAGE, MADV_POPULATE_READ)));
  say("protect %s", outcome(mprotect(a, 4 * PAGE, PROT_READ)));
  strip("still", a, 6);
  mprotect(a, 4 * PAGE, RW);
  char *b = mremap(a, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, a + 20 * PAGE);
  strip("moved", b, 6);
  say("remove %s", outcome(madvise(b, 6 * PAGE, 103)));
  strip("removed", b, 6);
  mlock(b, PAGE);
  say("locked: install %s", outcome(madvise(b, PAGE, 102)));
  say("locked: remove %s", outcome(madvise(b, PAGE, 103)));
  unsigned char in[6];
  madvise(b + PAGE, PAGE, 102);
  mincore(b, 2 * PAGE, in);
  say("resident %d%d", in[0] & 1, in[1] & 1);
}

/* Writers beside a page that moves to and fro over the edge of a page table: each counts in a word of its own, wherever the page is. A store
 * that was made is never lost, whatever the writer's translation was worth when it made it; and none is made at a place that the page
 * had left when the store began: `turns` is even while it rests, its second bit says where. */
enum { WRITERS = 3, PAGES = 4, ROUNDS = 400 };
static char *places[2];
static int stop, turns, stale;
static volatile long made[WRITERS][PAGES];

static int turn(void) {
  return __atomic_load_n(&turns, __ATOMIC_SEQ_CST);
}

static void *count(void *arg) {
  intptr_t me = (intptr_t)arg;
  for (volatile long n = 0; !__atomic_load_n(&stop, __ATOMIC_SEQ_CST); n++) {
    int page = n % PAGES;
    int place = n / PAGES & 1;
    volatile long *word = (long *)(places[place] + page * PAGE) + me;
    if (sigsetjmp(escape, 0) == 0) {
      int before = turn();
      *word = made[me][page] + 1;
      made[me][page]++;
      if (!(before & 1) && place != (before >> 1 & 1)) __atomic_fetch_add(&stale, turn() == before, __ATOMIC_SEQ_CST);
    }
  }
  return NULL;
}

static int unwritten(void) {
  int words = 0;
  for (int i = 0; i < WRITERS * PAGES; i++) words += __atomic_load_n(&made[0][0] + i, __ATOMIC_SEQ_CST) == 0;
  return words;
}

static void beside(void) {
  char *room = map(NULL, 4096, PROT_NONE, ANON | MAP_NORESERVE);
  munmap(room, 4096 * PAGE);
  char *edge = (char *)(((uintptr_t)room + (4UL << 20)) & ~((2UL << 20) - 1));
  places[0] = edge - 2 * PAGE;
  places[1] = edge + 600 * PAGE;
  map(places[0], PAGES, RW, ANON | MAP_FIXED);
  pthread_t all[WRITERS];
  for (intptr_t i = 0; i < WRITERS; i++) all[i] = begin(count, (void *)i);
  int failed = 0, at = 0;
  for (int round = 0; round < ROUNDS; round++) {
    __atomic_fetch_add(&turns, 1, __ATOMIC_SEQ_CST);
    failed += mremap(places[at], PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, places[!at]) != places[!at];
    __atomic_fetch_add(&turns, 1, __ATOMIC_SEQ_CST);
    at = !at;
    if (round % 8 == 0) usleep(200);
    if (round % 16 == 3) failed += mprotect(places[at], PAGE, PROT_READ) | mprotect(places[at], PAGE, RW);
    if (round % 32 == 5) failed += mlock(places[at], PAGES * PAGE) | munlock(places[at], PAGES * PAGE);
  }
  // A writer may begin only now: at rest every word is written sooner or later.
  while (unwritten()) usleep(1000);
  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < WRITERS; i++) finish(all[i]);
  int lost = 0;
  for (int i = 0; i < WRITERS; i++)
    for (int page = 0; page < PAGES; page++) lost += ((long *)(places[at] + page * PAGE))[i] != made[i][page];
  say("failed %d, words lost %d, stores where nothing is %d", failed, lost, stale);
  strip("the old place", places[!at], PAGES);
}

static const struct section all[] = {
    {"resizes", resizes},   {"moves", moves}, {"several", several},         {"leavesBehind", leavesBehind}, {"refusals", refusals}, {"locks", locks},
    {"limits", limits},     {"advice", advice},       {"populates", populates},       {"syncs", syncs},       {"mappings", mappings},
    {"barriers", barriers}, {"guards", guards},     {"remote", remote},     {"beside", beside},
};

int main(int argc, char **argv) {
  catchFaults();
  return runSections(all, COUNT(all), argc, argv);
}
