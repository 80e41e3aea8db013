/* soak.c: processes and threads that do random work on memory and check themselves.
 *
 *   soak SEED MILLISECONDS THREADS PROCESSES [scarce]      scarce: calls may say ENOMEM, and anybody may be killed
 *   soak executed SEED PATH MORTAL DEPTH FD...             what its own processes execute
 *
 * A process    some threads, each taking random steps: own memory (soak-own.h), shared memory (soak-shared.h), children
 * A child      forked while the other threads go on: its copy must be exact for the thread that forked, a beginning for the
 *              others; or executed after vfork. It works with threads of its own, and ends by return, by a thread, or is killed
 * Output       one line when all is well; else a line on stderr with the seed, SIGABRT, and every parent fails likewise        */
#include "soak-shared.h"
#include <sched.h>
#include <sys/time.h>

#define CHILD_MS 60

static void work(int64_t until);
static void execute(uint64_t childPath, int childMortal);

static void claimSlot(void) {
  uint32_t at = add(&board->slots, 1);
  me->slot = at < SLOTS ? &board->all[at] : NULL;
  if (me->slot) put(&me->slot->open, (uint64_t)mortal);
}

static void freeSlot(void) {
  if (me->slot) put(&me->slot->open, 0);
  me->slot = NULL;
  add(&board->operations, me->operations);
  add(&board->faults, me->faults);
  me->operations = me->faults = 0;
}

static void closeViews(void) {
  for (int kind = 0; kind < KINDS; kind++) dropView(kind);
}

static void *threadMain(void *arg) {
  me = arg;
  unmapOwn(0, OWN_PAGES);
  newLog();
  claimSlot();
  work(board->end);
  if (mortal && depth > 0 && oneIn(4)) _exit(64); // the others are in the middle of anything
  checkOwn(0, OWN_PAGES);
  closeViews();
  freeSlot();
  if (me->file) close(me->file);
  return NULL;
}

/* Threads 1 .. count of this process; `me` is its first. Those that could not be made are missed by nobody. */
static int startThreads(int count, pthread_t *all) {
  int started = 0;
  for (int i = 0; i < THREADS && started < count; i++) {
    if (i == me->index) continue;
    threads[i] = (struct thread){.index = i, .random = mixed(seed ^ path ^ (uint64_t)(i + 1) << 48)};
    int error = pthread_create(&all[started], NULL, threadMain, &threads[i]);
    if (error != 0 && error != EAGAIN && error != ENOMEM) broken("pthread_create = %s", errname(error));
    if (error == 0) started++;
  }
  return started;
}

static void onAlarm(int number) { (void)number; }

/* Some processes have signals come between anything and anything. */
static void enroll(void) {
  struct sigaction action = {.sa_handler = onAlarm, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval often = {.it_interval.tv_usec = 2000, .it_value.tv_usec = 2000};
  if (path % 3 == 0) setitimer(ITIMER_REAL, &often, NULL);
  uint64_t number = add(&board->processes, 1);
  put(&board->pids[number % 64], getpid());
}

/* The heap's end: only where no other thread moves it. */
static void breakStep(void) {
  uint64_t pages = 1 + below(16);
  char *from = (char *)syscall(SYS_brk, 0), *to = from + pages * PAGE;
  if ((char *)syscall(SYS_brk, to) != to) return;
  volatile unsigned at = 0;
  for (char *page = (char *)(((uintptr_t)from + PAGE - 1) & -PAGE); page + PAGE <= to; page += PAGE)
    if (samePage((uint64_t *)page, 0, &at) != 0 || fillPage((uint64_t *)page, 1) != 0) broken("brk: page at %p", page);
  if ((char *)syscall(SYS_brk, from) != from && !get(&board->scarce)) broken("brk did not go back");
}

/* In a child: all there is to say about the copy, then a life of its own. Returns its exit code. A parent that may be killed may
 * also execute, and then has other pages under the same pid: it is left alone (parent is 0). */
static int childLife(pid_t parent, int threadsThen, int64_t until) {
  if (parent) {
    parentPages(parent);
    changeParent(parent);
  }
  ownWasCopied();
  checkOwn(0, OWN_PAGES);
  for (int i = 0; i < THREADS; i++) checkLog(i);
  enroll();
  breakStep();
  claimSlot();
  fillOwn(0, OWN_PAGES);
  pthread_t all[THREADS];
  int64_t end = board->end < until ? board->end : until;
  int started = depth < 3 ? startThreads(threadsThen, all) : 0;
  work(end);
  checkOwn(0, OWN_PAGES);
  if (started && mortal) {
    if (oneIn(2)) execute(path, 1);
    _exit(65); // before they end
  }
  for (int i = 0; i < started; i++) finish(all[i]);
  closeViews();
  freeSlot();
  return (int)(path & 63);
}

/* Whether want of memory may have ended it: by itself (66), killed, or by SIGSEGV where a signal's frame found no memory on the stack. */
static int starved(int status) {
  if (!get(&board->scarce)) return 0;
  if (WIFEXITED(status)) return WEXITSTATUS(status) == 66;
  return WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGSEGV;
}

/* Returns only if it fails. */
static void execute(uint64_t childPath, int childMortal) {
  char numbers[10][24], *args[12] = {"soak", "executed"};
  uint64_t values[] = {seed,    childPath, (uint64_t)childMortal, (uint64_t)depth + 1, (uint64_t)boardFd, (uint64_t)sumFds[1],
                       (uint64_t)sumFds[2], (uint64_t)cutFds[0],    (uint64_t)cutFds[1]};
  for (int i = 0; i < COUNT(values); i++) {
    sprintf(numbers[i], "%lu", values[i]);
    args[2 + i] = numbers[i];
  }
  signal(SIGALRM, SIG_IGN); // what is armed stays so, and would find no handler
  execv("/proc/self/exe", args);
}

static void vforkAndExecute(uint64_t childPath, int childMortal) {
  pid_t pid = vfork();
  if (pid == 0) {
    execute(childPath, childMortal);
    _exit(errno == ENOMEM || errno == EAGAIN ? 66 : 67);
  }
  if (wanting(pid, "vfork")) return;
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) broken("waitpid of an executed child = %s", errname(errno));
  int lawful = WIFEXITED(status) && WEXITSTATUS(status) == (int)(childPath & 63);
  if (!lawful && !starved(status)) broken("executed child %lx ended with status %x", childPath, status);
}

static void childStep(void) {
  uint64_t childPath = mixed(path ^ next());
  int childMortal = mortal || oneIn(2), threadsThen = (int)below(3), killed = childMortal && oneIn(2);
  uint64_t lifeMs = 1 + below(CHILD_MS), killMs = below(CHILD_MS);
  if (depth >= 3 || me->slot == NULL) return;
  if (depth < 2 && oneIn(4)) return vforkAndExecute(childPath, childMortal);
  pid_t parent = mortal || get(&board->scarce) ? 0 : getpid(), pid = fork();
  if (wanting(pid, "fork")) return;
  if (pid == 0) {
    path = childPath;
    depth++;
    mortal = childMortal;
    me->random = mixed(seed ^ path);
    me->operations = me->faults = 0;
    me->file = 0;
    _exit(childLife(parent, threadsThen, nowOn(CLOCK_MONOTONIC) + (int64_t)lifeMs * MS));
  }
  if (killed) {
    usleep((useconds_t)killMs * 1000);
    if (kill(pid, SIGKILL) != 0) broken("kill = %s", errname(errno));
  } else if (!parent) checkOwn(0, OWN_PAGES); // else the child changes one
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) broken("waitpid = %s", errname(errno));
  if (parent) changedByChild(childPath, WIFEXITED(status));
  if (WIFEXITED(status) && WEXITSTATUS(status) == (int)(childPath & 63)) return;
  if (WIFEXITED(status) && childMortal && (WEXITSTATUS(status) == 64 || WEXITSTATUS(status) == 65)) return;
  if (starved(status) || (killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) return;
  broken("child %lx ended with status %x", childPath, status);
}

static void work(int64_t until) {
  while (nowOn(CLOCK_MONOTONIC) < until && !over()) {
    me->operations++;
    switch (below(16)) {
      case 0: case 1: case 2: case 3: case 4: case 5: ownStep(); break;
      case 6: case 7: sumStep(); break;
      case 8: pairStep(); break;
      case 9: case 10: cutStep(); break;
      case 11: siblingStep(); break;
      case 12: mailStep(); break;
      case 13: if (oneIn(4)) childStep(); break;
      default: logStep();
    }
  }
}

/* A process that has just begun to run this program: the first, or an executed one. */
static int processLife(int threadsThen, int64_t until) {
  me = &threads[0];
  *me = (struct thread){.random = mixed(seed ^ path)};
  enroll();
  for (int i = 0; i < THREADS; i++) {
    me->index = i;
    newLog();
  }
  me->index = 0;
  if (mmap(MAIL_AT, PAGE, RW, ANON | MAP_FIXED, -1, 0) != (char *)MAIL_AT && !get(&board->scarce)) broken("mailbox");
  claimSlot();
  pthread_t all[THREADS];
  int started = startThreads(threadsThen - 1, all);
  work(until);
  for (int i = 0; i < started; i++) finish(all[i]);
  checkOwn(0, OWN_PAGES);
  closeViews();
  freeSlot();
  return (int)(path & 63);
}

static int executed(char **argv) {
  uint64_t values[9];
  for (int i = 0; i < COUNT(values); i++) values[i] = strtoul(argv[2 + i], NULL, 10);
  seed = values[0], path = values[1], mortal = (int)values[2], depth = (int)values[3];
  boardFd = (int)values[4], sumFds[1] = (int)values[5], sumFds[2] = (int)values[6];
  cutFds[0] = (int)values[7], cutFds[1] = (int)values[8];
  board = (struct board *)mmap(NULL, sizeof *board, RW, MAP_SHARED, boardFd, 0);
  if (board == MAP_FAILED) return 66;
  int64_t until = nowOn(CLOCK_MONOTONIC) + (int64_t)(1 + path % CHILD_MS) * MS;
  return processLife(1, until);
}

static int sizedFile(int fd, unsigned long size) {
  if (fd < 0 || ftruncate(fd, (long)size) != 0) broken("a file to begin with: %s", errname(errno));
  return fd;
}

static void setUp(int64_t ms) {
  boardFd = sizedFile(memfd_create("board", 0), sizeof *board);
  board = (struct board *)mmap(NULL, sizeof *board, RW, MAP_SHARED, boardFd, 0);
  summed = mmap(NULL, SUM_BYTES, RW, SHARED, -1, 0);
  if (board == MAP_FAILED || summed == MAP_FAILED) broken("memory to begin with");
  sumFds[1] = sizedFile(memfd_create("sums", 0), SUM_BYTES);
  sumFds[2] = sizedFile(file(0), SUM_BYTES);
  cutFds[0] = memfd_create("cut", 0);
  cutFds[1] = file(0);
  board->end = nowOn(CLOCK_MONOTONIC) + ms * MS;
}

static void checkSums(void) {
  uint64_t open = 0, did = 0;
  for (int i = 0; i < SLOTS; i++) open += get(&board->all[i].open);
  for (int kind = 0; kind < KINDS; kind++) {
    uint64_t told = 0, sum = 0;
    for (int i = 0; i < SLOTS; i++) told += get(&board->all[i].did[kind]);
    char *at = kind == 0 ? summed : mmap(NULL, SUM_BYTES, R, MAP_SHARED, sumFds[kind], 0);
    if (at == MAP_FAILED) broken("mapping of sums");
    for (int i = 0; i < WORDS; i++) sum += get((uint64_t *)at + i);
    for (int i = 0; kind != 0 && i < WORDS && !board->scarce; i++) {
      uint64_t word = 0;
      if (pread(sumFds[kind], &word, 8, i * 8L) != 8 || word != get((uint64_t *)at + i))
        broken("kind %d word %d: the file has %lu, its mapping %lu", kind, i, word, get((uint64_t *)at + i));
    }
    if (sum < told || (sum > told + open && !board->scarce))
      broken("kind %d: the words say %lu additions, the threads %lu, with %lu killed", kind, sum, told, open);
    did += told;
  }
  if (board->left != board->right) broken("pair at the end: %lu and %lu", board->left, board->right);
  printf("soak: seed %lu, %lu steps, %lu processes, %lu additions, %lu faults caught, %lu turns at the lock, %u remote copies\n", seed,
         board->operations, board->processes, did, board->faults, board->left, board->remotes);
}

int main(int argc, char **argv) {
  if (argc == 11 && strcmp(argv[1], "executed") == 0) return executed(argv);
  if (argc < 5) return 2;
  seed = strtoul(argv[1], NULL, 10);
  int threadCount = atoi(argv[3]) < THREADS ? atoi(argv[3]) : THREADS;
  setUp(atol(argv[2]));
  board->scarce = argc > 5;
  int count = atoi(argv[4]);
  pid_t all[16];
  for (int i = 0; i < count && i < 16; i++) {
    all[i] = fork();
    if (all[i] == -1) broken("fork of a first process: %s", errname(errno));
    path = mixed((uint64_t)i + 1);
    if (all[i] == 0) _exit(processLife(threadCount, board->end));
  }
  for (int i = 0; i < count && i < 16; i++) {
    int status = 0;
    if (waitpid(all[i], &status, 0) != all[i]) broken("waitpid of a first process");
    int good = WIFEXITED(status) && WEXITSTATUS(status) == (int)(mixed((uint64_t)i + 1) & 63);
    if (!good && !starved(status)) broken("first process %d ended with status %x", i, status);
  }
  checkSums();
  return 0;
}
