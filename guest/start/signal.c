/* guest/start/signal.c: rt_sigaction(2) as the kernel takes it (no libc wrapper between). */
#include "sys.h"

#define SA_SIGINFO 4

void signalReturn(void);

i64 onSignal(int signo, void (*handler)(int, struct siginfo *, void *)) {
  struct {
    void *handler;
    u64 flags;
#if defined(__x86_64__)
    void (*restorer)(void);
#endif
    u64 mask;
  } action;
  action.handler = (void *)handler;
  action.flags = SA_SIGINFO | SA_RESTORER;
#if defined(__x86_64__)
  action.restorer = signalReturn;
#endif
  action.mask = 0;
  return syscall6(SYS_rt_sigaction, signo, (long)&action, 0, 8, 0, 0);
}
