/* What the mem-*.c programs share: calls past the C library, told with their own source text, and accesses that may fault.
 *
 * Output      "munmap(at + PAGE, PAGE) = 0", "mremap(...) = EFAULT": SHOW() prints the call as it is written and what the
 *             kernel said; PLACE() tells a mapping's place in pages from `base`. No address, no time, no order of a race.
 * Calls       every name below goes to the kernel as it is: the C library checks some arguments itself, has no wrapper for
 *             others, and keeps its own idea of the break
 * Missing     a section that needs a newer kernel probes first and prints only "unsupported here": what it must print is
 *             then read from NAME.expected, recorded on Linux 6.18 by `program SECTION`                       */
#ifndef MEM_H
#define MEM_H
#include "program.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define PAGE 4096UL
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS)
#define R PROT_READ
#define W PROT_WRITE
#define RW (PROT_READ | PROT_WRITE)
#define NONE PROT_NONE
#define TOP (~0UL << 12) /* the last page of all: no address space reaches it */

#define MADV_COLLAPSE_ 25
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif

#define mmap(at, bytes, prot, flags, fd, offset) sysMmap((void *)(at), bytes, prot, flags, fd, offset)
#define munmap(at, bytes) syscall(SYS_munmap, (void *)(at), (unsigned long)(bytes))
#define mprotect(at, bytes, prot) syscall(SYS_mprotect, (void *)(at), (unsigned long)(bytes), (long)(prot))
#define mremap(at, old, bytes, flags, to) sysMremap((void *)(at), old, bytes, flags, (void *)(to))
#define madvise(at, bytes, advice) syscall(SYS_madvise, (void *)(at), (unsigned long)(bytes), (long)(advice))
#define msync(at, bytes, flags) syscall(SYS_msync, (void *)(at), (unsigned long)(bytes), (long)(flags))
#define mincore(at, bytes, into) syscall(SYS_mincore, (void *)(at), (unsigned long)(bytes), (void *)(into))
#define mlock(at, bytes) syscall(SYS_mlock, (void *)(at), (unsigned long)(bytes))
#define mlock2(at, bytes, flags) syscall(SYS_mlock2, (void *)(at), (unsigned long)(bytes), (long)(flags))
#define munlock(at, bytes) syscall(SYS_munlock, (void *)(at), (unsigned long)(bytes))
#define mlockall(flags) syscall(SYS_mlockall, (long)(flags))
#define munlockall() syscall(SYS_munlockall)
#define memfd_create(name, flags) ((int)syscall(SYS_memfd_create, (const char *)(name), (long)(flags)))

static inline char *sysMmap(void *at, unsigned long bytes, long prot, long flags, long fd, unsigned long offset) {
  return (char *)syscall(SYS_mmap, at, bytes, prot, flags, fd, offset);
}

static inline char *sysMremap(void *at, unsigned long old, unsigned long bytes, long flags, void *to) {
  return (char *)syscall(SYS_mremap, at, old, bytes, flags, to);
}

#define SECTION(name) {#name, name}

static char *base; /* what PLACE() counts from, and how far */
static unsigned long roomBytes;

static __thread sigjmp_buf escape;
static __thread volatile int signalled, signalCode;
static __thread char *volatile signalAt;

static void caught(int number, siginfo_t *info, void *context) {
  (void)context;
  signalled = number;
  signalCode = info->si_code;
  signalAt = info->si_addr;
  siglongjmp(escape, 1);
}

static inline const char *faultName(void) {
  if (signalled == SIGBUS) return signalCode == BUS_ADRERR ? "BUS_ADRERR" : "SIGBUS, other code";
  if (signalCode == SEGV_MAPERR) return "SEGV_MAPERR";
  return signalCode == SEGV_ACCERR ? "SEGV_ACCERR" : "SIGSEGV, other code";
}

static inline void catchFaults(void) {
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}

/* The byte there, or -1: then faultName() says why. The address told must be the address tried. */
static inline int load(const volatile void *at) {
  if (sigsetjmp(escape, 0) == 0) return *(volatile unsigned char *)at;
  must(signalAt == at, "si_addr of a load");
  return -1;
}

static inline int store(volatile void *at, int byte) {
  if (sigsetjmp(escape, 0) == 0) {
    *(volatile unsigned char *)at = (unsigned char)byte;
    return 0;
  }
  must(signalAt == at, "si_addr of a store");
  return -1;
}

static inline void told(const char *call, long result) {
  if (result == -1) say("%s = %s", call, errname(errno));
  else say("%s = %ld", call, result);
}

static inline char *placed(const char *call, char *at) {
  if (at == (char *)-1) say("%s = %s", call, errname(errno));
  else if (at >= base && at < base + roomBytes) say("%s = page %lu", call, (unsigned long)(at - base) / PAGE);
  else say("%s = elsewhere", call);
  return at;
}

static inline void loaded(const char *what, const volatile void *at) {
  int byte = load(at);
  if (byte < 0) say("load %s: %s", what, faultName());
  else say("load %s: %d", what, byte);
}

static inline void stored(const char *what, volatile void *at, int byte) {
  say("store %s: %s", what, store(at, byte) < 0 ? faultName() : "ok");
}

#define SHOW(call) told(#call, (long)(call))
#define PLACE(call) placed(#call, call)
#define LOAD(at) loaded(#at, at)
#define STORE(at, byte) stored(#at, at, byte)

/* "rw -- r- !!": each page readable, writable, not mapped; (b) where a read is SIGBUS. A store puts back what was there. */
static inline void strip(const char *what, char *from, int pages) {
  printf("%s:", what);
  for (int i = 0; i < pages; i++) {
    char *at = from + (unsigned long)i * PAGE + 8;
    int byte = load(at);
    if (byte >= 0) printf(" r%c", store(at, byte) < 0 ? '-' : 'w');
    else if (signalled == SIGBUS) printf(" bb");
    else printf(signalCode == SEGV_MAPERR ? " !!" : " --");
  }
  putchar('\n');
}

/* The first byte of each page, "." where none can be read. */
static inline void bytes(const char *what, char *from, int pages) {
  printf("%s:", what);
  for (int i = 0; i < pages; i++) {
    int byte = load(from + (unsigned long)i * PAGE);
    if (byte < 0) printf(" .");
    else printf(" %d", byte);
  }
  putchar('\n');
}

/* A hole of `pages` that nothing else will be put into, with free room around it. It becomes `base`. */
static inline char *room(int pages) {
  unsigned long all = (unsigned long)(pages + 64) * PAGE;
  char *at = mmap(NULL, all, NONE, ANON | MAP_NORESERVE, -1, 0);
  must(at != MAP_FAILED, "room");
  munmap(at, all);
  roomBytes = (unsigned long)pages * PAGE;
  return base = at + 32 * PAGE;
}

static inline char *anon(char *at, int pages, int prot) {
  char *got = mmap(at, (unsigned long)pages * PAGE, prot, ANON | (at ? MAP_FIXED : 0), -1, 0);
  must(got != MAP_FAILED, "anonymous mapping");
  return got;
}

/* Page i begins with byte first + i. */
static inline void mark(char *at, int pages, int first) {
  for (int i = 0; i < pages; i++) at[(unsigned long)i * PAGE] = (char)(first + i);
}

/* An unlinked file of `size` bytes; page i begins with i + 1, and its other bytes are i + 1 too. */
static inline int file(unsigned long size) {
  char path[] = "/tmp/faultline-mem-XXXXXX";
  int fd = mkstemp(path);
  must(fd >= 0, "mkstemp");
  unlink(path);
  char page[PAGE];
  for (unsigned long done = 0; done < size; done += PAGE) {
    memset(page, (int)(done / PAGE) + 1, PAGE);
    unsigned long part = size - done < PAGE ? size - done : PAGE;
    must(write(fd, page, part) == (long)part, "write");
  }
  return fd;
}

/* Runs it in a child of its own. What the child prints stands in its place; how it ended is returned as wait4 tells. */
static inline int inChild(void (*run)(void)) {
  fflush(stdout);
  pid_t pid = fork();
  must(pid >= 0, "fork");
  if (pid == 0) {
    run();
    fflush(stdout);
    _exit(0);
  }
  int status = -1;
  must(waitpid(pid, &status, 0) == pid, "waitpid");
  return status;
}

static inline void ended(const char *what, int status) {
  if (WIFSIGNALED(status)) say("%s: signal %d", what, WTERMSIG(status));
  else say("%s: exit %d", what, WEXITSTATUS(status));
}

/* Gives up what root may do: limits on locked memory bind everybody else. A machine without users has nothing to give up. */
static inline void becomeNobody(void) {
  if (geteuid() == 0) must(syscall(SYS_setresuid, 65534, 65534, 65534) == 0 || errno == ENOSYS, "setresuid");
}

static inline int unsupported(int missing) {
  if (missing) say("unsupported here");
  return missing;
}

/* Small pages only, as the guest has; no buffer of stdio on the heap; faults are caught from the start. */
__attribute__((constructor)) static void prepare(void) {
  static char buffer[1 << 16];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  catchFaults();
}
#endif
