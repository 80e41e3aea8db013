/* guest/start/start.c: from the kernel's first instruction to main(), and the few calls a compiler may emit.
 *
 * Entry       the stack holds argc, argv[], 0, envp[], 0, auxv (System V ABI, "process initialization")
 * Exit        main's result is the exit status of the whole thread group                              */
#include "sys.h"

ARCH_START

__attribute__((noreturn, used)) void startMain(long *sp) {
  int argc = (int)sp[0];
  char **argv = (char **)(sp + 1);
  quit(main(argc, argv, argv + argc + 1));
}

void quit(int status) {
  for (;;) syscall6(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

u64 nowNs(void) {
  struct {
    i64 sec, nsec;
  } t;
  syscall6(SYS_clock_gettime, 1, (long)&t, 0, 0, 0, 0);
  return (u64)t.sec * 1000000000UL + (u64)t.nsec;
}

void *memset(void *to, int byte, u64 n) {
  u8 *p = to;
  while (n--) *p++ = (u8)byte;
  return to;
}

void *memcpy(void *to, const void *from, u64 n) {
  u8 *p = to;
  const u8 *q = from;
  while (n--) *p++ = *q++;
  return to;
}
