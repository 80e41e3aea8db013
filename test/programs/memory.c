/* memory.c: the address space as a program sees it: where mmap puts things, what splits and merges, what must fail.
 *
 * Method      an access is tried under a handler that escapes; "read", "write" tell what the page allows. Strips such as
 *             "rw -- r-" name each page of a range in order: r readable, w writable, ! nothing mapped             */
#include "program.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define PAGE 4096UL
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static __thread sigjmp_buf escape;
static __thread volatile int code;
static __thread char *volatile faultAt;

static void caught(int signal, siginfo_t *info, void *context) {
  (void)context;
  code = signal * 10 + info->si_code;
  faultAt = info->si_addr;
  siglongjmp(escape, 1);
}

static void catchFaults(void) {
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}

/* 0, or signal * 10 + si_code; the address told must be the address tried. */
static int try(char *at, int write) {
  code = 0;
  if (sigsetjmp(escape, 0) == 0) {
    volatile char *v = at;
    char byte = *v;
    if (write) *v = byte;
    return 0;
  }
  must(faultAt == at, "si_addr");
  return code;
}

static void strip(const char *what, char *from, int pages) {
  printf("%s:", what);
  for (int i = 0; i < pages; i++) {
    int reading = try(from + i * PAGE + 8, 0);
    int writing = try(from + i * PAGE + 8, 1);
    if (reading == SIGSEGV * 10 + SEGV_MAPERR) printf(" !!");
    else printf(" %c%c", reading ? '-' : 'r', writing ? '-' : 'w');
    if (reading && reading != SIGSEGV * 10 + SEGV_MAPERR && reading != SIGSEGV * 10 + SEGV_ACCERR)
      printf("(%d)", reading);
  }
  putchar('\n');
}

static char *map(char *at, unsigned long bytes, int prot, int flags) {
  return mmap(at, bytes, prot, flags, -1, 0);
}

static void refused(const char *what, void *got) {
  say("%s: %s", what, got == MAP_FAILED ? errname(errno) : "mapped");
  if (got != MAP_FAILED) munmap(got, PAGE);
}

static void places(void) {
  catchFaults();
  char *area = map(NULL, 16 * PAGE, PROT_NONE, ANON);
  munmap(area, 16 * PAGE);
  char *hinted = map(area + 4 * PAGE, PAGE, RW, ANON);
  say("a free hint is taken %d", hinted == area + 4 * PAGE);
  char *again = map(area + 4 * PAGE, PAGE, RW, ANON);
  say("a used hint is not %d", again != hinted);
  char *unaligned = map(area + 6 * PAGE + 5, PAGE, RW, ANON);
  say("an unaligned hint is rounded %d", ((uintptr_t)unaligned & (PAGE - 1)) == 0);
  munmap(unaligned, PAGE);
  munmap(again, PAGE);
  *hinted = 9;
  say("fixed %d", map(area + 4 * PAGE, PAGE, RW, ANON | MAP_FIXED) == hinted);
  say("replaces what was there %d", *hinted);
  refused("fixed, unaligned", map(area + 5, PAGE, RW, ANON | MAP_FIXED));
  refused("no replacing", map(area + 3 * PAGE, 3 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE));
  char *beside = map(area + 5 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE);
  say("beside %d", beside == area + 5 * PAGE);
  strip("around", area + 3 * PAGE, 4);
  munmap(area, 16 * PAGE);
  strip("unmapped", area + 3 * PAGE, 4);
}

static void errors(void) {
  char *page = map(NULL, 4 * PAGE, RW, ANON);
  munmap(page + 2 * PAGE, PAGE);
  refused("mmap length 0", map(NULL, 0, RW, ANON));
  refused("mmap huge", map(NULL, ~PAGE, RW, ANON));
  refused("mmap no type", map(NULL, PAGE, RW, MAP_ANONYMOUS));
  refused("mmap bad descriptor", mmap(NULL, PAGE, RW, MAP_PRIVATE, 99, 0));
  refused("mmap odd offset", mmap(NULL, PAGE, RW, MAP_PRIVATE, 0, 5));
  refused("mmap fixed too high", map((char *)(~0UL << 12), PAGE, RW, ANON | MAP_FIXED));
  say("munmap unaligned %s", outcome(munmap(page + 1, PAGE)));
  say("munmap length 0 %s", outcome(munmap(page, 0)));
  say("munmap hole %s", outcome(munmap(page + 2 * PAGE, PAGE)));
  say("munmap too high %s", outcome(munmap((char *)(~0UL << 12), PAGE)));
  say("mprotect unaligned %s", outcome(mprotect(page + 1, PAGE, RW)));
  say("mprotect length 0 %s", outcome(mprotect(page, 0, RW)));
  say("mprotect over a hole %s", outcome(mprotect(page, 4 * PAGE, PROT_READ)));
  strip("the part before it", page, 4);
  say("mprotect hole %s", outcome(mprotect(page + 2 * PAGE, PAGE, RW)));
  say("madvise unaligned %s", outcome(madvise(page + 1, PAGE, MADV_DONTNEED)));
  say("madvise unknown %s", outcome(madvise(page, PAGE, 12345)));
  say("madvise length 0 %s", outcome(madvise(page, 0, MADV_DONTNEED)));
  say("madvise over a hole %s", outcome(madvise(page, 4 * PAGE, MADV_DONTNEED)));
  for (int advice = MADV_NORMAL; advice <= MADV_WILLNEED; advice++)
    say("madvise hint %d %s", advice, outcome(madvise(page, PAGE, advice)));
}

static void splits(void) {
  catchFaults();
  char *at = map(NULL, 10 * PAGE, RW, ANON);
  for (int i = 0; i < 10; i++) at[i * PAGE] = (char)(i + 1);
  strip("whole", at, 10);
  munmap(at + 3 * PAGE, 2 * PAGE);
  strip("middle gone", at, 10);
  mprotect(at + 6 * PAGE, 2 * PAGE, PROT_READ);
  strip("two for reading", at, 10);
  mprotect(at, PAGE, PROT_NONE);
  mprotect(at + 9 * PAGE, PAGE, PROT_NONE);
  strip("ends closed", at, 10);
  mprotect(at + 5 * PAGE, 5 * PAGE, RW);
  strip("right part merged", at, 10);
  mprotect(at, PAGE, RW);
  int kept = 1;
  for (int i = 0; i < 10; i++) kept &= i == 3 || i == 4 || at[i * PAGE] == i + 1;
  say("contents kept %d", kept);
  char *hole = map(at + 3 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED);
  say("hole filled %d, zero %d", hole == at + 3 * PAGE, hole[0] == 0 && hole[2 * PAGE - 1] == 0);
  mprotect(at, 10 * PAGE, PROT_READ);
  strip("all for reading", at, 10);
  for (int i = 0; i < 10; i += 2) mprotect(at + i * PAGE, PAGE, RW);
  strip("every other", at, 10);
  munmap(at + PAGE, 8 * PAGE);
  strip("last left", at, 10);
  munmap(at, 10 * PAGE);
}

static void reservation(void) {
  catchFaults();
  unsigned long bytes = 64UL << 30;
  char *at = map(NULL, bytes, PROT_NONE, ANON | MAP_NORESERVE);
  must(at != MAP_FAILED, "64 GB reserved");
  strip("begin", at, 1);
  strip("end", at + bytes - PAGE, 1);
  for (unsigned long i = 0; i < 64; i++) {
    char *page = at + (i << 30) + i * PAGE;
    must(mprotect(page, PAGE, RW) == 0, "commit");
    memset(page, (int)i + 1, PAGE);
  }
  int right = 1;
  for (unsigned long i = 0; i < 64; i++) {
    char *page = at + (i << 30) + i * PAGE;
    for (unsigned long j = 0; j < PAGE; j += 64) right &= page[j] == (char)(i + 1);
  }
  say("64 pages in 64 GB, right %d", right);
  strip("around one", at + (5UL << 30) + 4 * PAGE, 3);
  say("given back %s", outcome(munmap(at, bytes)));
  strip("then", at + (5UL << 30) + 4 * PAGE, 3);
}

static void dontNeed(void) {
  catchFaults();
  char *at = map(NULL, 600 * PAGE, RW, ANON);
  memset(at, 7, 600 * PAGE);
  say("drop %s", outcome(madvise(at + 100 * PAGE, 400 * PAGE, MADV_DONTNEED)));
  long sum = 0;
  for (unsigned long i = 0; i < 600 * PAGE; i++) sum += at[i];
  say("left %ld pages", sum / 7 / (long)PAGE);
  mprotect(at, PAGE, PROT_READ);
  say("drop what is only readable %s", outcome(madvise(at, PAGE, MADV_DONTNEED)));
  say("now %d", at[9]);
  at[100 * PAGE] = 1;
  say("written anew %d", at[100 * PAGE] == 1 && at[101 * PAGE] == 0);
  munmap(at, 600 * PAGE);
}

static void heap(void) {
  char *start = sbrk(0);
  say("grow %d", sbrk(100000) == start);
  int zero = 1;
  for (int i = 0; i < 100000; i++) zero &= start[i] == 0;
  memset(start, 3, 100000);
  say("zero %d, end right %d", zero, (char *)sbrk(0) == start + 100000);
  say("shrink %d", brk(start + 10) == 0 && (char *)sbrk(0) == start + 10);
  say("grow %d", brk(start + 50000) == 0);
  say("the first page keeps, another does not: %d %d", start[9], start[20000]);
  say("back %s", outcome(brk(start)));
  say("too much %s", outcome(brk((void *)(1UL << 60))));
  say("as it was %d", (char *)sbrk(0) == start);
}

/* Touches pages just below a mapping that grows down. */
static void growsDown(void) {
  catchFaults();
  char *area = map(NULL, 1024 * PAGE, PROT_NONE, ANON);
  munmap(area, 1024 * PAGE);
  char *at = map(area + 1000 * PAGE, 2 * PAGE, RW, ANON | MAP_GROWSDOWN | MAP_FIXED);
  say("placed %d", at == area + 1000 * PAGE);
  strip("itself", at, 2);
  say("one below %d", try(at - 8, 1));
  say("ten below that %d", try(at - 11 * PAGE, 1));
  strip("now", at - 11 * PAGE, 3);
  munmap(area, 1024 * PAGE);
}

static int deepen(int depth) {
  volatile signed char block[4000];
  block[0] = depth % 3;
  int below = depth == 0 ? 0 : deepen(depth - 1);
  return below + block[0];
}

static void stack(void) {
  say("1500 frames of a page %d", deepen(1500));
}

static void fileMapping(void) {
  catchFaults();
  char path[] = "/tmp/faultline-memory-XXXXXX";
  int fd = mkstemp(path);
  unlink(path);
  char text[3 * 4096 + 100];
  for (int i = 0; i < COUNT(text); i++) text[i] = (char)(i % 251);
  must(write(fd, text, sizeof text) == sizeof text, "write");
  char *at = mmap(NULL, 6 * PAGE, RW, MAP_PRIVATE, fd, 0);
  char *second = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);
  say("same %d, from page one %d", memcmp(at, text, sizeof text), memcmp(second, text + PAGE, 2 * PAGE));
  int zero = 1;
  for (unsigned long i = sizeof text; i < 4 * PAGE; i++) zero &= at[i] == 0;
  say("rest of the last page zero %d", zero);
  strip("pages", at, 6);
  say("past the end %d", try(at + 4 * PAGE + 7, 0));
  at[0] = 77;
  
  char byte = 1;
  must(pread(fd, &byte, 1, 0) == 1, "pread");
  say("private: the file keeps %d", byte);
  madvise(at, PAGE, MADV_DONTNEED);
  say("dropped: the file's again %d", at[0] == text[0]);
  close(fd);
  say("still mapped %d", memcmp(second, text + PAGE, 2 * PAGE));
  munmap(at, 6 * PAGE);
  munmap(second, 2 * PAGE);
}

static void *allocate(void *arg) {
  uint64_t state = (uintptr_t)arg + 1;
  unsigned char *block[64] = {0}, mark[64];
  size_t size[64];
  for (int i = 0; i < 1200; i++) {
    state = state * 6364136223846793005UL + 1442695040888963407UL;
    int k = (state >> 33) % 64;
    if (block[k]) {
      for (size_t j = 0; j < size[k]; j++) must(block[k][j] == mark[k], "every byte of a block");
      free(block[k]);
      block[k] = NULL;
      continue;
    }
    size[k] = (state >> 40) % (i % 40 == 0 ? 300000 : 3000) + 1;
    mark[k] = (unsigned char)(state >> 50);
    block[k] = i % 3 ? malloc(size[k]) : realloc(malloc(8), size[k]);
    memset(block[k], mark[k], size[k]);
  }
  for (int k = 0; k < 64; k++) free(block[k]);
  return NULL;
}

static void allocations(void) {
  together(4, allocate);
  say("every byte right");
  void *aligned = NULL;
  say("aligned %s", errname(posix_memalign(&aligned, 65536, 100)));
  say("aligned %d", aligned && ((uintptr_t)aligned & 65535) == 0);
  free(aligned);
  unsigned char *cleared = calloc(1000, 1000);
  long sum = 0;
  for (int i = 0; i < 1000000; i++) sum += cleared[i];
  say("calloc %ld", sum);
  free(cleared);
  say("too much %d", malloc((size_t)1 << 60) == NULL);
}

static const struct section SECTIONS[] = {
    {"places", places}, {"errors", errors},       {"splits", splits}, {"reservation", reservation}, {"dontNeed", dontNeed},
    {"heap", heap},     {"growsDown", growsDown}, {"stack", stack},   {"fileMapping", fileMapping}, {"allocations", allocations},
};
PROGRAM(SECTIONS)
