/* mem-remote.c: another process's memory: process_vm_readv(2), process_vm_writev, /proc/PID/mem, pidfds, process_madvise,
 * process_mrelease; and membarrier(2). */
#include "mem.h"
#include <linux/membarrier.h>

#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif

#define READ(pid, l, nl, r, nr, f) syscall(SYS_process_vm_readv, (long)(pid), l, (unsigned long)(nl), r, (unsigned long)(nr), (unsigned long)(f))
#define WRITE(pid, l, nl, r, nr, f) syscall(SYS_process_vm_writev, (long)(pid), l, (unsigned long)(nl), r, (unsigned long)(nr), (unsigned long)(f))
#define MADVISE(fd, v, n, advice, f) syscall(SYS_process_madvise, (long)(fd), v, (unsigned long)(n), (long)(advice), (unsigned long)(f))

static char *area, *local;
static pid_t pid;
static int toChild[2], toParent[2];

/* The child answers each byte it is sent: 'p' prints, 'q' ends. */
static void served(void) {
  char byte;
  while (read(toChild[0], &byte, 1) == 1 && byte != 'q') {
    bytes("the child has", area, 6);
    fflush(stdout);
    must(write(toParent[1], "k", 1) == 1, "write");
  }
  fflush(stdout);
  _exit(4);
}

static void ask(const char *what) {
  char byte;
  fflush(stdout);
  must(write(toChild[1], what, 1) == 1, "write");
  if (*what != 'q') must(read(toParent[0], &byte, 1) == 1, "read");
}

/* 0..2 rw, 3 to be read, 4 closed, 5 nothing. */
static void start(void) {
  area = room(16);
  local = area + 8 * PAGE;
  anon(local, 6, RW);
  must(pipe(toChild) == 0 && pipe(toParent) == 0, "pipe");
  anon(area, 5, RW);
  mark(area, 5, 1);
  mprotect(area + 3 * PAGE, PAGE, R);
  mprotect(area + 4 * PAGE, PAGE, NONE);
  fflush(stdout);
  pid = fork();
  if (pid == 0) served();
  munmap(area, 5 * PAGE);
  anon(area, 5, RW);
}

static void stop(void) {
  ask("q");
  int status;
  must(waitpid(pid, &status, 0) == pid, "waitpid");
  ended("child", status);
  close(toChild[0]), close(toChild[1]), close(toParent[0]), close(toParent[1]);
  munmap(area, 16 * PAGE);
}

static void vectors(void) {
  start();
  struct iovec l[4], r[4];
#define L(i, at, n) (l[i] = (struct iovec){at, n})
#define T(i, at, n) (r[i] = (struct iovec){at, n})
  L(0, local, 3 * PAGE), T(0, area, 3 * PAGE);
  SHOW(READ(pid, l, 1, r, 1, 0));
  bytes("here", local, 4);
  mark(local, 3, 21);
  SHOW(WRITE(pid, l, 1, r, 1, 0));
  ask("p");
  L(0, local, 100), L(1, local + PAGE, PAGE), T(0, area + PAGE - 50, 60), T(1, area + 2 * PAGE, 500);
  SHOW(READ(pid, l, 2, r, 2, 0));
  say("across %d %d", local[50], local[60]);
  L(0, local, 10), T(0, area, 500);
  SHOW(READ(pid, l, 1, r, 1, 0));
  L(0, local, 500), T(0, area, 10);
  SHOW(READ(pid, l, 1, r, 1, 0));
  SHOW(READ(pid, l, 0, r, 1, 0));
  SHOW(READ(pid, l, 1, r, 0, 0));
  SHOW(READ(pid, l, 1, r, 1, 1));
  SHOW(READ(pid, l, 1025, r, 1, 0));
  SHOW(READ(pid, l, 1, r, 1025, 0));
  SHOW(READ(pid, TOP, 1, r, 1, 0));
  SHOW(READ(pid, l, 1, TOP, 1, 0));
  SHOW(READ(99999999, l, 1, r, 1, 0));
  SHOW(READ(-1, l, 1, r, 1, 0));
  L(0, local, -1UL);
  SHOW(READ(pid, l, 1, r, 1, 0));
  L(0, local, 10), T(0, area, -1UL);
  SHOW(READ(pid, l, 1, r, 1, 0));
  T(0, area, 10), T(1, NULL, 0), T(2, area + PAGE, 10), L(0, local, 20);
  SHOW(READ(pid, l, 1, r, 3, 0));
  SHOW(READ(getpid(), l, 1, r, 1, 0));
  stop();
}

static void faults(void) {
  start();
  struct iovec l[4], r[4];
  L(0, local, 6 * PAGE), T(0, area + 3 * PAGE, PAGE);
  SHOW(READ(pid, l, 1, r, 1, 0));
  SHOW(WRITE(pid, l, 1, r, 1, 0));
  T(0, area + 4 * PAGE, PAGE);
  SHOW(READ(pid, l, 1, r, 1, 0));
  SHOW(WRITE(pid, l, 1, r, 1, 0));
  T(0, area + 5 * PAGE, PAGE);
  SHOW(READ(pid, l, 1, r, 1, 0));
  T(0, area + 2 * PAGE, 3 * PAGE);
  SHOW(READ(pid, l, 1, r, 1, 0));
  T(0, area + 2 * PAGE + 100, 3 * PAGE);
  SHOW(READ(pid, l, 1, r, 1, 0));
  T(0, area + 2 * PAGE, PAGE), T(1, area + 5 * PAGE, PAGE), T(2, area, PAGE);
  SHOW(READ(pid, l, 1, r, 3, 0));
  T(0, area + 2 * PAGE, 2 * PAGE);
  SHOW(WRITE(pid, l, 1, r, 1, 0));
  T(0, area, 2 * PAGE);
  munmap(local + PAGE, PAGE);
  L(0, local, 2 * PAGE);
  SHOW(READ(pid, l, 1, r, 1, 0));
  L(0, local + PAGE, PAGE);
  SHOW(READ(pid, l, 1, r, 1, 0));
  mprotect(local, PAGE, R);
  L(0, local, PAGE);
  SHOW(READ(pid, l, 1, r, 1, 0));
  SHOW(WRITE(pid, l, 1, r, 1, 0));
  T(0, (void *)TOP, 10);
  SHOW(READ(pid, l, 1, r, 1, 0));
  ask("p");
  stop();
}

/* Pages nobody touched yet, pages of a file, and a page that a fork shares. */
static void kinds(void) {
  area = room(16);
  local = area + 8 * PAGE;
  must(pipe(toChild) == 0 && pipe(toParent) == 0, "pipe");
  int fd = file(2 * PAGE);
  anon(area, 2, RW);
  mmap(area + 2 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);
  mmap(area + 3 * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, PAGE);
  mmap(area + 4 * PAGE, PAGE, RW, SHARED | MAP_FIXED, -1, 0);
  anon(local, 6, RW);
  area[PAGE] = 5;
  fflush(stdout);
  pid = fork();
  if (pid == 0) served();
  struct iovec l[1], r[1];
  L(0, local, 5 * PAGE), T(0, area, 5 * PAGE);
  SHOW(READ(pid, l, 1, r, 1, 0));
  bytes("here", local, 6);
  mark(local, 5, 61);
  SHOW(WRITE(pid, l, 1, r, 1, 0));
  bytes("the parent has", area, 6);
  ask("p");
  char byte;
  pread(fd, &byte, 1, 0);
  say("the file: private %d", byte);
  pread(fd, &byte, 1, PAGE);
  say("the file: shared %d", byte);
  close(fd);
  stop();
}

static void throughProc(void) {
  start();
  char path[64], text[2 * PAGE];
  snprintf(path, sizeof path, "/proc/%d/mem", pid);
  int fd = open(path, O_RDWR);
  say("opened %d", fd >= 0);
  if (fd >= 0) {
    SHOW(pread(fd, text, 2 * PAGE, (long)area));
    say("read %d %d", text[0], text[PAGE]);
    SHOW(pread(fd, text, PAGE, (long)area + 5 * (long)PAGE));
    SHOW(pread(fd, text, 3 * PAGE, (long)area + 3 * (long)PAGE) > 0);
    SHOW(pwrite(fd, "A", 1, (long)area + (long)PAGE));
    SHOW(pwrite(fd, "B", 1, (long)area + 5 * (long)PAGE));
    close(fd);
  }
  ask("p");
  stop();
  anon(area = room(2), 1, RW);
  area[0] = 66;
  fd = open("/proc/self/mem", O_RDONLY);
  SHOW(pread(fd, text, 1, (long)area));
  say("own %d", text[0]);
  SHOW(pwrite(fd, text, 1, (long)area));
  SHOW(lseek(fd, (long)area, SEEK_SET) == (long)area);
  SHOW(read(fd, text, 1));
  munmap(area, PAGE);
  SHOW(pread(fd, text, 1, (long)area));
  close(fd);
}

static void descriptors(void) {
  int own = (int)syscall(SYS_pidfd_open, getpid(), 0);
  if (unsupported(own < 0)) return;
  close(own);
  start();
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  say("pidfd_open %d, close on exec %d", fd >= 0, fcntl(fd, F_GETFD));
  SHOW(syscall(SYS_pidfd_open, pid, 1));
  SHOW(syscall(SYS_pidfd_open, 0, 0));
  SHOW(syscall(SYS_pidfd_open, -1, 0));
  SHOW(syscall(SYS_pidfd_open, 99999999, 0));
  struct iovec v[3] = {{area, PAGE}, {area + 2 * PAGE, PAGE}, {area + 5 * PAGE, PAGE}};
  SHOW(MADVISE(fd, v, 2, MADV_COLD, 0));
  SHOW(MADVISE(fd, v, 2, MADV_PAGEOUT, 0));
  SHOW(MADVISE(fd, v, 2, MADV_WILLNEED, 0));
  SHOW(MADVISE(fd, v, 2, MADV_DONTNEED, 0));
  SHOW(MADVISE(fd, v, 2, MADV_FREE, 0));
  SHOW(MADVISE(fd, v, 2, MADV_NORMAL, 0));
  SHOW(MADVISE(fd, v, 2, 12345, 0));
  SHOW(MADVISE(fd, v, 2, MADV_COLD, 1));
  SHOW(MADVISE(fd, v, 3, MADV_COLD, 0));
  SHOW(MADVISE(fd, v + 2, 1, MADV_COLD, 0));
  SHOW(MADVISE(fd, v, 0, MADV_COLD, 0));
  SHOW(MADVISE(fd, v, 1025, MADV_COLD, 0));
  SHOW(MADVISE(fd, TOP, 1, MADV_COLD, 0));
  SHOW(MADVISE(-1, v, 1, MADV_COLD, 0));
  SHOW(MADVISE(toChild[0], v, 1, MADV_COLD, 0));
  struct iovec odd = {area + 1, PAGE};
  SHOW(MADVISE(fd, &odd, 1, MADV_COLD, 0));
  ask("p");
  SHOW(syscall(SYS_process_mrelease, fd, 1));
  SHOW(syscall(SYS_process_mrelease, -1, 0));
  SHOW(syscall(SYS_process_mrelease, toChild[0], 0));
  SHOW(syscall(SYS_process_mrelease, fd, 0));
  stop();
  SHOW(MADVISE(fd, v, 1, MADV_COLD, 0));
  close(fd);
}

/* mm/madvise.c:SYSCALL_DEFINE5(process_madvise), Linux 6.13: on itself a process may do more. */
static void onItself(void) {
  area = room(8);
  anon(area, 3, RW);
  mark(area, 3, 1);
  int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
  struct iovec v[2] = {{area, PAGE}, {area + 2 * PAGE, PAGE}};
  if (unsupported(MADVISE(fd, v, 2, MADV_DONTNEED, 0) < 0)) return;
  bytes("dropped", area, 3);
  SHOW(MADVISE(fd, v, 2, MADV_GUARD_INSTALL, 0));
  strip("guarded", area, 3);
  SHOW(MADVISE(fd, v, 2, MADV_GUARD_REMOVE, 0));
  strip("not any more", area, 3);
  close(fd);
  munmap(area, 8 * PAGE);
}

static void barriers(void) {
#define BARRIER(command, flags) syscall(SYS_membarrier, (long)(command), (long)(flags), 0L)
  long known = BARRIER(MEMBARRIER_CMD_QUERY, 0);
  say("global %d, private %d, registration %d", (known & MEMBARRIER_CMD_GLOBAL) != 0,
      (known & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0, (known & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0);
  SHOW(BARRIER(MEMBARRIER_CMD_QUERY, 1));
  SHOW(BARRIER(1 << 20, 0));
  SHOW(BARRIER(MEMBARRIER_CMD_GLOBAL, 0));
  SHOW(BARRIER(MEMBARRIER_CMD_GLOBAL, 1));
  SHOW(BARRIER(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
  SHOW(BARRIER(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
  SHOW(BARRIER(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
  SHOW(BARRIER(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0));
  SHOW(BARRIER(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0));
  SHOW(BARRIER(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0));
  SHOW(BARRIER(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0));
  SHOW(BARRIER(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0));
}

static volatile int over;

static void churn(void) {
  for (int i = 0; i < 200; i++) {
    anon(area, 2, RW);
    area[0] = area[PAGE] = 77;
    munmap(area, 2 * PAGE);
  }
  _exit(0);
}

/* A reader beside a child that maps, writes and unmaps, then ends: 77, 0, a fault or no such process; nothing else. */
static void racing(void) {
  area = room(4);
  local = anon(room(4), 2, RW);
  int wrong = 0;
  for (int round = 0; round < 5; round++) {
    fflush(stdout);
    pid = fork();
    if (pid == 0) churn();
    struct iovec l = {local, 2 * PAGE}, r = {area, 2 * PAGE};
    for (int i = 0; i < 2000; i++) {
      long n = READ(pid, &l, 1, &r, 1, 0);
      if (n < 0) {
        wrong += errno != EFAULT && errno != ESRCH;
        if (errno == ESRCH) break;
        continue;
      }
      wrong += n != (long)PAGE && n != 2 * (long)PAGE;
      for (int page = 0; page < n / (long)PAGE; page++) wrong += local[page * PAGE] != 77 && local[page * PAGE] != 0;
    }
    int status;
    must(waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
    struct iovec again = {area, 1};
    wrong += READ(pid, &l, 1, &again, 1, 0) != -1 || errno != ESRCH;
  }
  say("wrong %d", wrong);
  munmap(local, 2 * PAGE);
}

static const struct section SECTIONS[] = {
    SECTION(vectors), SECTION(faults), SECTION(kinds), SECTION(throughProc), SECTION(descriptors), SECTION(onItself),
    SECTION(barriers), SECTION(racing),
};
PROGRAM(SECTIONS)
