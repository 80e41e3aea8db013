/* guest/membench.c: what each memory operation costs: the guest side of `faultline bench memory`.
 *
 *   membench [-t threads] [-m] [-s seconds] TEST ...        1 thread, no mutator, 0.2 s each
 *
 * Tests       one operation is what the line says; each thread works on memory of its own
 *   mmap        map 16 pages and unmap them, untouched
 *   mprotect    make the middle page of 16 read-only, make it writable again, store to it
 *   dontneed    store to a page, MADV_DONTNEED it (64 pages a call)
 *   fork        with 64 MiB resident: fork, the child exits, wait
 *   exec        with 64 MiB resident: fork, the child executes this program and exits, wait
 *   cow         one page of 1024 that a fork shares, stored to in the child
 *   fileread    load from one page of a file's mapping, fresh; neighbours are mapped along the way
 *   filesingle  the same after MADV_RANDOM: each page its own fault
 *   shared      store to a fresh page of shared anonymous memory
 *   memfd       store to a page of a memory file that another mapping filled: one fault, no zeroing
 *               (a mapping of the file and of the memory file stays all the while, so that their pages are cached)
 *   vmread      process_vm_readv: 4 KiB of a child's memory, 64 pages a call
 *             Before the clock starts each is done for half the time, uncounted
 * Mutator     -m: one more thread of this process maps, stores, protects and unmaps beside the others until they end
 * Prints      "TEST ops ns": operations of all threads, nanoseconds from the common start to the last thread's end; TEST
 *             "errno N" in their place where a call is refused
 * Status      0, 1 when a byte was wrong, 2 for wrong usage                                             */
#include "sys.h"

#define MOST 16
#define STACK_BYTES (64 * 1024)
#define RW (PROT_READ | PROT_WRITE)
#define MAP_SHARED 1
#define MAP_ANONYMOUS_SHARED (MAP_SHARED | MAP_ANONYMOUS)
#define MADV_RANDOM 1
#define AT_FDCWD (-100)
#define O_RDWR 2
#define O_CREAT 0100
#define O_EXCL 0200
#define SIGCHLD 17
#define ENOEXEC 8
#define SIGKILL 9
#define BIG (64UL << 20)
#define FILE_PAGES 1024UL
#define COW_PAGES 1024UL

struct worker {
  struct thread thread;
  u64 id, ops, ns, base;
  i64 error;
} __attribute__((aligned(128)));

struct test {
  const char *name;
  i64 (*prepare)(struct worker *w); /* before the clock starts */
  i64 (*round)(struct worker *w);   /* operations done, or -errno */
  void (*clean)(struct worker *w);
};

static struct worker workers[MOST], mutator;
static struct barrier start;
static u32 over, wrong;
static u64 nThreads = 1, limitNs = 200000000, startNs;
static const struct test *now;
static int fileFd, memFd;
static char **environment;

static i64 map(u64 length, int prot, int flags, int fd) {
  return syscall6(SYS_mmap, 0, (long)length, prot, flags, fd, 0);
}

static i64 fork(void) {
  return syscall6(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);
}

/* How the child ended, or -errno. */
static i64 join(i64 pid) {
  int status = -1;
  i64 got = syscall6(SYS_wait4, pid, (long)&status, 0, 0, 0, 0);
  return got < 0 ? got : status;
}

/* 0; a child that ended otherwise than by exit(0) saw a wrong byte. */
static i64 joinGood(i64 pid) {
  i64 status = join(pid);
  if (status > 0) __atomic_store_n(&wrong, 1, __ATOMIC_RELAXED);
  return status < 0 ? status : 0;
}

static void fill(u64 base, u64 bytes) {
  for (u64 at = base; at < base + bytes; at += PAGE_BYTES) *(volatile u64 *)at = at;
}

static i64 none(struct worker *w) {
  w->base = 0;
  return 0;
}

static i64 mapped(struct worker *w, u64 bytes, int flags, int fd) {
  i64 at = map(bytes, RW, flags, fd);
  if (at < 0) return at;
  w->base = (u64)at;
  return 0;
}

static i64 small(struct worker *w) {
  i64 error = mapped(w, 64 * PAGE_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!error) fill(w->base, 64 * PAGE_BYTES);
  return error;
}

static void unmapSmall(struct worker *w) {
  sysMunmap(w->base, 64 * PAGE_BYTES);
}

static i64 mapRound(struct worker *w) {
  (void)w;
  for (int i = 0; i < 64; i++) {
    i64 at = sysMmap(0, 16 * PAGE_BYTES, RW, 0);
    if (at < 0) return at;
    i64 error = sysMunmap((u64)at, 16 * PAGE_BYTES);
    if (error) return error;
  }
  return 64;
}

static i64 protectRound(struct worker *w) {
  u64 middle = w->base + 8 * PAGE_BYTES;
  for (int i = 0; i < 64; i++) {
    i64 error = sysMprotect(middle, PAGE_BYTES, PROT_READ);
    if (!error) error = sysMprotect(middle, PAGE_BYTES, RW);
    if (error) return error;
    *(volatile u64 *)middle = (u64)i;
  }
  return 64;
}

static i64 dropRound(struct worker *w) {
  fill(w->base, 64 * PAGE_BYTES);
  i64 error = sysMadvise(w->base, 64 * PAGE_BYTES, MADV_DONTNEED);
  if (*(volatile u64 *)w->base != 0) __atomic_store_n(&wrong, 1, __ATOMIC_RELAXED);
  return error ? error : 64;
}

static i64 big(struct worker *w) {
  i64 error = mapped(w, BIG, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!error) fill(w->base, BIG);
  return error;
}

static void unmapBig(struct worker *w) {
  sysMunmap(w->base, BIG);
}

static i64 forkRound(struct worker *w) {
  (void)w;
  i64 pid = fork();
  if (pid == 0) quit(0);
  if (pid < 0) return pid;
  i64 error = joinGood(pid);
  return error ? error : 1;
}

static i64 execRound(struct worker *w) {
  (void)w;
  static char *const args[] = {"membench", "exit", 0};
  i64 pid = fork();
  if (pid == 0) {
    syscall6(SYS_execve, (long)"/proc/self/exe", (long)args, (long)environment, 0, 0, 0);
    quit(1);
  }
  if (pid < 0) return pid;
  i64 status = join(pid);
  return status < 0 ? status : status > 0 ? -ENOEXEC : 1; /* qemu-user executes no riscv64 program from inside */
}

/* The first page is shared with the child, which leaves there what its stores took. */
static i64 shares(struct worker *w) {
  return mapped(w, PAGE_BYTES, MAP_ANONYMOUS_SHARED, -1);
}

static void unshares(struct worker *w) {
  sysMunmap(w->base, PAGE_BYTES);
}

static i64 cowRound(struct worker *w) {
  volatile u64 *took = (volatile u64 *)w->base;
  i64 at = sysMmap(0, COW_PAGES * PAGE_BYTES, RW, 0);
  if (at < 0) return at;
  fill((u64)at, COW_PAGES * PAGE_BYTES);
  i64 pid = fork();
  if (pid == 0) {
    u64 began = nowNs();
    for (u64 i = 0; i < COW_PAGES; i++) {
      volatile u64 *page = (volatile u64 *)((u64)at + i * PAGE_BYTES);
      if (*page != (u64)page) quit(1);
      *page = 0;
    }
    *took += nowNs() - began;
    quit(0);
  }
  i64 error = pid < 0 ? pid : joinGood(pid);
  for (u64 i = 0; i < COW_PAGES; i += 64)
    if (*(volatile u64 *)((u64)at + i * PAGE_BYTES) == 0) wrong = 1;
  sysMunmap((u64)at, COW_PAGES * PAGE_BYTES);
  return error ? error : (i64)COW_PAGES;
}

static i64 touchFile(int advice) {
  i64 at = map(FILE_PAGES * PAGE_BYTES, PROT_READ, MAP_PRIVATE, fileFd);
  if (at < 0) return at;
  if (advice) sysMadvise((u64)at, FILE_PAGES * PAGE_BYTES, advice);
  u64 sum = 0;
  for (u64 i = 0; i < FILE_PAGES; i++) sum += *(volatile u64 *)((u64)at + i * PAGE_BYTES);
  if (sum != FILE_PAGES * (FILE_PAGES - 1) / 2) __atomic_store_n(&wrong, 1, __ATOMIC_RELAXED);
  i64 error = sysMunmap((u64)at, FILE_PAGES * PAGE_BYTES);
  return error ? error : (i64)FILE_PAGES;
}

static i64 fileRound(struct worker *w) {
  (void)w;
  return touchFile(0);
}

static i64 singleRound(struct worker *w) {
  (void)w;
  return touchFile(MADV_RANDOM);
}

static i64 storeShared(int flags, int fd) {
  i64 at = map(512 * PAGE_BYTES, RW, flags, fd);
  if (at < 0) return at;
  for (u64 i = 0; i < 512; i++) *(volatile u64 *)((u64)at + i * PAGE_BYTES + 8) = i;
  i64 error = sysMunmap((u64)at, 512 * PAGE_BYTES);
  return error ? error : 512;
}

static i64 sharedRound(struct worker *w) {
  (void)w;
  return storeShared(MAP_ANONYMOUS_SHARED, -1);
}

static i64 memfdRound(struct worker *w) {
  (void)w;
  return storeShared(MAP_SHARED, memFd);
}

/* base is what is read, in a child that sleeps; the page below it holds the child's number. */
static i64 sleeper(struct worker *w) {
  i64 error = mapped(w, 128 * PAGE_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (error) return error;
  fill(w->base, 128 * PAGE_BYTES);
  i64 pid = fork();
  if (pid == 0) {
    i64 forever[2] = {1000, 0};
    for (;;) syscall6(SYS_nanosleep, (long)forever, 0, 0, 0, 0, 0);
  }
  if (pid < 0) return pid;
  w->id = (u64)pid;
  return 0;
}

static i64 readRound(struct worker *w) {
  struct {
    u64 base, length;
  } into = {w->base, 64 * PAGE_BYTES}, from = {w->base + 64 * PAGE_BYTES, 64 * PAGE_BYTES};
  i64 n = syscall6(SYS_process_vm_readv, (long)w->id, (long)&into, 1, (long)&from, 1, 0);
  if (n < 0) return n;
  if (n != (i64)from.length || *(u64 *)w->base != from.base) __atomic_store_n(&wrong, 1, __ATOMIC_RELAXED);
  return 64;
}

static void wakes(struct worker *w) {
  int status;
  syscall6(SYS_kill, (long)w->id, SIGKILL, 0, 0, 0, 0);
  syscall6(SYS_wait4, (long)w->id, (long)&status, 0, 0, 0, 0);
  sysMunmap(w->base, 128 * PAGE_BYTES);
}

static void nothing(struct worker *w) {
  (void)w;
}

static const struct test TESTS[] = {
    {"mmap", none, mapRound, nothing},        {"mprotect", small, protectRound, unmapSmall},
    {"dontneed", small, dropRound, unmapSmall}, {"fork", big, forkRound, unmapBig},
    {"exec", big, execRound, unmapBig},       {"cow", shares, cowRound, unshares},
    {"fileread", none, fileRound, nothing},   {"filesingle", none, singleRound, nothing},
    {"shared", none, sharedRound, nothing},   {"memfd", none, memfdRound, nothing},
    {"vmread", sleeper, readRound, wakes},
};
#define TEST_COUNT (sizeof TESTS / sizeof *TESTS)

/* Uncounted: an engine that compiles what is run often has done it by then, and caches are filled. */
static void warmUp(struct worker *w) {
  u64 from = nowNs();
  do {
    i64 done = now->round(w);
    if (done < 0) w->error = done;
  } while (!w->error && nowNs() - from < limitNs / 2);
}

static void work(void *arg) {
  struct worker *w = arg;
  warmUp(w);
  barrierWait(&start);
  while (!w->error) {
    i64 done = now->round(w);
    if (done < 0) w->error = done;
    else w->ops += (u64)done;
    if (nowNs() - startNs >= limitNs) break;
  }
  w->ns = nowNs() - startNs;
}

static void mutate(void *arg) {
  (void)arg;
  barrierWait(&start);
  while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
    i64 at = sysMmap(0, 16 * PAGE_BYTES, RW, 0);
    if (at < 0) break;
    fill((u64)at, 16 * PAGE_BYTES);
    sysMprotect((u64)at + 4 * PAGE_BYTES, 8 * PAGE_BYTES, PROT_READ);
    sysMprotect((u64)at + 4 * PAGE_BYTES, 8 * PAGE_BYTES, RW);
    sysMunmap((u64)at, 16 * PAGE_BYTES);
  }
}

/* The file's page i begins with i; the memory file's pages are all there. */
static i64 files(void) {
  const char *path = "/tmp/faultline-membench";
  syscall6(SYS_unlinkat, AT_FDCWD, (long)path, 0, 0, 0, 0);
  i64 fd = syscall6(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CREAT | O_EXCL, 0600, 0, 0);
  if (fd < 0) return fd;
  syscall6(SYS_unlinkat, AT_FDCWD, (long)path, 0, 0, 0, 0);
  fileFd = (int)fd;
  static u64 page[PAGE_BYTES / 8];
  for (u64 i = 0; i < FILE_PAGES; i++) {
    page[0] = i;
    i64 n = syscall6(SYS_write, fd, (long)page, PAGE_BYTES, 0, 0, 0);
    if (n != (i64)PAGE_BYTES) return n < 0 ? n : -EINVAL;
  }
  fd = syscall6(SYS_memfd_create, (long)"membench", 0, 0, 0, 0, 0);
  if (fd < 0) return fd;
  memFd = (int)fd;
  i64 error = syscall6(SYS_ftruncate, fd, 512 * PAGE_BYTES, 0, 0, 0, 0);
  i64 done = error ? error : storeShared(MAP_SHARED, memFd);
  if (done < 0) return done;
  /* Mappings that stay: the pages are cached whenever a round comes back to them. */
  done = map(FILE_PAGES * PAGE_BYTES, PROT_READ, MAP_PRIVATE, fileFd);
  if (done >= 0) done = map(512 * PAGE_BYTES, PROT_READ, MAP_SHARED, memFd);
  return done < 0 ? done : 0;
}

static i64 measure(const struct test *test, int mutating, u64 *ops, u64 *ns) {
  i64 error = 0;
  now = test;
  over = 0;
  start.parties = (u32)nThreads + (mutating ? 2 : 1);
  for (u64 i = 0; !error && i < nThreads; i++) {
    workers[i].ops = workers[i].ns = 0;
    workers[i].error = 0;
    error = test->prepare(&workers[i]);
    if (!error) error = threadPrepare(&workers[i].thread, STACK_BYTES);
  }
  if (!error && mutating) error = threadPrepare(&mutator.thread, STACK_BYTES);
  if (error) return error;
  for (u64 i = 0; i < nThreads; i++) threadStart(&workers[i].thread, work, &workers[i]);
  if (mutating) threadStart(&mutator.thread, mutate, &mutator);
  startNs = nowNs();
  barrierWait(&start);
  for (u64 i = 0; i < nThreads; i++) {
    struct worker *w = &workers[i];
    threadJoin(&w->thread);
    if (w->error) error = w->error;
    *ops += w->ops;
    if (test->round == cowRound) w->ns = *(volatile u64 *)w->base;
    if (w->ns > *ns) *ns = w->ns;
    test->clean(w);
  }
  __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
  if (mutating) threadJoin(&mutator.thread);
  return error;
}

/* "0.25": at most three digits after the point. */
static int readSeconds(const char *s, u64 *ns) {
  u64 ms = 0, scale = 1000, point = 0;
  for (; *s; s++) {
    if (*s == '.' && !point) {
      point = 1;
      continue;
    }
    if (*s < '0' || *s > '9' || ms > 1000000) return 0;
    if (!point) ms = ms * 10 + (u64)(*s - '0') * 1000;
    else ms += (u64)(*s - '0') * (scale /= 10);
  }
  *ns = ms * 1000000;
  return ms > 0;
}

static int usage(void) {
  struct text err;
  openText(&err, 2);
  str(&err, "usage: membench [-t threads] [-m] [-s seconds] TEST ...\ntests:");
  for (u64 i = 0; i < TEST_COUNT; i++) {
    str(&err, " ");
    str(&err, TESTS[i].name);
  }
  str(&err, "\n");
  flush(&err);
  return 2;
}

static int run(const char *name, int mutating) {
  for (u64 i = 0; i < TEST_COUNT; i++) {
    if (!sameText(name, TESTS[i].name)) continue;
    u64 ops = 0, ns = 0;
    i64 error = measure(&TESTS[i], mutating, &ops, &ns);
    struct text out;
    openText(&out, 1);
    str(&out, name);
    str(&out, error ? " errno " : " ");
    dec(&out, error ? -error : (i64)ops);
    if (!error) {
      str(&out, " ");
      dec(&out, (i64)ns);
    }
    str(&out, "\n");
    flush(&out);
    return 1;
  }
  return 0;
}

int main(int argc, char **argv, char **envp) {
  int mutating = 0, i = 1;
  environment = envp;
  if (argc == 2 && sameText(argv[1], "exit")) return 0;
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (sameText(argv[i], "-m")) {
      mutating = 1;
      continue;
    }
    const char *value = i + 1 < argc ? argv[++i] : "";
    int good = 0;
    if (sameText(argv[i - 1], "-t")) good = readNumber(value, &nThreads) && nThreads >= 1 && nThreads <= MOST;
    if (sameText(argv[i - 1], "-s")) good = readSeconds(value, &limitNs);
    if (!good) return usage();
  }
  if (i == argc) return usage();
  i64 error = files();
  if (error) {
    struct text err;
    openText(&err, 2);
    str(&err, "membench: no files to map: errno ");
    dec(&err, -error);
    str(&err, "\n");
    flush(&err);
    return 1;
  }
  for (; i < argc; i++)
    if (!run(argv[i], mutating)) return usage();
  return wrong ? 1 : 0;
}
