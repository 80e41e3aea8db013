/* guest/start/riscv64.h: what riscv64 Linux wants of a program without libc.
 *
 * Promise     six-argument system calls, the entry point, thread creation, in the words sys.h uses
 * Calls       number in a7, arguments in a0..a5, result (or -errno) in a0; nothing else changes
 * Numbers     Linux include/uapi/asm-generic/unistd.h
 * Clone       riscv passes (flags, stack, ptid, tls, ctid): tls before ctid, unlike x86-64        */
#define SYS_unlinkat 35
#define SYS_ftruncate 46
#define SYS_openat 56
#define SYS_close 57
#define SYS_write 64
#define SYS_exit 93
#define SYS_exit_group 94
#define SYS_futex 98
#define SYS_nanosleep 101
#define SYS_clock_gettime 113
#define SYS_kill 129
#define SYS_rt_sigaction 134
#define SYS_munmap 215
#define SYS_clone 220
#define SYS_execve 221
#define SYS_mmap 222
#define SYS_mprotect 226
#define SYS_madvise 233
#define SYS_wait4 260
#define SYS_process_vm_readv 270
#define SYS_memfd_create 279

#define SA_RESTORER 0 /* the kernel's vdso, or the machine, returns from handlers */

static inline long syscall6(long number, long a, long b, long c, long d, long e, long f) {
  register long a7 __asm__("a7") = number;
  register long a0 __asm__("a0") = a;
  register long a1 __asm__("a1") = b;
  register long a2 __asm__("a2") = c;
  register long a3 __asm__("a3") = d;
  register long a4 __asm__("a4") = e;
  register long a5 __asm__("a5") = f;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
  return a0;
}

/* The code below is emitted once, by start.c. A new thread finds its function and argument on its stack. */
#define ARCH_START                                                                                      \
  __asm__(".text\n"                                                                                     \
          ".globl _start\n"                                                                             \
          "_start:\n"                                                                                   \
          "  .option push\n  .option norelax\n"                                                         \
          "  la gp, __global_pointer$\n"                                                                \
          "  .option pop\n"                                                                             \
          "  mv a0, sp\n"                                                                               \
          "  mv fp, zero\n"                                                                             \
          "  andi sp, sp, -16\n"                                                                        \
          "  call startMain\n"                                                                          \
          ".globl cloneThread\n" /* long cloneThread(flags, stack, ptid, ctid) */                       \
          "cloneThread:\n"                                                                              \
          "  mv a4, a3\n"                                                                               \
          "  mv a3, zero\n"                                                                             \
          "  li a7, 220\n"                                                                              \
          "  ecall\n"                                                                                   \
          "  bnez a0, 1f\n"                                                                             \
          "  mv fp, zero\n"                                                                             \
          "  ld t0, 0(sp)\n"                                                                            \
          "  ld a0, 8(sp)\n"                                                                            \
          "  jalr t0\n"                                                                                 \
          "  li a0, 0\n"                                                                                \
          "  li a7, 93\n"                                                                               \
          "  ecall\n"                                                                                   \
          "1: ret\n"                                                                                    \
          ".globl signalReturn\n"                                                                       \
          "signalReturn:\n"                                                                             \
          "  li a7, 139\n"                                                                              \
          "  ecall\n");
