/* mem-maps.c: what /proc/self says of memory: maps in Linux's format, status, statm, exe; and names of mappings. */
#include "mem.h"
#include <sys/shm.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

/* The lines that lie in the room, addresses as pages of it, inodes as 0 or 1, a file's name without its folder. The whole
 * line must have the kernel's width: fields in their columns, the name at column 73. */
static void told1(const char *what) {
  char line[4400];
  FILE *maps = fopen("/proc/self/maps", "r");
  must(maps != NULL, "/proc/self/maps");
  say("%s:", what);
  while (fgets(line, sizeof line, maps)) {
    unsigned long start, end, offset, inode;
    unsigned major, minor;
    char perms[5];
    int used = 0;
    must(sscanf(line, "%lx-%lx %4s %lx %x:%x %lu%n", &start, &end, perms, &offset, &major, &minor, &inode, &used) == 7, "a line");
    if (start < (uintptr_t)base || start >= (uintptr_t)base + roomBytes) continue;
    line[strcspn(line, "\n")] = 0;
    char head[128];
    snprintf(head, sizeof head, "%08lx-%08lx %s %08lx %02x:%02x %lu ", start, end, perms, offset, major, minor, inode);
    int column = (int)strlen(head);
    must(strncmp(line, head, (size_t)column) == 0 || line[column - 1] == 0, "the fields of a line");
    char *name = strlen(line) > 73 ? line + 73 : "";
    if (*name) {
      must(line[72] == ' ' && *name != ' ', "the column of a name");
      char *slash = strrchr(name, '/');
      if (slash && strncmp(name, "/tmp/", 5) == 0) name = "FILE";
    }
    const char *deleted = strstr(line, " (deleted)");
    say("  %lu-%lu %s %lx inode %d %s%s", (start - (uintptr_t)base) / PAGE, (end - (uintptr_t)base) / PAGE, perms, offset,
        inode != 0, name, strcmp(name, "FILE") == 0 && deleted ? deleted : "");
  }
  fclose(maps);
}

static void kinds(void) {
  char *at = room(64);
  anon(at, 2, RW);
  anon(at + 4 * PAGE, 2, R | PROT_EXEC);
  anon(at + 8 * PAGE, 2, NONE);
  mmap(at + 12 * PAGE, 2 * PAGE, RW, SHARED | MAP_FIXED, -1, 0);
  int fd = file(4 * PAGE);
  mmap(at + 16 * PAGE, 2 * PAGE, R, MAP_PRIVATE | MAP_FIXED, fd, PAGE);
  mmap(at + 20 * PAGE, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 2 * PAGE);
  int mem = memfd_create("some name", 0);
  must(ftruncate(mem, PAGE) == 0, "ftruncate");
  mmap(at + 24 * PAGE, PAGE, R, MAP_SHARED | MAP_FIXED, mem, 0);
  mmap(at + 28 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  int zero = open("/dev/zero", O_RDWR);
  mmap(at + 32 * PAGE, PAGE, RW, MAP_PRIVATE | MAP_FIXED, zero, 0);
  told1("kinds");
  munmap(at, 64 * PAGE);
  close(fd), close(mem), close(zero);
}

static void merges(void) {
  char *at = room(32);
  anon(at, 2, RW);
  anon(at + 2 * PAGE, 2, RW);
  told1("beside each other");
  mprotect(at + PAGE, PAGE, R);
  told1("split");
  mprotect(at + PAGE, PAGE, RW);
  told1("merged");
  madvise(at + 2 * PAGE, PAGE, MADV_DONTFORK);
  told1("of another advice");
  madvise(at + 2 * PAGE, PAGE, MADV_DOFORK);
  told1("of the same");
  munmap(at + PAGE, PAGE);
  told1("a hole");
  anon(at + PAGE, 1, RW);
  told1("filled");
  int fd = file(8 * PAGE);
  mmap(at + 8 * PAGE, 2 * PAGE, R, MAP_PRIVATE | MAP_FIXED, fd, 0);
  mmap(at + 10 * PAGE, 2 * PAGE, R, MAP_PRIVATE | MAP_FIXED, fd, 2 * PAGE);
  mmap(at + 12 * PAGE, 2 * PAGE, R, MAP_PRIVATE | MAP_FIXED, fd, 6 * PAGE);
  told1("of a file");
  mmap(at + 16 * PAGE, 2 * PAGE, R, MAP_SHARED | MAP_FIXED, fd, 0);
  mmap(at + 18 * PAGE, 2 * PAGE, R, MAP_SHARED | MAP_FIXED, fd, 2 * PAGE);
  munmap(at + 17 * PAGE, PAGE);
  told1("shared");
  mlock(at, PAGE);
  told1("locked");
  munmap(at, 32 * PAGE);
  close(fd);
}

static void moved(void) {
  char *at = room(32);
  int fd = file(4 * PAGE);
  mmap(at, 4 * PAGE, R, MAP_PRIVATE | MAP_FIXED, fd, 0);
  mremap(at + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 8 * PAGE);
  told1("a part of a file");
  mremap(at + 8 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGE);
  told1("and back");
  anon(at + 16 * PAGE, 4, RW);
  mark(at + 16 * PAGE, 4, 1);
  mremap(at + 17 * PAGE, PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 24 * PAGE);
  told1("of nothing");
  munmap(at, 32 * PAGE);
  close(fd);
}

static void names(void) {
  char *at = room(32);
  anon(at, 4, RW);
  if (unsupported(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at + PAGE, PAGE, "a name") != 0)) {
    munmap(at, 32 * PAGE);
    return;
  }
  told1("named");
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at + 2 * PAGE, PAGE, "a name"));
  told1("two of one name");
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at + 2 * PAGE, PAGE, "another"));
  told1("two of two");
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, 4 * PAGE, NULL));
  told1("none");
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at + 1, PAGE, "x"));
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, 0, "x"));
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, 6 * PAGE, "x"));
  told1("over a hole");
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, PAGE, "a\\b"));
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, PAGE, "a[b"));
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, PAGE, "a\nb"));
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, PAGE, TOP));
  SHOW(prctl(PR_SET_VMA, 7, at, PAGE, "x"));
  char longest[82];
  memset(longest, 'n', sizeof longest);
  longest[80] = 0;
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, PAGE, longest));
  longest[79] = 0;
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, PAGE, longest));
  int fd = file(PAGE);
  mmap(at + 8 * PAGE, PAGE, R, MAP_PRIVATE | MAP_FIXED, fd, 0);
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at + 8 * PAGE, PAGE, "x"));
  mmap(at + 12 * PAGE, PAGE, RW, SHARED | MAP_FIXED, -1, 0);
  SHOW(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at + 12 * PAGE, PAGE, "shared"));
  told1("kinds");
  munmap(at, 32 * PAGE);
  close(fd);
}

/* Every line is in order, none overlaps, and what a program always has is there. */
static void whole(void) {
  char line[4400];
  FILE *maps = fopen("/proc/self/maps", "r");
  unsigned long last = 0, start, end;
  int ordered = 1, heap = 0, stack = 0, code = 0, self = 0;
  (void)*(volatile char *)malloc(100);
  syscall(SYS_brk, (char *)syscall(SYS_brk, 0) + PAGE);
  while (fgets(line, sizeof line, maps)) {
    char perms[5];
    sscanf(line, "%lx-%lx %4s", &start, &end, perms);
    ordered &= start >= last && end > start && (start | end) % PAGE == 0;
    last = end;
    int local;
    if (start <= (uintptr_t)&local && (uintptr_t)&local < end) stack = strstr(line, "[stack]\n") != NULL && strcmp(perms, "rw-p") == 0;
    if (start <= (uintptr_t)whole && (uintptr_t)whole < end) code = strcmp(perms, "r-xp") == 0 && strchr(line, '/') != NULL;
    if (start <= (uintptr_t)&base && (uintptr_t)&base < end) self = strcmp(perms, "rw-p") == 0;
    heap |= strstr(line, "[heap]\n") != NULL;
  }
  fclose(maps);
  say("ordered %d, heap %d, stack %d, code %d, data %d", ordered, heap, stack, code, self);
  char path[256] = "", shown[256];
  long n = readlink("/proc/self/exe", path, sizeof path - 1);
  say("exe is told %d", n > 0 && path[0] == '/');
  snprintf(shown, sizeof shown, "/proc/%d/exe", getpid());
  char again[256] = "";
  n = readlink(shown, again, sizeof again - 1);
  say("and by number %d", strcmp(path, again) == 0);
}

static long field(const char *name) {
  char line[256];
  long value = -1;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (strncmp(line, name, strlen(name)) == 0) {
      char unit[8] = "";
      must(sscanf(line + strlen(name), "%ld %7s", &value, unit) == 2 && strcmp(unit, "kB") == 0, "a line of status");
    }
  if (status) fclose(status);
  return value;
}

static void growth(const char *what, const char *name, long before) {
  long now = field(name);
  say("%s: %s %s%ld pages", what, name, now >= before ? "+" : "-", labs(now - before) / 4);
}

static void counts(void) {
  char *at = room(1200);
  long size = field("VmSize:"), data = field("VmData:"), locked = field("VmLck:"), rss = field("VmRSS:");
  must(size > 0 && data >= 0 && locked >= 0 && rss > 0, "status");
  anon(at, 1000, RW);
  growth("mapped", "VmSize:", size);
  growth("mapped", "VmData:", data);
  anon(at + 1000 * PAGE, 100, R);
  growth("to be read", "VmSize:", size);
  growth("to be read", "VmData:", data);
  mlock(at, 10 * PAGE);
  growth("locked", "VmLck:", locked);
  munlock(at, 10 * PAGE);
  growth("unlocked", "VmLck:", locked);
  memset(at, 1, 1000 * PAGE);
  long more = field("VmRSS:") - rss;
  say("touched: resident about as much %d", more > 3600 && more < 5000);
  munmap(at, 1200 * PAGE);
  growth("unmapped", "VmSize:", size);
  more = field("VmRSS:") - rss;
  say("unmapped: as before %d", labs(more) < 600);
  long values[7] = {0};
  FILE *statm = fopen("/proc/self/statm", "r");
  int n = 0;
  while (statm && n < 7 && fscanf(statm, "%ld", &values[n]) == 1) n++;
  if (statm) fclose(statm);
  say("statm %d fields, size as in status %d", n, values[0] * 4 == field("VmSize:"));
}

static const struct section SECTIONS[] = {
    SECTION(kinds), SECTION(merges), SECTION(moved), SECTION(names), SECTION(whole), SECTION(counts),
};
PROGRAM(SECTIONS)
