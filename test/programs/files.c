/* files.c: files, pipes, clocks and limits, as a C library reaches them.
 *
 * Places      everything happens below a folder of its own in /tmp, removed at the end
 * Left out    what one machine and another may answer differently: inode numbers, times, block counts           */
#include "program.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>

static void *volatile nowhere = (void *)1;
static char root[] = "/tmp/faultline-files-XXXXXX";

static void enter(void) {
  memcpy(root + sizeof root - 7, "XXXXXX", 6);
  must(mkdtemp(root) != NULL && chdir(root) == 0, "a folder in /tmp");
}

static void leaveFolder(void) {
  say("folder removed %s", outcome(chdir("/") == 0 ? rmdir(root) : -1));
}

static void showFile(const char *name) {
  char text[200] = "";
  int fd = open(name, O_RDONLY);
  long n = read(fd, text, sizeof text - 1);
  say("%s: %s '%s'", name, outcome(n), text);
  close(fd);
}

static void transfers(void) {
  enter();
  int fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0640);
  say("exclusive again %s", outcome(open("a", O_RDWR | O_CREAT | O_EXCL, 0640)));
  say("write %ld", (long)write(fd, "hello world", 11));
  say("lseek %ld", (long)lseek(fd, -5, SEEK_CUR));
  char text[32] = "";
  say("read %ld", (long)read(fd, text, 31));
  say("is '%s'", text);
  say("then %ld", (long)read(fd, text, 31));
  say("pwrite %ld", (long)pwrite(fd, "HE", 2, 0));
  say("pread %ld", (long)pread(fd, text, 4, 1));
  text[4] = 0;
  say("is '%s', offset still %ld", text, (long)lseek(fd, 0, SEEK_CUR));
  struct iovec out[3] = {{"one ", 4}, {"", 0}, {"two", 3}};
  say("writev %ld", (long)writev(fd, out, 3));
  char first[6] = "", rest[40] = "";
  struct iovec in[2] = {{first, 5}, {rest, 39}};
  lseek(fd, 0, SEEK_SET);
  say("readv %ld", (long)readv(fd, in, 2));
  say("is '%s' '%s'", first, rest);
  say("past the end %ld", (long)lseek(fd, 100, SEEK_SET));
  say("write there %ld", (long)write(fd, "!", 1));
  say("hole %ld", (long)pread(fd, text, 10, 50));
  say("zero %d", text[0] == 0 && text[9] == 0);
  say("end %ld", (long)lseek(fd, 0, SEEK_END));
  say("negative %s", outcome(lseek(fd, -200, SEEK_CUR)));
  say("bad whence %s", outcome(lseek(fd, 0, 99)));
  say("truncate %s", outcome(ftruncate(fd, 5)));
  say("close %s", outcome(close(fd)));
  say("close again %s", outcome(close(fd)));
  say("read closed %s", outcome(read(fd, text, 1)));
  showFile("a");
  fd = open("a", O_WRONLY | O_APPEND);
  lseek(fd, 0, SEEK_SET);
  say("append %ld", (long)write(fd, "++", 2));
  say("read what is only for writing %s", outcome(read(fd, text, 1)));
  close(fd);
  showFile("a");
  fd = open("a", O_RDONLY);
  say("write what is only for reading %s", outcome(write(fd, "x", 1)));
  say("bad buffer %s", outcome(read(fd, nowhere, 5)));
  say("read nothing %ld", (long)read(fd, text, 0));
  close(fd);
  fd = open("a", O_WRONLY | O_TRUNC);
  close(fd);
  showFile("a");
  say("unlink %s", outcome(unlink("a")));
  leaveFolder();
}

static void names(void) {
  struct stat st;
  char path[200] = "";
  enter();
  say("missing %s", outcome(open("missing", O_RDONLY)));
  say("mkdir %s", outcome(mkdir("d", 0755)));
  say("again %s", outcome(mkdir("d", 0755)));
  close(open("d/f", O_WRONLY | O_CREAT, 0600));
  say("open a file as a folder %s", outcome(open("d/f/g", O_RDONLY)));
  say("write a folder %s", outcome(open("d", O_WRONLY)));
  say("O_DIRECTORY %s", outcome(open("d/f", O_RDONLY | O_DIRECTORY)));
  say("symlink %s", outcome(symlink("d/f", "link")));
  say("readlink %ld", (long)readlink("link", path, sizeof path));
  say("is '%s'", path);
  say("readlink of a file %s", outcome(readlink("d/f", path, sizeof path)));
  say("O_NOFOLLOW %s", outcome(open("link", O_RDONLY | O_NOFOLLOW)));
  lstat("link", &st);
  say("lstat: link %d, size %ld", S_ISLNK(st.st_mode), (long)st.st_size);
  stat("link", &st);
  say("stat: file %d, mode %o, links %d, size %ld", S_ISREG(st.st_mode), st.st_mode & 0777, (int)st.st_nlink,
      (long)st.st_size);
  symlink("loop", "loop");
  say("loop %s", outcome(open("loop", O_RDONLY)));
  say("hard link %s", outcome(link("d/f", "hard")));
  stat("hard", &st);
  say("links %d", (int)st.st_nlink);
  int dir = open("d", O_RDONLY | O_DIRECTORY);
  say("fstatat %s", outcome(fstatat(dir, "f", &st, 0)));
  say("fstatat missing %s", outcome(fstatat(dir, "x", &st, 0)));
  say("fstatat empty path %s", outcome(fstatat(dir, "", &st, AT_EMPTY_PATH)));
  say("a folder %d", S_ISDIR(st.st_mode));
  say("rename %s", outcome(renameat(AT_FDCWD, "hard", dir, "g")));
  say("no replacing %s", outcome(renameat2(dir, "f", dir, "g", RENAME_NOREPLACE)));
  say("rename over itself %s", outcome(renameat2(dir, "f", dir, "g", 0)));
  say("rename a folder into itself %s", outcome(rename("d", "d/sub")));
  say("rmdir not empty %s", outcome(rmdir("d")));
  say("unlink a folder %s", outcome(unlink("d") == -1 ? -1 : 0));
  say("unlinkat %s", outcome(unlinkat(dir, "g", 0)));
  say("access %s, missing %s", outcome(access("d/f", R_OK | W_OK)), outcome(access("d/g", F_OK)));
  say("chmod %s", outcome(chmod("d/f", 0400)));
  stat("d/f", &st);
  say("mode %o", st.st_mode & 0777);
  say("unlinkat %s", outcome(unlinkat(dir, "f", 0)));
  close(dir);
  DIR *listing = opendir(".");
  int count = 0;
  for (struct dirent *e; (e = readdir(listing));) count++;
  closedir(listing);
  say("entries %d", count);
  chdir("d");
  must(getcwd(path, sizeof path) != NULL, "getcwd");
  say("cwd %d", strncmp(path, root, strlen(root)) == 0 && strcmp(path + strlen(root), "/d") == 0);
  say("no room %s", getcwd(path, 3) ? "0" : errname(errno));
  chdir("..");
  for (int i = 0; i < 3; i++) {
    const char *rest[] = {"link", "loop", "d"};
    say("remove %s %s", rest[i], outcome(unlinkat(AT_FDCWD, rest[i], i == 2 ? AT_REMOVEDIR : 0)));
  }
  leaveFolder();
}

static void descriptors(void) {
  enter();
  int fd = open("a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  say("F_GETFD %d", fcntl(fd, F_GETFD));
  say("F_SETFD %s", outcome(fcntl(fd, F_SETFD, 0)));
  say("then %d", fcntl(fd, F_GETFD));
  say("F_GETFL %#o", fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
  fcntl(fd, F_SETFL, O_APPEND);
  say("F_SETFL, then append %d", (fcntl(fd, F_GETFL) & O_APPEND) != 0);
  int copy = fcntl(fd, F_DUPFD, 100);
  say("F_DUPFD %d", copy);
  must(write(fd, "abc", 3) == 3, "write");
  say("one offset %ld", (long)lseek(copy, 0, SEEK_CUR));
  say("dup2 %d, dup3 onto itself %s", dup2(copy, 90), outcome(dup3(copy, copy, 0)));
  int waiting = -1;
  lseek(fd, 1, SEEK_SET);
  say("FIONREAD %s", outcome(ioctl(fd, FIONREAD, &waiting)));
  say("waiting %d", waiting);
  struct winsize size;
  say("TIOCGWINSZ of a file %s", outcome(ioctl(fd, TIOCGWINSZ, &size)));
  say("isatty %d", isatty(fd));
  say("because %s", errname(errno));
  say("bad descriptor %s", outcome(fcntl(1000, F_GETFL)));
  close(fd);
  close(copy);
  close(90);
  unlink("a");
  leaveFolder();
}

static int ends[2];
static long received;

static void *drain(void *arg) {
  unsigned char block[3000];
  unsigned hash = 2166136261u;
  long n;
  while ((n = read(ends[0], block, sizeof block)) > 0) {
    for (long i = 0; i < n; i++) hash = (hash ^ block[i]) * 16777619u;
    received += n;
  }
  return (void *)(uintptr_t)hash;
  (void)arg;
}

static void pipes(void) {
  must(pipe(ends) == 0, "pipe");
  pthread_t reader = begin(drain, NULL);
  unsigned char block[7777];
  unsigned hash = 2166136261u;
  for (int i = 0; i < 60; i++) {
    for (int j = 0; j < COUNT(block); j++) {
      block[j] = (unsigned char)(i * j + i);
      hash = (hash ^ block[j]) * 16777619u;
    }
    must(write(ends[1], block, sizeof block) == sizeof block, "a blocking write is whole");
  }
  close(ends[1]);
  say("same %d", (unsigned)(uintptr_t)finish(reader) == hash);
  say("bytes %ld", received);
  close(ends[0]);
  must(pipe2(ends, O_NONBLOCK) == 0, "pipe2");
  char byte;
  say("empty %s", outcome(read(ends[0], &byte, 1)));
  struct pollfd polled[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
  int ready = poll(polled, 2, 0);
  say("poll %d: %x %x", ready, polled[0].revents, polled[1].revents);
  long total = 0;
  for (long n; (n = write(ends[1], block, sizeof block)) > 0;) total += n;
  say("full %s, after a page at least %d", errname(errno), total >= 4096);
  polled[0].revents = polled[1].revents = 0;
  ready = poll(polled, 2, 0);
  say("poll %d: %x %x", ready, polled[0].revents, polled[1].revents);
  say("seek %s", outcome(lseek(ends[0], 0, SEEK_SET)));
  close(ends[1]);
  ready = poll(polled, 1, 0);
  say("poll closed %d: %x", ready, polled[0].revents);
  close(ends[0]);
}

static volatile int broken;

static void onBroken(int signal) {
  broken += signal == SIGPIPE;
}

/* Whatever writes to a pipe that nobody reads gets SIGPIPE with its EPIPE. */
static void brokenPipe(void) {
  enter();
  int fd = open("a", O_RDWR | O_CREAT, 0600);
  must(fd >= 0 && write(fd, "abc", 3) == 3 && pipe(ends) == 0, "pipe");
  signal(SIGPIPE, onBroken);
  close(ends[0]);
  off_t at = 0;
  long sent = write(ends[1], "x", 1);
  say("write %s, signals %d", outcome(sent), broken);
  sent = writev(ends[1], &(struct iovec){"x", 1}, 1);
  say("writev %s, signals %d", outcome(sent), broken);
  sent = sendfile(ends[1], fd, &at, 3);
  say("sendfile %s, signals %d, at %ld", outcome(sent), broken, (long)at);
  sent = sendfile(ends[1], fd, &at, 0);
  say("of nothing %s, signals %d", outcome(sent), broken);
  signal(SIGPIPE, SIG_DFL);
  close(ends[1]), close(fd);
  unlink("a");
  leaveFolder();
}

static long inPipe(void) {
  int waiting = -1;
  must(ioctl(ends[0], FIONREAD, &waiting) == 0, "FIONREAD");
  return waiting;
}

/* A read into memory that ends too soon: what is not received stays in the pipe, a page of it at a time. */
static void pipeFaults(void) {
  unsigned char *good = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(good != MAP_FAILED && munmap(good + 3 * 4096, 4096) == 0 && pipe2(ends, O_NONBLOCK) == 0, "pipe2");
  unsigned char *end = good + 3 * 4096, byte, block[10000];
  for (int i = 0; i < COUNT(block); i++) block[i] = (unsigned char)(i * 7 + i / 256);
  must(write(ends[1], block, 10) == 10 && read(ends[0], good, 4) == 4, "a few bytes");
  say("nowhere %s", outcome(read(ends[0], nowhere, 6)));
  say("half %s", outcome(read(ends[0], end - 3, 6)));
  say("still %ld", inPipe());
  long got = read(ends[0], end - 6, 100);
  say("just %ld, right %d", got, memcmp(end - 6, block + 4, 6) == 0);
  say("then %s", outcome(read(ends[0], nowhere, 1)));
  must(write(ends[1], block, sizeof block) == sizeof block, "three pages");
  struct iovec parts[2] = {{good, 5000}, {nowhere, 3000}};
  got = readv(ends[0], parts, 2);
  say("vector %ld, still %ld, right %d", got, inPipe(), memcmp(good, block, 4096) == 0);
  got = read(ends[0], end - 4200, 5904);
  say("a page and more %ld, right %d", got, memcmp(end - 4200, block + 4096, 4096) == 0);
  got = read(ends[0], good, 5904);
  say("the rest %ld, right %d", got, memcmp(good, block + 8192, 1808) == 0);
  long filled = 0;
  for (int i = 0; i < 16; i++) filled += write(ends[1], block, 3000);
  say("sixteen pages hold %ld, then %s", filled, outcome(write(ends[1], block, 3000)));
  say("what fits the last %ld", (long)write(ends[1], block, 1096));
  say("what does not %s", outcome(write(ends[1], block, 1)));
  must(read(ends[0], &byte, 1) == 1, "read");
  say("no page is free %s", outcome(write(ends[1], block, 1)));
  close(ends[0]), close(ends[1]);
  munmap(good, 3 * 4096);
}

static void streams(void) {
  enter();
  FILE *file = fopen("s", "w+");
  for (int i = 0; i < 20000; i++) fprintf(file, "%d:%x\n", i, i * 7);
  say("size %ld", ftell(file));
  rewind(file);
  long sum = 0;
  int number, hex, lines = 0;
  while (fscanf(file, "%d:%x\n", &number, &hex) == 2) sum += number + hex, lines++;
  say("lines %d sum %ld, end %d", lines, sum, feof(file) != 0);
  fseek(file, 10, SEEK_SET);
  char line[40];
  say("line '%.4s'", fgets(line, sizeof line, file));
  fclose(file);
  unlink("s");
  char *buffer = NULL;
  size_t size = 0;
  file = open_memstream(&buffer, &size);
  fprintf(file, "%s %5.2f %-4d|", "in memory", 3.14159, 42);
  fclose(file);
  say("%s %zu", buffer, size);
  free(buffer);
  for (int i = 0; i < 4000; i++) printf("line %d of a large output, long enough to fill buffers\n", i);
  leaveFolder();
}

static void machine(void) {
  struct utsname names;
  unsigned char random[64] = {0}, others[64] = {0};
  uname(&names);
  say("sysname %s", names.sysname);
  say("getrandom %ld", (long)getrandom(random, 64, 0));
  say("getrandom %ld", (long)getrandom(others, 64, GRND_NONBLOCK));
  say("different %d", memcmp(random, others, 64) != 0);
  say("bad flag %s", outcome(getrandom(random, 1, 0x100)));
  clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
  for (int i = 0; i < COUNT(clocks); i++) {
    int backwards = 0;
    int64_t last = nowOn(clocks[i]);
    for (int j = 0; j < 300; j++) {
      int64_t now = nowOn(clocks[i]);
      backwards += now < last;
      last = now;
    }
    say("clock %d: backwards %d", (int)clocks[i], backwards);
  }
  say("bad clock %s", outcome(clock_gettime(77, &(struct timespec){0})));
  int64_t before = nowOn(CLOCK_MONOTONIC);
  say("nanosleep %s", outcome(nanosleep(&(struct timespec){.tv_nsec = 12 * MS}, NULL)));
  say("long enough %d", nowOn(CLOCK_MONOTONIC) - before >= 12 * MS);
  say("bad nanoseconds %s", outcome(nanosleep(&(struct timespec){0, 1000000000}, NULL)));
  struct timespec until = after(CLOCK_REALTIME, 5 * MS);
  int slept = clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL);
  say("until %s, past it %d", errname(slept), nowOn(CLOCK_REALTIME) >= until.tv_sec * 1000000000LL + until.tv_nsec);
  struct rlimit limit;
  say("RLIMIT_STACK %s", outcome(prlimit(0, RLIMIT_STACK, NULL, &limit)));
  say("at least 1 MiB %d", limit.rlim_cur >= 1 << 20);
  say("RLIMIT_NOFILE %s", outcome(getrlimit(RLIMIT_NOFILE, &limit)));
  say("at least 64 %d", limit.rlim_cur >= 64);
  say("bad limit %s", outcome(getrlimit(99, &limit)));
  cpu_set_t set;
  say("affinity %s", outcome(sched_getaffinity(0, sizeof set, &set)));
  say("some %d", CPU_COUNT(&set) > 0);
  say("processors %d", sysconf(_SC_NPROCESSORS_ONLN) > 0);
  say("page %ld", sysconf(_SC_PAGESIZE));
  say("ids alike %d %d", getuid() == geteuid(), getgid() == getegid());
  say("main thread %d", getpid() == gettid());
}

static const struct section SECTIONS[] = {
    {"transfers", transfers}, {"names", names},     {"descriptors", descriptors},
    {"pipes", pipes},         {"pipeFaults", pipeFaults}, {"brokenPipe", brokenPipe}, {"streams", streams}, {"machine", machine},
};
PROGRAM(SECTIONS)
