/* Processes: fork, exit, wait, kill, groups, sessions, orphans. */
#include "program.h"
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* What a wait status says. */
static void sayStatus(const char *what, int status) {
  if (WIFEXITED(status)) say("%s: exited %d", what, WEXITSTATUS(status));
  else if (WIFSIGNALED(status)) say("%s: killed by %s", what, sigabbrev_np(WTERMSIG(status)));
  else say("%s: status %x", what, status);
}

static pid_t start(void (*run)(void *), void *arg) {
  fflush(stdout);
  pid_t pid = fork();
  must(pid >= 0, "fork");
  if (pid == 0) {
    run(arg);
    fflush(stdout);
    _exit(0);
  }
  return pid;
}

static int ended(pid_t pid) {
  int status = -1;
  must(waitpid(pid, &status, 0) == pid, "waitpid");
  return status;
}

static void exits(void *code) {
  _exit((int)(intptr_t)code);
}

static void sleeps(void *unused) {
  (void)unused;
  for (;;) pause();
}

static void raises(void *signal) {
  raise((int)(intptr_t)signal);
}

static void codes(void) {
  intptr_t all[] = {0, 1, 42, 255, 256, 300, -1};
  for (int i = 0; i < COUNT(all); i++) sayStatus("child", ended(start(exits, (void *)all[i])));
  int signals[] = {SIGTERM, SIGKILL, SIGINT, SIGUSR1, SIGALRM, SIGPIPE, SIGRTMIN};
  for (int i = 0; i < COUNT(signals); i++) {
    int status = ended(start(raises, (void *)(intptr_t)signals[i]));
    say("%d: %d %d", i, WIFSIGNALED(status), WTERMSIG(status) == signals[i]);
  }
}

static void copies(void) {
  static int global = 1;
  int local = 2;
  int *heap = malloc(sizeof *heap);
  int *mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *heap = 3;
  *mapped = 4;
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    say("child sees %d %d %d %d %d", global, local, *heap, *mapped, mapped[1024]);
    global = local = *heap = *mapped = mapped[1024] = 9;
    say("and writes %d %d %d %d %d", global, local, *heap, *mapped, mapped[1024]);
    fflush(stdout);
    _exit(7);
  }
  int status = ended(pid);
  sayStatus("child", status);
  say("parent sees %d %d %d %d %d", global, local, *heap, *mapped, mapped[1024]);
  free(heap);
  munmap(mapped, 8192);
}

/* Each generation adds one and tells its parent by its status. */
static void generations(void) {
  int depth = 0;
  fflush(stdout);
  pid_t pid;
  while (depth < 8 && (pid = fork()) == 0) depth++;
  if (depth == 8) _exit(1);
  int code = WEXITSTATUS(ended(pid)) + 1;
  if (depth > 0) _exit(code);
  say("%d generations", code);
}

static void many(void) {
  enum { CHILDREN = 24 };
  int sum = 0, seen = 0;
  fflush(stdout);
  for (int i = 0; i < CHILDREN; i++) start(exits, (void *)(intptr_t)i);
  int status;
  while (wait(&status) > 0) {
    sum += WEXITSTATUS(status);
    seen++;
  }
  say("%d children, sum %d, then %s", seen, sum, errname(errno));
}

static void waits(void) {
  int status = 0;
  say("no child: %s", outcome(wait(&status)));
  say("unknown options: %s", outcome(waitpid(-1, &status, 0x10)));
  pid_t sleeper = start(sleeps, NULL);
  say("not a child: %s", outcome(waitpid(getpid(), &status, 0)));
  say("a group without members: %s", outcome(waitpid(-999999, &status, WNOHANG)));
  say("still running: %d", (int)waitpid(sleeper, &status, WNOHANG));
  say("any, still running: %d", (int)waitpid(-1, &status, WNOHANG));
  say("own group, still running: %d", (int)waitpid(0, &status, WNOHANG));
  say("wrong kind: %s", outcome(waitpid(sleeper, &status, WNOHANG | __WCLONE)));
  say("every kind: %d", (int)waitpid(sleeper, &status, WNOHANG | __WALL));
  kill(sleeper, SIGTERM);
  say("after the signal: %d", waitpid(sleeper, &status, 0) == sleeper);
  sayStatus("sleeper", status);
  say("again: %s", outcome(waitpid(sleeper, &status, 0)));
  pid_t pid = start(exits, (void *)5);
  struct rusage usage = {.ru_maxrss = -1};
  say("usage: %d", wait4(pid, NULL, 0, &usage) == pid);
  say("sensible times: %d", usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 60);
  pid = start(exits, (void *)6);
  say("bad address: %s", outcome(syscall(SYS_wait4, pid, (void *)16, 0, NULL)));
}

static void sayInfo(const char *what, long result, const siginfo_t *info, pid_t pid) {
  say("%s: %s signal %d code %d status %d pid %d", what, outcome(result), info->si_signo, info->si_code,
      info->si_status, info->si_pid == pid);
}

static void waitIds(void) {
  siginfo_t info;
  say("no kind: %s", outcome(waitid(P_ALL, 0, &info, 0)));
  say("unknown kind: %s", outcome(waitid((idtype_t)77, 0, &info, WEXITED)));
  say("unknown option: %s", outcome(waitid(P_ALL, 0, &info, WEXITED | 0x10)));
  say("pid 0: %s", outcome(waitid(P_PID, 0, &info, WEXITED)));
  say("no child: %s", outcome(waitid(P_ALL, 0, &info, WEXITED)));
  pid_t pid = start(exits, (void *)33);
  memset(&info, 7, sizeof info);
  sayInfo("looked at", waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), &info, pid);
  sayInfo("again", waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), &info, pid);
  sayInfo("taken", waitid(P_PGID, (id_t)getpgrp(), &info, WEXITED), &info, pid);
  say("gone: %s", outcome(waitid(P_PID, (id_t)pid, &info, WEXITED)));
  pid = start(sleeps, NULL);
  memset(&info, 7, sizeof info);
  sayInfo("not yet", waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), &info, 0);
  kill(pid, SIGKILL);
  sayInfo("killed", waitid(P_PID, (id_t)pid, &info, WEXITED), &info, pid);
  pid = start(exits, (void *)1);
  say("without info: %s", outcome(waitid(P_PID, (id_t)pid, NULL, WEXITED)));
}

/* pidfd_open(2), pidfd_send_signal(2), waitid(P_PIDFD). */
static void byDescriptor(void) {
  siginfo_t info;
  pid_t pid = start(sleeps, NULL);
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  say("opened %d, closed on exec %d", fd >= 0, fcntl(fd, F_GETFD));
  struct pollfd polled = {fd, POLLIN, 0};
  say("lives: %d", poll(&polled, 1, 0));
  say("signal 0: %s", outcome(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0)));
  say("no signal: %s", outcome(syscall(SYS_pidfd_send_signal, fd, 100, NULL, 0)));
  say("flags: %s", outcome(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 8)));
  say("no descriptor: %s", outcome(syscall(SYS_pidfd_send_signal, -1, 0, NULL, 0)));
  say("of another kind: %s", outcome(syscall(SYS_pidfd_send_signal, 0, 0, NULL, 0)));
  memset(&info, 0, sizeof info);
  info.si_signo = SIGUSR1;
  info.si_code = SI_QUEUE;
  say("another's information: %s", outcome(syscall(SYS_pidfd_send_signal, fd, SIGTERM, &info, 0)));
  char byte;
  say("read: %s", outcome(read(fd, &byte, 1)));
  memset(&info, 7, sizeof info);
  sayInfo("not yet", waitid((idtype_t)3, (id_t)fd, &info, WEXITED | WNOHANG), &info, 0);
  say("killed: %s", outcome(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0)));
  int ready = poll(&polled, 1, -1);
  say("ended: %d %d", ready, (polled.revents & POLLIN) != 0);
  sayInfo("taken", waitid((idtype_t)3, (id_t)fd, &info, WEXITED), &info, pid);
  say("gone: %s", outcome(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0)));
  say("no child: %s", outcome(waitid((idtype_t)3, (id_t)fd, &info, WEXITED)));
  close(fd);
  say("no such process: %s", outcome(syscall(SYS_pidfd_open, pid, 0)));
}

static volatile sig_atomic_t told;
static siginfo_t tellsOf;

static void onChild(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  tellsOf = *info;
  told++;
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, NULL);
}

static void waitTold(int count) {
  while (told < count) pause1ms();
}

static void children(void) {
  told = 0;
  handle(SIGCHLD, onChild, 0);
  pid_t pid = start(exits, (void *)12);
  waitTold(1);
  say("exit: code %d status %d pid %d uid %d", tellsOf.si_code, tellsOf.si_status, tellsOf.si_pid == pid,
      tellsOf.si_uid == getuid());
  sayStatus("waited", ended(pid));
  pid = start(sleeps, NULL);
  kill(pid, SIGUSR2);
  waitTold(2);
  say("kill: code %d status %d pid %d", tellsOf.si_code, tellsOf.si_status, tellsOf.si_pid == pid);
  sayStatus("waited", ended(pid));
  signal(SIGCHLD, SIG_IGN);
  pid = start(exits, (void *)1);
  int status;
  say("ignored: %s", outcome(waitpid(pid, &status, 0)));
  handle(SIGCHLD, onChild, SA_NOCLDWAIT);
  told = 0;
  pid = start(exits, (void *)1);
  waitTold(1);
  say("no zombies: %s, told %d", outcome(waitpid(pid, &status, 0)), told);
  signal(SIGCHLD, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, NULL);
  pid = start(exits, (void *)44);
  siginfo_t info;
  int signal = sigwaitinfo(&set, &info);
  say("waited for: %d code %d status %d pid %d", signal == SIGCHLD, info.si_code, info.si_status, info.si_pid == pid);
  sayStatus("child", ended(pid));
  sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static volatile int *handled;

static void onSignal(int signal) {
  (void)signal;
  (*handled)++;
}

/* As ended(), of a child that may still signal. */
static int endedAtLast(pid_t pid) {
  int status = -1;
  while (waitpid(pid, &status, 0) != pid) must(errno == EINTR, "waitpid");
  return status;
}

/* The child signals again and again, each time after the last was handled, so that some find the parent in its wait; it ends
 * once the parent says that one did, or after twenty. */
static void restartsWaits(void) {
  volatile int *board = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(board != MAP_FAILED, "mmap");
  handled = &board[0];
  volatile int *interrupted = &board[1];
  struct sigaction action = {.sa_handler = onSignal};
  for (int restart = 0; restart < 2; restart++) {
    action.sa_flags = restart ? SA_RESTART : 0;
    sigaction(SIGUSR1, &action, NULL);
    fflush(stdout);
    *handled = 0;
    pid_t pid = fork();
    if (pid == 0) {
      for (int sent = 0; restart ? sent < 20 : !*interrupted; sent++) {
        pause1ms();
        kill(getppid(), SIGUSR1);
        while (*handled <= sent) pause1ms();
      }
      _exit(3);
    }
    int status = 0;
    long result = waitpid(pid, &status, 0);
    say("%s: %s", restart ? "restarted" : "interrupted", outcome(result));
    *interrupted = 1;
    sayStatus("child", result == pid ? status : endedAtLast(pid));
    say("handled %d", restart ? *handled == 20 : *handled > 0);
  }
  munmap((void *)board, 4096);
}

static void pipes(void) {
  int down[2], up[2];
  must(pipe(down) == 0 && pipe(up) == 0, "pipe");
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    close(down[1]);
    close(up[0]);
    char c;
    int sum = 0;
    while (read(down[0], &c, 1) == 1) {
      sum += c;
      c++;
      if (write(up[1], &c, 1) != 1) _exit(1);
    }
    _exit(sum & 0xff);
  }
  close(down[0]);
  close(up[1]);
  char out[6] = "abcde", in[6] = "";
  must(write(down[1], out, 5) == 5, "write");
  for (int got = 0; got < 5;) got += (int)read(up[0], in + got, (size_t)(5 - got));
  say("%s", in);
  close(down[1]);
  say("end of file: %d", (int)read(up[0], in, 1));
  sayStatus("child", ended(pid));
  close(up[0]);
  must(pipe(up) == 0, "pipe");
  pid = fork();
  if (pid == 0) {
    close(up[0]);
    pause1ms();
    for (;;) must(write(up[1], out, 5) == 5, "write");
  }
  close(up[0]);
  close(up[1]);
  sayStatus("nobody reads", ended(pid));
}

/* The offset is the open file's, the descriptor and the working directory the process's. */
static void files(void) {
  char name[] = "/tmp/faultline-processes-XXXXXX";
  int fd = mkstemp(name);
  must(fd >= 0 && write(fd, "0123456789", 10) == 10 && lseek(fd, 0, SEEK_SET) == 0, "mkstemp");
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    char three[4] = "";
    must(read(fd, three, 3) == 3, "read");
    close(fd);
    must(chdir("/tmp") == 0, "chdir");
    umask(0);
    say("child read %s", three);
    fflush(stdout);
    _exit(0);
  }
  must(chdir("/") == 0, "chdir");
  umask(022);
  sayStatus("child", ended(pid));
  char cwd[64];
  say("offset %d, still open %s, in %s, umask %o", (int)lseek(fd, 0, SEEK_CUR), outcome(fcntl(fd, F_GETFD)),
      getcwd(cwd, sizeof cwd), umask(022));
  close(fd);
  unlink(name);
}

static void kills(void) {
  say("nobody: %s", outcome(kill(999999, 0)));
  say("bad signal: %s", outcome(kill(getpid(), 65)));
  say("itself: %s", outcome(kill(getpid(), 0)));
  say("group of nobody: %s", outcome(kill(-999999, SIGTERM)));
  pid_t pid = start(sleeps, NULL);
  say("child: %s", outcome(kill(pid, 0)));
  kill(pid, SIGTERM);
  siginfo_t info;
  waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
  say("zombie: %s", outcome(kill(pid, 0)));
  say("killed again: %s", outcome(kill(pid, SIGKILL)));
  sayStatus("child", ended(pid));
  say("gone: %s", outcome(kill(pid, 0)));
  say("tgkill across: %s", outcome(syscall(SYS_tgkill, getpid(), pid, 0)));
  union sigval value = {.sival_int = 1};
  say("queue to nobody: %s", outcome(sigqueue(pid, SIGUSR1, value)));
}

/* A child that blocks a signal gets it with what its sender says. */
static void queues(void) {
  int ready[2];
  must(pipe(ready) == 0, "pipe");
  fflush(stdout);
  pid_t parent = getpid(), pid = fork();
  if (pid == 0) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    must(write(ready[1], "r", 1) == 1, "write");
    for (int i = 0; i < 3; i++) {
      siginfo_t info;
      sigwaitinfo(&set, &info);
      say("%d from parent %d: %d", info.si_code == SI_QUEUE, info.si_pid == parent, info.si_value.sival_int);
    }
    fflush(stdout);
    _exit(0);
  }
  char c;
  must(read(ready[0], &c, 1) == 1, "read");
  for (int i = 0; i < 3; i++) {
    union sigval value = {.sival_int = 100 + i};
    must(sigqueue(pid, SIGRTMIN + 1, value) == 0, "sigqueue");
  }
  sayStatus("child", ended(pid));
  close(ready[0]);
  close(ready[1]);
}

static const char *procPath(pid_t pid, const char *name) {
  static char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return path;
}

static void showProc(pid_t pid, const char *name) {
  char text[4096] = "";
  int fd = open(procPath(pid, name), O_RDONLY);
  long n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  say("%s: %s, %d bytes", name, outcome(n), strcmp(name, "status") == 0 || strcmp(name, "stat") == 0 ? n > 0 : (int)n);
  if (strcmp(name, "comm") == 0 || strcmp(name, "statm") == 0) printf("%s", text);
  if (strcmp(name, "stat") == 0) say("state %c", strrchr(text, ')')[2]);
  const char *lines[] = {"\nState:", "\nUmask:", "\nVmSize:", "\nThreads:"};
  for (int i = 0; i < COUNT(lines) && strcmp(name, "status") == 0; i++) {
    char *line = strstr(text, lines[i]);
    say("%s%.*s", lines[i] + 1, line ? (int)strcspn(line + strlen(lines[i]), "\n") : 7, line ? line + strlen(lines[i]) : " absent");
  }
  if (fd >= 0) close(fd);
}

static void listProc(pid_t pid, const char *name) {
  int entries = 0;
  DIR *folder = opendir(procPath(pid, name));
  must(folder != NULL, "opendir");
  for (struct dirent *entry; (entry = readdir(folder));)
    if (entry->d_name[0] != '.') entries += 1 + 100 * (atoi(entry->d_name) == pid);
  closedir(folder);
  say("%s: %d", name, entries);
}

static void endsNamed(void *unused) {
  (void)unused;
  prctl(PR_SET_NAME, "by its own name");
}

/* What /proc has of a process that has ended and was not waited for: its name, state and ids. */
static void zombies(void) {
  pid_t pid = start(endsNamed, NULL);
  siginfo_t info;
  must(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0, "waitid");
  const char *texts[] = {"comm", "stat", "status", "statm", "maps", "cmdline", "mem"};
  for (int i = 0; i < COUNT(texts); i++) showProc(pid, texts[i]);
  const char *links[] = {"exe", "cwd", "root", "fd/1"};
  char to[64];
  for (int i = 0; i < COUNT(links); i++) say("%s: %s", links[i], outcome(readlink(procPath(pid, links[i]), to, sizeof to)));
  listProc(pid, "fd");
  listProc(pid, "task");
  ended(pid);
  say("gone: %s", outcome(access(procPath(pid, "stat"), F_OK)));
}

static void leads(void *unused) {
  (void)unused;
  say("setpgid: %s", outcome(setpgid(0, 0)));
  say("leads its group: %d", getpgrp() == getpid());
  say("setsid as a leader: %s", outcome(setsid()));
}

static void settles(void *unused) {
  (void)unused;
  pid_t session = setsid();
  say("setsid: %d, group %d, session %d", session == getpid(), getpgrp() == getpid(), getsid(0) == getpid());
  say("setpgid of a session's leader: %s", outcome(setpgid(0, 0)));
  say("the parent's group is elsewhere: %s", outcome(setpgid(0, getpgid(getppid()))));
}

static void groups(void) {
  say("own group's id known: %d %d", getpgid(0) == getpgrp(), getpgid(getpid()) == getpgrp());
  say("nobody: %s", outcome(getpgid(999999)));
  say("nor a session: %s", outcome(getsid(999999)));
  say("negative: %s", outcome(setpgid(0, -1)));
  say("not a child: %s", outcome(setpgid(getppid(), 0)));
  pid_t pid = start(sleeps, NULL);
  say("inherited: %d %d", getpgid(pid) == getpgrp(), getsid(pid) == getsid(0));
  say("a group that is not there: %s", outcome(setpgid(pid, 999999)));
  say("a group of its own: %s", outcome(setpgid(pid, pid)));
  say("it is in it: %d", getpgid(pid) == pid);
  pid_t other = start(sleeps, NULL);
  say("beside it: %s", outcome(setpgid(other, pid)));
  say("it is there: %d", getpgid(other) == pid);
  int status;
  say("none of the own group: %s", outcome(waitpid(0, &status, WNOHANG)));
  say("of that group: %d", (int)waitpid(-pid, &status, WNOHANG));
  say("to the group: %s", outcome(kill(-pid, SIGTERM)));
  int both = 0;
  for (int i = 0; i < 2; i++) both += waitpid(-pid, &status, 0) > 0 && WTERMSIG(status) == SIGTERM;
  say("both ended: %d, then %s", both, outcome(kill(-pid, 0)));
  ended(start(leads, NULL));
  ended(start(settles, NULL));
}

/* The grandchild outlives its parent, and has another one then. */
static void orphans(void) {
  int up[2], down[2];
  must(pipe(up) == 0 && pipe(down) == 0, "pipe");
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    pid_t middle = getpid();
    if (fork() == 0) {
      char c;
      must(read(down[0], &c, 1) == 1, "read");
      char answer = getppid() == middle ? 'n' : 'y';
      must(write(up[1], &answer, 1) == 1, "write");
      _exit(0);
    }
    _exit(2);
  }
  sayStatus("the middle", ended(pid));
  char c = 'x';
  must(write(down[1], &c, 1) == 1 && read(up[0], &c, 1) == 1, "read");
  say("the orphan has another parent: %c", c);
  int status;
  say("which is not its grandparent: %s", outcome(waitpid(-1, &status, 0)));
  for (int i = 0; i < 2; i++) close(up[i]), close(down[i]);
}

static void *endsLate(void *unused) {
  (void)unused;
  for (int i = 0; i < 20; i++) pause1ms();
  return NULL;
}

static void *endsAll(void *unused) {
  (void)unused;
  exit(21);
}

static void *sleepsOn(void *unused) {
  for (;;) pause();
  return unused;
}

static void withThreads(void *kind) {
  pthread_t thread = begin(sleepsOn, NULL);
  (void)thread;
  switch ((intptr_t)kind) {
  case 0:
    begin(endsAll, NULL);
    for (;;) pause();
  case 1:
    _exit(22);
  case 2:
    begin(sleepsOn, NULL);
    kill(getpid(), SIGKILL);
    for (;;) pause();
  case 3:
    begin(sleepsOn, NULL);
    pthread_kill(thread, SIGTERM);
    for (;;) pause();
  }
}

static void lastThread(void *unused) {
  (void)unused;
  begin(endsLate, NULL);
  pthread_exit(NULL);
}

static void threads(void) {
  for (intptr_t kind = 0; kind < 4; kind++) sayStatus("child", ended(start(withThreads, (void *)kind)));
  sayStatus("its last thread ends", ended(start(lastThread, NULL)));
}

static void *forks(void *index) {
  int status = ended(start(exits, (void *)((intptr_t)index + 50)));
  return (void *)(intptr_t)(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void forksByThreads(void) {
  pthread_t all[4];
  for (intptr_t i = 0; i < 4; i++) all[i] = begin(forks, (void *)i);
  for (int i = 0; i < 4; i++) say("child of a thread: %d", (int)(intptr_t)finish(all[i]));
}

static void sharedMemory(void) {
  int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(shared != MAP_FAILED, "mmap");
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutex_t *mutex = (pthread_mutex_t *)(shared + 64);
  pthread_mutex_init(mutex, &attributes);
  fflush(stdout);
  for (int i = 0; i < 4; i++)
    if (fork() == 0) {
      for (int j = 0; j < 500; j++) {
        pthread_mutex_lock(mutex);
        int seen = *shared;
        if (j % 100 == 0) sched_yield();
        *shared = seen + 1;
        pthread_mutex_unlock(mutex);
      }
      _exit(0);
    }
  while (wait(NULL) > 0) {
  }
  say("counted %d", *shared);
  munmap(shared, 4096);
}

static void alarmed(void *unused) {
  (void)unused;
  struct itimerval left;
  getitimer(ITIMER_REAL, &left);
  say("not inherited: %d", left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0);
  alarm(0);
  fflush(stdout);
  struct itimerval soon = {.it_value = {.tv_usec = 20000}};
  setitimer(ITIMER_REAL, &soon, NULL);
  for (;;) pause();
}

static void alarms(void) {
  alarm(10000);
  sayStatus("child", ended(start(alarmed, NULL)));
  say("the parent's is still there: %d", alarm(0) > 5000);
}

/* What is pending is not inherited, what is blocked and handled is. */
static void inherits(void) {
  sigset_t set, pending, mask;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGUSR2, SIG_IGN);
  raise(SIGUSR1);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    sigpending(&pending);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    struct sigaction action;
    sigaction(SIGUSR2, NULL, &action);
    say("pending %d, blocked %d, ignored %d", sigismember(&pending, SIGUSR1), sigismember(&mask, SIGUSR1),
        action.sa_handler == SIG_IGN);
    signal(SIGUSR2, SIG_DFL);
    fflush(stdout);
    _exit(0);
  }
  sayStatus("child", ended(pid));
  struct sigaction action;
  sigaction(SIGUSR2, NULL, &action);
  sigpending(&pending);
  say("parent: pending %d, ignored %d", sigismember(&pending, SIGUSR1), action.sa_handler == SIG_IGN);
  int taken;
  sigwait(&set, &taken);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  signal(SIGUSR2, SIG_DFL);
}

static const struct section sections[] = {
    {"codes", codes},
    {"copies", copies},
    {"generations", generations},
    {"many", many},
    {"waits", waits},
    {"waitIds", waitIds},
    {"byDescriptor", byDescriptor},
    {"children", children},
    {"restartsWaits", restartsWaits},
    {"pipes", pipes},
    {"files", files},
    {"kills", kills},
    {"queues", queues},
    {"zombies", zombies},
    {"groups", groups},
    {"orphans", orphans},
    {"threads", threads},
    {"forksByThreads", forksByThreads},
    {"sharedMemory", sharedMemory},
    {"alarms", alarms},
    {"inherits", inherits},
};

PROGRAM(sections)
