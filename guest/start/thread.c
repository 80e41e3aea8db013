/* guest/start/thread.c: threads by clone(2), and waiting by futex(2).
 *
 * Stack       one mapping a thread, made before the thread and unmapped after the join:
 *
 *               stack                                     stack + stackBytes
 *               |  grows down  <----------------  | fn | arg |
 *                                                 ^ sp at the clone
 * Join        CLONE_CHILD_CLEARTID: the kernel stores 0 to alive and wakes one sleeper once the thread no
 *             longer uses its stack. The kernel's wake is not a private one, so neither is our wait.
 * Ordering    whoever reads alive == 0 (acquire) sees all that the thread wrote                          */
#include "sys.h"

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_PRIVATE 128
#define EVERYBODY 0x7fffffff

#define CLONE_VM 0x100
#define CLONE_FS 0x200
#define CLONE_FILES 0x400
#define CLONE_SIGHAND 0x800
#define CLONE_THREAD 0x10000
#define CLONE_SYSVSEM 0x40000
#define CLONE_CHILD_CLEARTID 0x200000

long cloneThread(u64 flags, void *stack, u32 *ptid, u32 *ctid);

static i64 futex(u32 *word, int op, u32 value) {
  return syscall6(SYS_futex, (long)word, op, value, 0, 0, 0);
}

i64 threadPrepare(struct thread *t, u64 stackBytes) {
  i64 at = sysMmap(0, stackBytes, PROT_READ | PROT_WRITE, 0);
  if (at < 0) return at;
  t->stack = (u64)at;
  t->stackBytes = stackBytes;
  return 0;
}

i64 threadStart(struct thread *t, void (*run)(void *), void *arg) {
  u64 *top = (u64 *)(t->stack + t->stackBytes) - 2;
  top[0] = (u64)run;
  top[1] = (u64)arg;
  t->alive = 1;
  i64 id = cloneThread(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                           CLONE_CHILD_CLEARTID,
                       top, 0, &t->alive);
  if (id < 0) {
    t->alive = 0;
    return id;
  }
  return 0;
}

void threadJoin(struct thread *t) {
  while (__atomic_load_n(&t->alive, __ATOMIC_ACQUIRE)) futex(&t->alive, FUTEX_WAIT, 1);
  sysMunmap(t->stack, t->stackBytes);
}

void barrierWait(struct barrier *b) {
  u32 generation = __atomic_load_n(&b->generation, __ATOMIC_ACQUIRE);
  if (__atomic_add_fetch(&b->waiting, 1, __ATOMIC_ACQ_REL) == b->parties) {
    __atomic_store_n(&b->waiting, 0, __ATOMIC_RELAXED); /* before the release below: nobody re-enters earlier */
    __atomic_store_n(&b->generation, generation + 1, __ATOMIC_RELEASE);
    futex(&b->generation, FUTEX_WAKE | FUTEX_PRIVATE, EVERYBODY);
    return;
  }
  while (__atomic_load_n(&b->generation, __ATOMIC_ACQUIRE) == generation)
    futex(&b->generation, FUTEX_WAIT | FUTEX_PRIVATE, generation);
}

void mutexLock(struct mutex *m) {
  u32 seen = 0;
  if (__atomic_compare_exchange_n(&m->state, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
  while (__atomic_exchange_n(&m->state, 2, __ATOMIC_ACQUIRE)) futex(&m->state, FUTEX_WAIT | FUTEX_PRIVATE, 2);
}

void mutexUnlock(struct mutex *m) {
  if (__atomic_exchange_n(&m->state, 0, __ATOMIC_RELEASE) == 2) futex(&m->state, FUTEX_WAKE | FUTEX_PRIVATE, 1);
}
