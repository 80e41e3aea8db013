/* guest/start/x86_64.h: what x86-64 Linux wants of a program without libc (the native row of the storm's table).
 *
 * Promise     the same words as riscv64.h
 * Calls       number in rax, arguments in rdi rsi rdx r10 r8 r9, result (or -errno) in rax; rcx and r11 are lost
 * Numbers     Linux arch/x86/entry/syscalls/syscall_64.tbl
 * Clone       x86-64 passes (flags, stack, ptid, ctid, tls)
 * Handlers    return through SA_RESTORER, which this architecture demands                              */
#define SYS_write 1
#define SYS_close 3
#define SYS_mmap 9
#define SYS_mprotect 10
#define SYS_munmap 11
#define SYS_rt_sigaction 13
#define SYS_madvise 28
#define SYS_nanosleep 35
#define SYS_clone 56
#define SYS_execve 59
#define SYS_exit 60
#define SYS_wait4 61
#define SYS_kill 62
#define SYS_ftruncate 77
#define SYS_futex 202
#define SYS_clock_gettime 228
#define SYS_exit_group 231
#define SYS_openat 257
#define SYS_unlinkat 263
#define SYS_process_vm_readv 310
#define SYS_memfd_create 319

#define SA_RESTORER 0x04000000

static inline long syscall6(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

#define ARCH_START                                                                                      \
  __asm__(".text\n"                                                                                     \
          ".globl _start\n"                                                                             \
          "_start:\n"                                                                                   \
          "  mov %rsp, %rdi\n"                                                                          \
          "  xor %ebp, %ebp\n"                                                                          \
          "  and $-16, %rsp\n"                                                                          \
          "  call startMain\n"                                                                          \
          ".globl cloneThread\n" /* long cloneThread(flags, stack, ptid, ctid) */                       \
          "cloneThread:\n"                                                                              \
          "  mov %rcx, %r10\n"                                                                          \
          "  xor %r8d, %r8d\n"                                                                          \
          "  mov $56, %eax\n"                                                                           \
          "  syscall\n"                                                                                 \
          "  test %rax, %rax\n"                                                                         \
          "  jnz 1f\n"                                                                                  \
          "  xor %ebp, %ebp\n"                                                                          \
          "  mov 0(%rsp), %rax\n"                                                                       \
          "  mov 8(%rsp), %rdi\n"                                                                       \
          "  call *%rax\n"                                                                              \
          "  xor %edi, %edi\n"                                                                          \
          "  mov $60, %eax\n"                                                                           \
          "  syscall\n"                                                                                 \
          "1: ret\n"                                                                                    \
          ".globl signalReturn\n"                                                                       \
          "signalReturn:\n"                                                                             \
          "  mov $15, %eax\n"                                                                           \
          "  syscall\n");
