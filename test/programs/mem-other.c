/* mem-other.c: calls about memory that do little here, or that a kernel may be built without: what each answers must still
 * be an answer that Linux gives. Where a kernel is built or set up otherwise than this one the section says so. */
#include "mem.h"

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef SYS_map_shadow_stack
#define SYS_map_shadow_stack 453
#endif
#ifndef PR_GET_THP_DISABLE
#define PR_GET_THP_DISABLE 42
#endif

/* mm/mmap.c:remap_file_pages(): emulated by a mapping since Linux 4.0. */
static void remapFilePages(void) {
  char *at = room(16);
  int fd = file(6 * PAGE);
  mmap(at, 6 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  if (unsupported(syscall(SYS_remap_file_pages, at + PAGE, PAGE, 0L, 4L, 0L) != 0)) return;
  bytes("one from elsewhere", at, 6);
  STORE(at + PAGE, 90);
  bytes("both are one page", at, 6);
  SHOW(syscall(SYS_remap_file_pages, at, PAGE, (long)R, 4L, 0L));
  SHOW(syscall(SYS_remap_file_pages, at + 8 * PAGE, PAGE, 0L, 4L, 0L));
  SHOW(syscall(SYS_remap_file_pages, at, 0L, 0L, 4L, 0L));
  mmap(at + 8 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);
  SHOW(syscall(SYS_remap_file_pages, at + 8 * PAGE, PAGE, 0L, 4L, 0L));
  anon(at + 8 * PAGE, 1, RW);
  SHOW(syscall(SYS_remap_file_pages, at + 8 * PAGE, PAGE, 0L, 4L, 0L));
  munmap(at, 16 * PAGE);
  close(fd);
}

/* mm/mseal.c, Linux 6.10. */
static void seals(void) {
  char *at = room(16);
  anon(at, 6, RW);
  mark(at, 6, 1);
  if (unsupported(syscall(SYS_mseal, at + PAGE, 2 * PAGE, 0L) != 0)) return;
  SHOW(syscall(SYS_mseal, at + PAGE, 2 * PAGE, 0L));
  SHOW(syscall(SYS_mseal, at + PAGE, 2 * PAGE, 1L));
  SHOW(syscall(SYS_mseal, at + 1, PAGE, 0L));
  SHOW(syscall(SYS_mseal, at, 0L, 0L));
  SHOW(syscall(SYS_mseal, at + 7 * PAGE, PAGE, 0L));
  SHOW(syscall(SYS_mseal, at + 4 * PAGE, 4 * PAGE, 0L));
  SHOW(munmap(at + PAGE, PAGE));
  SHOW(munmap(at, 6 * PAGE));
  SHOW(mprotect(at + PAGE, PAGE, R));
  SHOW(mprotect(at + 2 * PAGE, 2 * PAGE, R));
  PLACE(mremap(at + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 10 * PAGE));
  PLACE(mremap(at + PAGE, 2 * PAGE, PAGE, 0, 0));
  PLACE(mremap(at + 5 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 2 * PAGE));
  PLACE(mmap(at + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0));
  SHOW(madvise(at + PAGE, PAGE, MADV_DONTNEED));
  SHOW(madvise(at + PAGE, PAGE, MADV_WILLNEED));
  strip("as it was", at, 7);
  bytes("as it was", at, 7);
  SHOW(munmap(at + 3 * PAGE, PAGE));
  SHOW(munmap(at, PAGE));
}

/* mm/filemap.c:cachestat(), Linux 6.5: 16 bytes of range in, 40 of counts out. */
static void cached(void) {
  uint64_t range[2] = {0, 2 * PAGE}, counts[5];
  int fd = memfd_create("cached", 0);
  must(ftruncate(fd, 4 * PAGE) == 0, "ftruncate");
  char page[PAGE];
  memset(page, 1, PAGE);
  must(pwrite(fd, page, PAGE, PAGE) == (long)PAGE, "pwrite");
  if (unsupported(syscall(SYS_cachestat, fd, range, counts, 0L) != 0)) return;
  say("cached %lu", (unsigned long)counts[0]);
  range[1] = 0;
  SHOW(syscall(SYS_cachestat, fd, range, counts, 0L));
  say("of all: cached %lu", (unsigned long)counts[0]);
  SHOW(syscall(SYS_cachestat, fd, range, counts, 1L));
  SHOW(syscall(SYS_cachestat, 999, range, counts, 0L));
  SHOW(syscall(SYS_cachestat, fd, (void *)TOP, counts, 0L));
  SHOW(syscall(SYS_cachestat, fd, range, (void *)TOP, 0L));
  close(fd);
}

/* One node, as on any machine without NUMA: mm/mempolicy.c. */
static void policies(void) {
  char *at = room(8);
  anon(at, 4, RW);
  int mode = -1;
  unsigned long nodes[16] = {0};
  if (unsupported(syscall(SYS_get_mempolicy, &mode, nodes, 1024L, NULL, 0L) != 0 && errno == ENOSYS)) return;
  say("mode %d, nodes %lx", mode, nodes[0]);
  SHOW(syscall(SYS_get_mempolicy, &mode, NULL, 0L, at, 2L));
  SHOW(syscall(SYS_get_mempolicy, &mode, NULL, 0L, at + 6 * PAGE, 2L));
  SHOW(syscall(SYS_get_mempolicy, &mode, NULL, 0L, at, 0L));
  nodes[0] = 1;
  SHOW(syscall(SYS_set_mempolicy, 2L, nodes, 1024L));
  SHOW(syscall(SYS_get_mempolicy, &mode, nodes, 1024L, NULL, 0L));
  say("mode %d, nodes %lx", mode, nodes[0]);
  SHOW(syscall(SYS_set_mempolicy, 0L, NULL, 0L));
  SHOW(syscall(SYS_set_mempolicy, 99L, NULL, 0L));
  SHOW(syscall(SYS_set_mempolicy, 2L, NULL, 0L));
  SHOW(syscall(SYS_mbind, at, PAGE, 2L, nodes, 1024L, 0L));
  SHOW(syscall(SYS_mbind, at + 1, PAGE, 0L, NULL, 0L, 0L));
  SHOW(syscall(SYS_mbind, at, PAGE, 0L, NULL, 0L, 0L));
  SHOW(syscall(SYS_mbind, at, PAGE, 0L, NULL, 0L, 64L));
  SHOW(syscall(SYS_mbind, at + 5 * PAGE, PAGE, 0L, NULL, 0L, 0L));
  munmap(at, 8 * PAGE);
}

static void pagesMoved(void) {
  char *at = room(8);
  anon(at, 2, RW);
  at[0] = 1;
  void *pages[3] = {at, at + PAGE, at + 4 * PAGE};
  int status[3] = {9, 9, 9};
  if (unsupported(syscall(SYS_move_pages, 0L, 1L, pages, NULL, status, 0L) != 0)) return;
  SHOW(syscall(SYS_move_pages, 0L, 3L, pages, NULL, status, 0L));
  say("on node %d, untouched %s, unmapped %s", status[0], errname(-status[1]), errname(-status[2]));
  SHOW(syscall(SYS_move_pages, 0L, 3L, pages, NULL, status, 64L));
  SHOW(syscall(SYS_move_pages, 99999999L, 1L, pages, NULL, status, 0L));
  unsigned long nodes[16] = {1};
  SHOW(syscall(SYS_migrate_pages, 0L, 1024L, nodes, nodes));
  SHOW(syscall(SYS_migrate_pages, 99999999L, 1024L, nodes, nodes));
  munmap(at, 8 * PAGE);
}

static void controls(void) {
  if (unsupported(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) < 0)) return;
  SHOW(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
  SHOW(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  SHOW(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0));
  SHOW(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
  SHOW(prctl(PR_SET_MM, 99, 0, 0, 0) < 0);
}

static void secret(void) {
#ifdef SYS_memfd_secret
  int fd = (int)syscall(SYS_memfd_secret, 0L);
  if (unsupported(fd < 0)) return;
  say("a kernel with secret memory: mapped, not to be read by write");
  close(fd);
#endif
}

/* Only the handshake: what an instance with no feature asks, and what is refused. */
static void faultDescriptors(void) {
  int fd = (int)syscall(SYS_userfaultfd, (long)(O_CLOEXEC | 1));
  if (unsupported(fd < 0)) return;
  close(fd);
  SHOW(syscall(SYS_userfaultfd, 0x1000L));
}

static void shadowStacks(void) {
  say("none without the hardware: %s", outcome(syscall(SYS_map_shadow_stack, 0L, PAGE, 0L)));
}

static const struct section SECTIONS[] = {
    SECTION(remapFilePages), SECTION(seals), SECTION(cached), SECTION(policies), SECTION(pagesMoved), SECTION(controls),
    SECTION(secret), SECTION(faultDescriptors), SECTION(shadowStacks),
};
PROGRAM(SECTIONS)
