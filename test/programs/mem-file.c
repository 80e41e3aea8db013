/* mem-file.c: file mappings: what a mapping sees of the file and the file of the mapping, past its end, and after it shrank. */
#include "mem.h"

static void told1(int fd, const char *what, int pages) {
  printf("%s:", what);
  for (int i = 0; i < pages; i++) {
    unsigned char byte = 0;
    long n = pread(fd, &byte, 1, i * (long)PAGE);
    if (n == 1) printf(" %d", byte);
    else printf(" %s", n == 0 ? "end" : errname(errno));
  }
  putchar('\n');
}

static void put(int fd, int page, int byte) {
  char value = (char)byte;
  must(pwrite(fd, &value, 1, page * (long)PAGE) == 1, "pwrite");
}

static void coherent(void) {
  char *at = room(16);
  int fd = file(4 * PAGE);
  mmap(at, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  char *other = mmap(at + 8 * PAGE, 3 * PAGE, R, MAP_SHARED, fd, PAGE);
  char *own = mmap(at + 12 * PAGE, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
  bytes("mapped", at, 4);
  at[PAGE] = 20;
  bytes("another mapping", other, 3);
  bytes("a private one, not written yet", own, 4);
  told1(fd, "read", 4);
  put(fd, 2, 30);
  bytes("written to the file", at, 4);
  bytes("another mapping", other, 3);
  own[2 * PAGE] = 40;
  put(fd, 2, 31);
  bytes("a private copy", own, 4);
  bytes("the shared one", at, 4);
  told1(fd, "read", 4);
  must(lseek(fd, 3 * (long)PAGE, SEEK_SET) > 0, "lseek");
  must(write(fd, "!", 1) == 1, "write");
  bytes("write", at, 4);
  struct iovec parts[2] = {{"ab", 2}, {"cd", 2}};
  must(pwritev(fd, parts, 2, PAGE - 2) == 4, "pwritev");
  say("across pages %c%c%c%c", at[PAGE - 2], at[PAGE - 1], at[PAGE], at[PAGE + 1]);
  at[PAGE - 1] = 'X';
  char text[5] = "";
  struct iovec into[2] = {{text, 1}, {text + 1, 3}};
  must(preadv(fd, into, 2, PAGE - 2) == 4, "preadv");
  say("read back %s", text);
  munmap(at, 16 * PAGE);
  told1(fd, "unmapped", 4);
  close(fd);
}

static void survives(void) {
  char path[] = "/tmp/faultline-mem-XXXXXX";
  char *at = room(8);
  int fd = mkstemp(path);
  must(ftruncate(fd, 2 * PAGE) == 0, "ftruncate");
  mmap(at, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  close(fd);
  at[0] = 5;
  int again = open(path, O_RDONLY);
  told1(again, "closed and opened anew", 2);
  at[PAGE] = 6;
  munmap(at, 2 * PAGE);
  told1(again, "unmapped", 2);
  mmap(at, 2 * PAGE, R, MAP_SHARED | MAP_FIXED, again, 0);
  bytes("mapped anew", at, 2);
  unlink(path);
  bytes("without a name", at, 2);
  close(again);
  bytes("and closed", at, 2);
  munmap(at, 8 * PAGE);
}

static void pastTheEnd(void) {
  char *at = room(16);
  int fd = file(2 * PAGE + 100);
  mmap(at, 6 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  strip("shared", at, 7);
  int zero = 1;
  for (unsigned long i = 2 * PAGE + 100; i < 3 * PAGE; i++) zero &= at[i] == 0;
  say("rest of the last page zero %d", zero);
  STORE(at + 2 * PAGE + 200, 7);
  struct stat st;
  fstat(fd, &st);
  say("size %ld", (long)st.st_size);
  char byte = 1;
  say("read past the end %ld", (long)pread(fd, &byte, 1, 2 * PAGE + 200));
  LOAD(at + 3 * PAGE);
  STORE(at + 3 * PAGE, 1);
  mmap(at + 8 * PAGE, 6 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);
  strip("private", at + 8 * PAGE, 7);
  STORE(at + 11 * PAGE, 1);
  must(ftruncate(fd, 5 * PAGE) == 0, "ftruncate");
  strip("longer: shared", at, 7);
  strip("longer: private", at + 8 * PAGE, 7);
  bytes("longer", at, 6);
  put(fd, 4, 44);
  bytes("and written", at, 6);
  bytes("private too", at + 8 * PAGE, 6);
  mmap(at, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 100 * PAGE);
  strip("wholly past the end", at, 2);
  munmap(at, 16 * PAGE);
  close(fd);
}

static void shrinks(void) {
  char *at = room(16);
  int fd = file(6 * PAGE);
  mmap(at, 6 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  char *own = mmap(at + 8 * PAGE, 6 * PAGE, RW, MAP_PRIVATE, fd, 0);
  bytes("shared", at, 6);
  own[PAGE] = 51;
  own[4 * PAGE] = 54;
  bytes("private", own, 6);
  must(ftruncate(fd, 2 * PAGE + 50) == 0, "ftruncate");
  bytes("shared, shrunk", at, 6);
  bytes("private, shrunk: copies go too", own, 6);
  say("the tail of the last page is zero %d", at[2 * PAGE + 49] == 3 && at[2 * PAGE + 50] == 0 && at[3 * PAGE - 1] == 0);
  STORE(at + 5 * PAGE, 1);
  LOAD(own + 4 * PAGE);
  must(ftruncate(fd, 6 * PAGE) == 0, "ftruncate");
  bytes("shared, long again", at, 6);
  bytes("private, long again", own, 6);
  must(ftruncate(fd, 0) == 0, "ftruncate");
  strip("nothing left", at, 6);
  strip("nothing left", own, 6);
  munmap(at, 16 * PAGE);
  close(fd);
}

static void replaced(void) {
  char path[] = "/tmp/faultline-mem-XXXXXX";
  char *at = room(8);
  int fd = mkstemp(path);
  must(ftruncate(fd, 2 * PAGE) == 0, "ftruncate");
  mmap(at, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  mark(at, 2, 1);
  int other = open(path, O_RDWR | O_TRUNC);
  strip("O_TRUNC", at, 2);
  must(write(other, "abc", 3) == 3, "write");
  LOAD(at);
  LOAD(at + PAGE);
  must(truncate(path, PAGE + 1) == 0, "truncate");
  bytes("truncate", at, 2);
  unlink(path);
  munmap(at, 8 * PAGE);
  close(fd), close(other);
}

static void appended(void) {
  char path[] = "/tmp/faultline-mem-XXXXXX";
  char *at = room(8);
  int fd = mkstemp(path);
  close(fd);
  fd = open(path, O_RDWR | O_APPEND);
  unlink(path);
  must(write(fd, "1", 1) == 1, "write");
  mmap(at, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  LOAD(at + 1);
  must(write(fd, "23", 2) == 2, "write");
  say("appended %c%c%c", at[0], at[1], at[2]);
  char *block = calloc(1, 2 * PAGE);
  must(write(fd, block, PAGE) == (long)PAGE, "write");
  strip("two pages", at, 3);
  free(block);
  munmap(at, 8 * PAGE);
  close(fd);
}

/* The kernel copies between the file and pages of the same file. */
static void ontoItself(void) {
  char *at = room(8);
  int fd = file(4 * PAGE);
  mmap(at, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  say("written from its own mapping %ld", (long)pwrite(fd, at, PAGE, 2 * PAGE));
  bytes("then", at, 4);
  say("read into its own mapping %ld", (long)pread(fd, at + 3 * PAGE, PAGE, PAGE));
  bytes("then", at, 4);
  must(ftruncate(fd, 3 * PAGE) == 0, "ftruncate");
  say("read into what is past the end: %s", outcome(pread(fd, at + 3 * PAGE, 10, 0)));
  say("written from past the end: %s", outcome(pwrite(fd, at + 3 * PAGE, 10, 0)));
  mprotect(at, PAGE, R);
  say("read into what may not be written: %s", outcome(pread(fd, at, 10, PAGE)));
  munmap(at, 8 * PAGE);
  close(fd);
}

static void copies(void) {
  char *at = room(8);
  int from = file(3 * PAGE), to = file(3 * PAGE);
  mmap(at, 3 * PAGE, RW, MAP_SHARED | MAP_FIXED, from, 0);
  char *other = mmap(at + 4 * PAGE, 3 * PAGE, R, MAP_SHARED, to, 0);
  bytes("before", other, 3);
  mark(at, 3, 60);
  long in = 0, out = 0;
  say("copy_file_range %ld", (long)syscall(SYS_copy_file_range, from, &in, to, &out, 2 * PAGE, 0));
  bytes("after", other, 3);
  must(lseek(to, 2 * (long)PAGE, SEEK_SET) > 0, "lseek");
  in = 0;
  say("sendfile %ld", (long)syscall(SYS_sendfile, to, from, &in, PAGE));
  bytes("after", other, 3);
  munmap(at, 8 * PAGE);
  close(from), close(to);
}

static void forwards(void) {
  char *at = room(300);
  int fd = file(256 * PAGE);
  static const int advices[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED};
  for (int i = 0; i < COUNT(advices); i++) {
    mmap(at, 256 * PAGE, R, MAP_PRIVATE | MAP_FIXED, fd, 0);
    SHOW(madvise(at, 256 * PAGE, advices[i]));
    int right = 0;
    for (int page = 0; page < 256; page++) right += load(at + page * PAGE + 99) == ((page + 1) & 255);
    for (int page = 255; page >= 0; page--) right += load(at + page * PAGE + 4000) == ((page + 1) & 255);
    say("right %d", right);
    munmap(at, 256 * PAGE);
  }
  close(fd);
}

static int shared;
static volatile int over;

static void *writes(void *arg) {
  (void)arg;
  for (int i = 1; i <= 120; i++) {
    put(shared, 0, i);
    base[PAGE] = (char)i;
  }
  over = 1;
  return NULL;
}

/* What a thread stores through the mapping and another through the file, both see; never an older byte after a newer. */
static void racing(void) {
  char *at = room(4);
  shared = file(2 * PAGE);
  mmap(at, 2 * PAGE, RW, MAP_SHARED | MAP_FIXED, shared, 0);
  over = 0;
  at[0] = at[PAGE] = 0;
  pthread_t thread = begin(writes, NULL);
  int wrong = 0, last[2] = {0, 0};
  while (!over) {
    unsigned char byte = 0;
    int seen[2] = {at[0], pread(shared, &byte, 1, PAGE) == 1 ? byte : -1};
    for (int i = 0; i < 2; i++) {
      wrong += seen[i] < last[i];
      last[i] = seen[i];
    }
  }
  finish(thread);
  unsigned char byte = 0;
  pread(shared, &byte, 1, PAGE);
  say("wrong %d, at last %d %d", wrong, at[0], byte);
  munmap(at, 4 * PAGE);
  close(shared);
}

static void *cuts(void *arg) {
  (void)arg;
  for (int i = 0; i < 200; i++) {
    must(ftruncate(shared, (i & 1 ? 4 : 1) * (long)PAGE) == 0, "ftruncate");
  }
  over = 1;
  return NULL;
}

/* A file cut under threads that load and store: they see its bytes, or zero where it grew anew, or SIGBUS. */
static void cutWhileRead(void) {
  char *at = room(8);
  shared = file(4 * PAGE);
  mmap(at, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, shared, 0);
  over = 0;
  pthread_t thread = begin(cuts, NULL);
  int wrong = 0;
  while (!over)
    for (int page = 0; page < 4; page++) {
      int byte = load(at + page * PAGE + 9);
      if (byte == -1) wrong += signalled != SIGBUS || page == 0;
      else wrong += byte != page + 1 && (byte != 0 || page == 0);
    }
  finish(thread);
  say("wrong %d", wrong);
  must(ftruncate(shared, 4 * PAGE) == 0, "ftruncate");
  strip("at last", at, 4);
  munmap(at, 8 * PAGE);
  close(shared);
}

static const struct section SECTIONS[] = {
    SECTION(coherent),   SECTION(survives), SECTION(pastTheEnd), SECTION(shrinks), SECTION(replaced),    SECTION(appended),
    SECTION(ontoItself), SECTION(copies),   SECTION(forwards),   SECTION(racing),  SECTION(cutWhileRead),
};
PROGRAM(SECTIONS)
