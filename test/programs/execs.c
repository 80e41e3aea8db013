/* Executing programs, and the kinds of clone. Started as "execs is NAME ..." it is what its own sections execute.
 *
 * The program runs itself through /proc/self/exe: it need not know where it lies.                                  */
#include "program.h"
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#define SELF "/proc/self/exe"

extern char **environ;

static void sayStatus(const char *what, int status) {
  if (WIFEXITED(status)) say("%s: exited %d", what, WEXITSTATUS(status));
  else if (WIFSIGNALED(status)) say("%s: killed by %s", what, sigabbrev_np(WTERMSIG(status)));
  else say("%s: status %x", what, status);
}

static int ended(pid_t pid) {
  int status = -1;
  must(waitpid(pid, &status, 0) == pid, "waitpid");
  return status;
}

/* Executes this program as NAME in a child. */
static void run(const char *what, char *const argv[], char *const envp[]) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    execve(SELF, argv, envp);
    _exit(99);
  }
  sayStatus(what, ended(pid));
}

static void nothing(int signal) {
  (void)signal;
}

/* ------------------------------------------------------------------ what is executed */

static int isArguments(int argc, char **argv) {
  for (int i = 0; i < argc; i++) say("argument %d: %s", i, argv[i]);
  for (char **variable = environ; *variable; variable++) say("variable: %s", *variable);
  char name[16];
  prctl(PR_GET_NAME, name);
  say("called %s", name);
  return argc;
}

static int isSignals(void) {
  struct sigaction one, two;
  sigaction(SIGUSR1, NULL, &one);
  sigaction(SIGUSR2, NULL, &two);
  sigset_t mask, pending;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  sigpending(&pending);
  say("handled: default %d; ignored: still %d", one.sa_handler == SIG_DFL, two.sa_handler == SIG_IGN);
  say("blocked: %d; pending: %d", sigismember(&mask, SIGTERM), sigismember(&pending, SIGTERM));
  stack_t stack;
  sigaltstack(NULL, &stack);
  say("alternate stack: %s", stack.ss_flags == SS_DISABLE ? "none" : "there");
  struct itimerval left;
  getitimer(ITIMER_REAL, &left);
  say("interval timer: %s", left.it_value.tv_sec > 50 ? "runs" : "gone");
  return 0;
}

static int isDescriptors(char **argv) {
  say("kept: %s; close-on-exec: %s", outcome(fcntl(atoi(argv[3]), F_GETFD)), outcome(fcntl(atoi(argv[4]), F_GETFD)));
  return 0;
}

static int isThreads(char **argv) {
  say("the process's id: %d, its thread's: %d", getpid() == atoi(argv[3]), gettid() == getpid());
  return 17;
}

#define LIMITED ((rlim_t)123 << 20)

static int isLimited(void) {
  char byte;
  struct rlimit limit;
  must(read(0, &byte, 1) == 1, "read");
  getrlimit(RLIMIT_DATA, &limit);
  return limit.rlim_cur == LIMITED && limit.rlim_max == 2 * LIMITED ? 0 : 1;
}

static void *waitsForNothing(void *unused) {
  for (;;) pause();
  return unused;
}

static int is(int argc, char **argv) {
  int result = 97;
  if (argc < 3) say("nothing");
  else if (strcmp(argv[2], "arguments") == 0) result = isArguments(argc, argv);
  else if (strcmp(argv[2], "signals") == 0) result = isSignals();
  else if (strcmp(argv[2], "descriptors") == 0) result = isDescriptors(argv);
  else if (strcmp(argv[2], "threads") == 0) result = isThreads(argv);
  else if (strcmp(argv[2], "limited") == 0) result = isLimited();
  else if (strcmp(argv[2], "sleeps") == 0) for (;;) pause();
  else result = isArguments(argc, argv);
  fflush(stdout);
  return result;
}

/* ------------------------------------------------------------------ execve */

static void arguments(void) {
  char *env[] = {"A=1", "EMPTY=", "B=two words", NULL};
  run("some", (char *[]){"name given", "is", "arguments", "", "x y", NULL}, env);
  run("no environment", (char *[]){"p", "is", "arguments", NULL}, NULL);
  run("none at all", (char *[]){NULL}, (char *[]){"ONLY=1", NULL});
}

static void inheritance(void) {
  char stack[16384];
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    signal(SIGUSR1, nothing);
    signal(SIGUSR2, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGTERM);
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_sec = 100}}, NULL);
    execve(SELF, (char *[]){"p", "is", "signals", NULL}, NULL);
    _exit(99);
  }
  sayStatus("child", ended(pid));
}

static void descriptors(void) {
  int kept = open("/dev/null", O_RDONLY), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
  char one[12], two[12];
  snprintf(one, sizeof one, "%d", kept);
  snprintf(two, sizeof two, "%d", closed);
  run("child", (char *[]){"p", "is", "descriptors", one, two, NULL}, NULL);
  say("here: %s", outcome(fcntl(closed, F_GETFD)));
  close(kept);
  close(closed);
}

static void *executes(void *pid) {
  execve(SELF, (char *[]){"p", "is", "threads", pid, NULL}, NULL);
  _exit(99);
  return NULL;
}

static void *sleepsOn(void *unused) {
  for (;;) pause();
  return unused;
}

/* Whoever executes, the process keeps its id and loses its other threads. */
static void threads(void) {
  for (int leader = 0; leader < 2; leader++) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
      char id[12];
      snprintf(id, sizeof id, "%d", getpid());
      for (int i = 0; i < 3; i++) begin(sleepsOn, NULL);
      if (leader) executes(id);
      begin(executes, id);
      for (;;) pause();
    }
    sayStatus(leader ? "the first thread" : "another thread", ended(pid));
  }
}

static int makeFile(const char *name, const char *text, mode_t mode) {
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) return -1;
  int ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0;
  close(fd);
  return ok ? 0 : -1;
}

static void errors(void) {
  char folder[] = "/tmp/faultline-execs-XXXXXX";
  must(mkdtemp(folder) && chdir(folder) == 0, "mkdtemp");
  char *argv[] = {"p", NULL};
  say("missing: %s", outcome(execve("missing", argv, NULL)));
  say("empty name: %s", outcome(execve("", argv, NULL)));
  say("a directory: %s", outcome(execve("/", argv, NULL)));
  must(makeFile("plain", "echo hello\n", 0600) == 0, "makeFile");
  say("not executable: %s", outcome(execve("plain", argv, NULL)));
  chmod("plain", 0700);
  say("no format: %s", outcome(execve("plain", argv, NULL)));
  must(makeFile("empty", "", 0700) == 0, "makeFile");
  say("nothing in it: %s", outcome(execve("empty", argv, NULL)));
  say("below a file: %s", outcome(execve("plain/x", argv, NULL)));
  must(makeFile("noInterpreter", "#!\n", 0700) == 0, "makeFile");
  say("no interpreter: %s", outcome(execve("noInterpreter", argv, NULL)));
  must(makeFile("missingInterpreter", "#!/nowhere/at/all\n", 0700) == 0, "makeFile");
  say("missing interpreter: %s", outcome(execve("missingInterpreter", argv, NULL)));
  must(makeFile("circle", "#!./circle\n", 0700) == 0, "makeFile");
  say("its own interpreter: %s", outcome(execve("circle", argv, NULL)));
  say("bad name: %s", outcome(execve((char *)16, argv, NULL)));
  say("bad vector: %s", outcome(execve("plain", (char **)16, NULL)));
  say("bad string: %s", outcome(execve("plain", (char *[]){(char *)16, NULL}, NULL)));
  char *longName = malloc(5000);
  memset(longName, 'x', 4999);
  longName[4999] = 0;
  say("long name: %s", outcome(execve(longName, argv, NULL)));
  longName[300] = 0;
  say("long last name: %s", outcome(execve(longName, argv, NULL)));
  char *huge = malloc(200000);
  memset(huge, 'y', 199999);
  huge[199999] = 0;
  say("long string: %s", outcome(execve(SELF, (char *[]){huge, NULL}, NULL)));
  enum { MANY = 3000 };
  char **strings = malloc((MANY + 1) * sizeof *strings);
  huge[1000] = 0;
  for (int i = 0; i < MANY; i++) strings[i] = huge;
  strings[MANY] = NULL;
  say("all too long: %s", outcome(execve(SELF, strings, NULL)));
  say("unknown flags: %s", outcome(syscall(SYS_execveat, AT_FDCWD, SELF, argv, NULL, 1)));
  say("bad descriptor: %s", outcome(syscall(SYS_execveat, 99, "plain", argv, NULL, 0)));
  say("itself, not at all: %s", outcome(syscall(SYS_execveat, 99, "", argv, NULL, AT_EMPTY_PATH)));
  say("a link, not followed: %s", outcome(syscall(SYS_execveat, AT_FDCWD, SELF, argv, NULL, AT_SYMLINK_NOFOLLOW)));
  const char *names[] = {"plain", "empty", "noInterpreter", "missingInterpreter", "circle"};
  for (int i = 0; i < COUNT(names); i++) unlink(names[i]);
  must(chdir("/") == 0 && rmdir(folder) == 0, "rmdir");
  free(longName);
  free(huge);
  free(strings);
}

static void scripts(void) {
  char folder[] = "/tmp/faultline-scripts-XXXXXX";
  must(mkdtemp(folder) && chdir(folder) == 0, "mkdtemp");
  const char *lines[] = {"#!" SELF " is\n", "#! \t" SELF "\t is \t\nrest\n", "#!./s0\n", "#!./s2", "#!" SELF};
  for (int i = 0; i < COUNT(lines); i++) {
    char name[3] = {'s', (char)('0' + i), 0};
    must(makeFile(name, lines[i], 0700) == 0, "makeFile");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
      execve(name, (char *[]){"lost", "arguments", "b c", NULL}, (char *[]){"V=1", NULL});
      say("%s", outcome(-1));
      fflush(stdout);
      _exit(99);
    }
    sayStatus(name, ended(pid));
  }
  int fd = open(SELF, O_RDONLY);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    syscall(SYS_execveat, fd, "", (char *[]){"p", "is", "threads", "0", NULL}, NULL, AT_EMPTY_PATH);
    _exit(99);
  }
  sayStatus("by descriptor", ended(pid));
  close(fd);
  for (int i = 0; i < COUNT(lines); i++) unlink((char[]){'s', (char)('0' + i), 0});
  must(chdir("/") == 0 && rmdir(folder) == 0, "rmdir");
}

static void spawns(void) {
  pid_t pid;
  char *argv[] = {"spawned", "is", "arguments", NULL};
  char *env[] = {"E=1", NULL};
  fflush(stdout);
  say("spawn: %s", errname(posix_spawn(&pid, SELF, NULL, NULL, argv, env)));
  sayStatus("child", ended(pid));
  say("missing: %s", errname(posix_spawn(&pid, "/nowhere", NULL, NULL, argv, env)));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  fflush(stdout);
  say("quiet: %s", errname(posix_spawn(&pid, SELF, &actions, &attributes, argv, env)));
  int status;
  say("in a group of its own: %d", waitpid(-pid, &status, 0) == pid);
  sayStatus("child", status);
}

/* ------------------------------------------------------------------ clone */

static volatile int shared;

static void vforks(void) {
  fflush(stdout);
  shared = 1;
  pid_t pid = vfork();
  if (pid == 0) {
    shared = 2;
    usleep(20000);
    shared = 3;
    _exit(4);
  }
  say("the parent waited, and sees %d", shared);
  sayStatus("child", ended(pid));
  pid = vfork();
  if (pid == 0) {
    execve("/nowhere", (char *[]){"p", NULL}, NULL);
    shared = errno;
    _exit(5);
  }
  say("what the child met: %s", errname(shared));
  sayStatus("child", ended(pid));
  pid = vfork();
  if (pid == 0) {
    execve(SELF, (char *[]){"p", "is", "sleeps", NULL}, NULL);
    _exit(99);
  }
  say("it runs on: %d", waitpid(pid, NULL, WNOHANG) == 0);
  kill(pid, SIGKILL);
  sayStatus("child", ended(pid));
}

static long rawClone(unsigned long flags, void *stack, int *parentTid, int *childTid) {
#if defined(__riscv)
  return syscall(SYS_clone, flags, stack, parentTid, NULL, childTid);
#else
  return syscall(SYS_clone, flags, stack, parentTid, childTid, NULL);
#endif
}

static void cloneErrors(void) {
  struct {
    const char *name;
    unsigned long flags;
  } all[] = {
      {"THREAD alone", CLONE_THREAD},
      {"THREAD with VM", CLONE_THREAD | CLONE_VM},
      {"SIGHAND alone", CLONE_SIGHAND},
      {"NEWNS with FS", CLONE_NEWNS | CLONE_FS},
      {"NEWUSER with FS", CLONE_NEWUSER | CLONE_FS},
      {"THREAD with NEWPID", CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWPID},
  };
  for (int i = 0; i < COUNT(all); i++) say("%s: %s", all[i].name, outcome(rawClone(all[i].flags, NULL, NULL, NULL)));
  struct clone_args args = {0};
  say("small: %s", outcome(syscall(SYS_clone3, &args, 32L)));
  say("large: %s", outcome(syscall(SYS_clone3, &args, 5000L)));
  char beyond[128] = {0};
  beyond[120] = 1;
  say("unknown field: %s", outcome(syscall(SYS_clone3, beyond, sizeof beyond)));
  say("bad address: %s", outcome(syscall(SYS_clone3, (void *)16, sizeof args)));
  args.exit_signal = 65;
  say("bad exit signal: %s", outcome(syscall(SYS_clone3, &args, sizeof args)));
  args = (struct clone_args){.stack = 4096};
  say("stack without a size: %s", outcome(syscall(SYS_clone3, &args, sizeof args)));
  args = (struct clone_args){.stack_size = 4096};
  say("size without a stack: %s", outcome(syscall(SYS_clone3, &args, sizeof args)));
  args = (struct clone_args){.flags = CLONE_SIGHAND | CLONE_VM | CLONE_CLEAR_SIGHAND};
  say("cleared and shared: %s", outcome(syscall(SYS_clone3, &args, sizeof args)));
  args = (struct clone_args){.flags = CLONE_DETACHED};
  say("detached: %s", outcome(syscall(SYS_clone3, &args, sizeof args)));
  args = (struct clone_args){.flags = CLONE_PARENT, .exit_signal = SIGCHLD};
  say("sibling with a signal: %s", outcome(syscall(SYS_clone3, &args, sizeof args)));
  args = (struct clone_args){.flags = 1ULL << 40};
  say("unknown flag: %s", outcome(syscall(SYS_clone3, &args, sizeof args)));
  args = (struct clone_args){.set_tid = 1};
  say("ids without a count: %s", outcome(syscall(SYS_clone3, &args, sizeof args)));
}

static char stack[65536] __attribute__((aligned(16)));

static int changes(void *fd) {
  shared = 77;
  close(*(int *)fd);
  if (chdir("/tmp") != 0) return 1;
  signal(SIGUSR1, SIG_IGN);
  return 9;
}

static void shares(const char *what, int flags) {
  shared = 0;
  int fd = open("/dev/null", O_RDONLY);
  must(chdir("/") == 0, "chdir");
  signal(SIGUSR1, SIG_DFL);
  pid_t pid = clone(changes, stack + sizeof stack, flags | SIGCHLD, &fd);
  must(pid > 0, "clone");
  sayStatus(what, ended(pid));
  char cwd[64];
  struct sigaction action;
  sigaction(SIGUSR1, NULL, &action);
  say("memory %d, descriptor %s, in %s, ignores %d", shared, outcome(fcntl(fd, F_GETFD)), getcwd(cwd, sizeof cwd),
      action.sa_handler == SIG_IGN);
  close(fd);
  must(chdir("/") == 0, "chdir");
  signal(SIGUSR1, SIG_DFL);
}

static void sharing(void) {
  shares("nothing", 0);
  shares("memory", CLONE_VM);
  shares("files", CLONE_FILES);
  shares("directory", CLONE_FS);
  shares("actions", CLONE_VM | CLONE_SIGHAND);
  shares("all", CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND);
}

static int exitsAt(void *code) {
  return (int)(intptr_t)code;
}

static int waitsForZero(void *unused) {
  (void)unused;
  return 6;
}

static void kinds(void) {
  int status;
  pid_t pid = clone(exitsAt, stack + sizeof stack, CLONE_VM, (void *)8);
  say("no exit signal: %s", outcome(waitpid(pid, &status, 0)));
  say("as a clone: %d", waitpid(pid, &status, __WCLONE) == pid);
  sayStatus("child", status);
  signal(SIGUSR2, SIG_IGN);
  pid = clone(exitsAt, stack + sizeof stack, CLONE_VM | SIGUSR2, (void *)8);
  say("another signal: %d", waitpid(pid, &status, __WALL) == pid);
  signal(SIGUSR2, SIG_DFL);
  int parentTid = -1, childTid = -1;
  pid = clone(waitsForZero, stack + sizeof stack, CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, NULL,
              &parentTid, NULL, &childTid);
  sayStatus("child", ended(pid));
  say("told the parent %d, cleared %d", parentTid == pid, childTid);
  fflush(stdout);
  childTid = -1;
  pid = (pid_t)rawClone(CLONE_CHILD_SETTID | SIGCHLD, NULL, NULL, &childTid);
  if (pid == 0) _exit(childTid == getpid() ? 1 : 2);
  sayStatus("told the child", ended(pid));
  say("and not the parent: %d", childTid);
  fflush(stdout);
  pid = fork();
  if (pid == 0) {
    pid_t sibling = (pid_t)rawClone(CLONE_PARENT | SIGCHLD, NULL, NULL, NULL);
    if (sibling == 0) _exit(31);
    _exit(waitpid(sibling, NULL, 0) < 0 ? 30 : 29);
  }
  int sum = 0;
  for (int i = 0; i < 2; i++) sum += wait(&status) > 0 ? WEXITSTATUS(status) : 0;
  say("child and sibling: %d", sum);
  struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
  signal(SIGUSR1, nothing);
  signal(SIGUSR2, SIG_IGN);
  fflush(stdout);
  pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) {
    struct sigaction one, two;
    sigaction(SIGUSR1, NULL, &one);
    sigaction(SIGUSR2, NULL, &two);
    _exit((one.sa_handler == SIG_DFL) + 2 * (two.sa_handler == SIG_IGN));
  }
  sayStatus("cleared handlers", ended(pid));
  signal(SIGUSR1, SIG_DFL);
  signal(SIGUSR2, SIG_DFL);
}

/* A limit that is set while the process executes a program is the program's: its threads take a while to end. */
static void limits(void) {
  int kept = 0, rounds = 60;
  for (int i = 0; i < rounds; i++) {
    int go[2], ready[2];
    must(pipe(go) == 0 && pipe(ready) == 0, "pipe");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
      dup2(go[0], 0), close(go[1]);
      for (int k = 0; k < 6; k++) begin(waitsForNothing, NULL);
      must(write(ready[1], "r", 1) == 1, "write");
      execve(SELF, (char *[]){"p", "is", "limited", NULL}, NULL);
      _exit(99);
    }
    char byte;
    must(read(ready[0], &byte, 1) == 1, "read");
    usleep((useconds_t)(i * 97 % 2000));
    struct rlimit limit = {LIMITED, 2 * LIMITED}, before;
    must(prlimit(pid, RLIMIT_DATA, &limit, &before) == 0 && before.rlim_cur != LIMITED, "prlimit");
    must(write(go[1], "g", 1) == 1, "write");
    kept += ended(pid) == 0;
    close(go[0]), close(go[1]), close(ready[0]), close(ready[1]);
  }
  say("kept: %d of %d", kept, rounds);
}

/* ------------------------------------------------------------------ pidfds */

static int pidfdOf(pid_t id, unsigned flags) {
  return (int)syscall(SYS_pidfd_open, id, flags);
}

static long sends(int fd, int signal, unsigned flags) {
  return syscall(SYS_pidfd_send_signal, fd, signal, NULL, flags);
}

static void sayPolled(const char *what, int fd) {
  struct pollfd polled = {fd, POLLIN, 0};
  int ready = poll(&polled, 1, 0);
  say("%s: %d, readable %d, hung up %d", what, ready, (polled.revents & POLLIN) != 0, (polled.revents & POLLHUP) != 0);
}

static volatile pid_t threadId, gotIn;
static int gate[2];

static void gotSignal(int signal, siginfo_t *info, void *context) {
  (void)context;
  if (signal == SIGUSR1 && info->si_code == SI_TKILL) gotIn = gettid();
}

static void *waitsAtGate(void *unused) {
  char byte;
  threadId = gettid();
  while (read(gate[0], &byte, 1) != 1) {
  }
  return unused;
}

/* Of one thread: it alone gets the signal, and its end is the descriptor's. */
static void pidfdOfThread(void) {
  must(pipe(gate) == 0, "pipe");
  threadId = gotIn = 0;
  pthread_t thread = begin(waitsAtGate, NULL);
  while (threadId == 0) usleep(1000);
  say("not a process: %d", pidfdOf(threadId, 0) == -1);
  say("nobody: %s", outcome(pidfdOf(99999999, O_EXCL)));
  int fd = pidfdOf(threadId, O_EXCL), own = pidfdOf(getpid(), O_EXCL), process = pidfdOf(getpid(), 0);
  say("kinds: %o %o %o", fcntl(fd, F_GETFL), fcntl(own, F_GETFL), fcntl(process, F_GETFL));
  sayPolled("runs", fd);
  siginfo_t info;
  say("nobody's child: %s", outcome(waitid((idtype_t)3, (id_t)fd, &info, WEXITED | WNOHANG)));
  struct sigaction action = {.sa_sigaction = gotSignal, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  say("signal: %s", outcome(sends(fd, SIGUSR1, 0)));
  while (gotIn == 0) usleep(1000);
  say("in that thread: %d", gotIn == threadId);
  gotIn = 0;
  say("to one of its process: %s", outcome(sends(process, SIGUSR1, 1)));
  while (gotIn == 0) usleep(1000);
  say("the first: %d", gotIn == getpid());
  say("to its process: %s", outcome(sends(fd, 0, 2)));
  for (unsigned flags = 3; flags < 9; flags++)
    if (flags != 4) say("flags %u: %s", flags, outcome(sends(fd, 0, flags)));
  say("to a group that it does not lead: %s", outcome(sends(fd, 0, 4)));
  signal(SIGUSR1, SIG_DFL);
  must(write(gate[1], "g", 1) == 1, "write");
  struct pollfd polled = {fd, POLLIN, 0};
  say("ended: %d", poll(&polled, 1, -1));
  finish(thread);
  while (sends(fd, 0, 0) == 0) usleep(1000);
  say("gone: %s", outcome(-1));
  sayPolled("gone", fd);
  sayPolled("the first thread", own);
  close(fd), close(own), close(process), close(gate[0]), close(gate[1]);
}

static void pidfdThatNeverWaits(void) {
  siginfo_t info;
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0)
    for (;;) pause();
  int fd = pidfdOf(pid, O_NONBLOCK);
  say("flags: %o, close on exec %d", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
  say("wait: %s", outcome(waitid((idtype_t)3, (id_t)fd, &info, WEXITED)));
  say("look: %s", outcome(waitid((idtype_t)3, (id_t)fd, &info, WEXITED | WNOHANG)));
  kill(pid, SIGKILL);
  struct pollfd polled = {fd, POLLIN, 0};
  say("ended: %d %d", poll(&polled, 1, -1), waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
  int zombie = pidfdOf(pid, 0), thread = pidfdOf(pid, O_EXCL);
  sayPolled("a zombie", zombie);
  sayPolled("its thread", thread);
  say("signal: %s", outcome(sends(zombie, 0, 0)));
  fcntl(zombie, F_SETFL, O_NONBLOCK);
  say("wait: %s", outcome(waitid((idtype_t)3, (id_t)zombie, &info, WEXITED)));
  say("of it %d, status %d", info.si_pid == pid, info.si_status);
  sayPolled("gone", fd);
  sayPolled("its thread", thread);
  say("signal: %s", outcome(sends(fd, 0, 0)));
  say("again: %s", outcome(waitid((idtype_t)3, (id_t)fd, &info, WEXITED)));
  close(fd), close(zombie), close(thread);
}

static void *waitsUntilHungUp(void *fd) {
  struct pollfd polled = {*(int *)fd, 0, 0};
  int ready = poll(&polled, 1, -1);
  say("hung up for who waited: %d %x", ready, polled.revents);
  return NULL;
}

static void pidfdThatIsHungUp(void) {
  siginfo_t info;
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  int fd = pidfdOf(pid, 0);
  must(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0, "waitid");
  pthread_t thread = begin(waitsUntilHungUp, &fd);
  usleep(700000);
  must(waitpid(pid, NULL, 0) == pid, "waitpid");
  finish(thread);
  close(fd);
}

static void *becomesASleeper(void *unused) {
  execve(SELF, (char *[]){"p", "is", "sleeps", NULL}, NULL);
  return unused;
}

/* The first thread's id is the executing thread's from then on. */
static void pidfdOfFirstThread(void) {
  int go[2], executed[2];
  must(pipe(go) == 0 && pipe2(executed, O_CLOEXEC) == 0, "pipe");
  fflush(stdout);
  pid_t pid = fork();
  char byte;
  if (pid == 0) {
    must(read(go[0], &byte, 1) == 1, "read");
    begin(becomesASleeper, NULL);
    for (;;) pause();
  }
  close(executed[1]);
  int fd = pidfdOf(pid, O_EXCL);
  must(write(go[1], "g", 1) == 1, "write");
  must(read(executed[0], &byte, 1) == 0, "end");
  usleep(100000);
  sayPolled("executed", fd);
  kill(pid, SIGKILL);
  sayStatus("killed", ended(pid));
  sayPolled("ended", fd);
  close(fd), close(go[0]), close(go[1]), close(executed[0]);
}

static int exitsWithFlags(void *fd) {
  return fcntl(*(int *)fd, F_GETFD) == -1 ? 5 : 6;
}

static void pidfdOfClone(void) {
  siginfo_t info;
  int fd = -7;
  pid_t pid = (pid_t)rawClone(CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL);
  if (pid == 0) _exit(exitsWithFlags(&fd));
  say("made %d, flags %o, close on exec %d", pid > 0 && fd >= 0, fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
  say("wait: %s", outcome(waitid((idtype_t)3, (id_t)fd, &info, WEXITED)));
  say("the child had it not: %d", info.si_pid == pid && info.si_status == 5);
  close(fd);
  pid = clone(exitsWithFlags, stack + sizeof stack, CLONE_VM | CLONE_FILES | CLONE_PIDFD | SIGCHLD, &fd, &fd);
  say("wait: %s", outcome(waitid((idtype_t)3, (id_t)fd, &info, WEXITED)));
  say("with the files it had: %d", info.si_pid == pid && info.si_status == 6);
  close(fd);
  struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uintptr_t)&fd, .exit_signal = SIGCHLD};
  pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) _exit(9);
  say("clone3: %d", waitid((idtype_t)3, (id_t)fd, &info, WEXITED) == 0 && info.si_pid == pid && info.si_status == 9);
  close(fd);
  args.pidfd = 16;
  pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) _exit(9);
  say("bad address: %s", outcome(pid));
  say("nobody was made: %s", outcome(waitpid(-1, NULL, 0)));
  int next = open("/dev/null", O_RDONLY);
  say("nor a descriptor: %d", next == fd);
  close(next);
  say("detached: %s", outcome(rawClone(CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, NULL, &fd, NULL)));
  say("the thread's id in the same place: %s", outcome(rawClone(CLONE_PIDFD | CLONE_PARENT_SETTID, NULL, &fd, NULL)));
}

static void pidfds(void) {
  pidfdOfThread();
  pidfdThatNeverWaits();
  pidfdThatIsHungUp();
  pidfdOfFirstThread();
  pidfdOfClone();
}

static const struct section sections[] = {
    {"arguments", arguments}, {"inheritance", inheritance}, {"descriptors", descriptors}, {"threads", threads},
    {"errors", errors},       {"scripts", scripts},         {"spawns", spawns},           {"vforks", vforks},
    {"cloneErrors", cloneErrors}, {"sharing", sharing},     {"kinds", kinds},
    {"limits", limits},       {"pidfds", pidfds},
};

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "is") == 0) return is(argc, argv);
  if (argc == 1 && (argv[0][0] == 0)) return isArguments(argc, argv);
  return runSections(sections, COUNT(sections), argc, argv);
}
