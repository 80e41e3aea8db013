/* pie.c: a static position-independent program without a C library, which relocates itself.
 *
 * Shows       the loader places a program that has no address of its own, tells it the truth in the auxiliary vector
 *             (AT_PHDR, AT_ENTRY, AT_PAGESZ, AT_RANDOM, AT_EXECFN), and maps its parts with their permissions
 * Build       -static -fPIE -nostdlib -Wl,-pie,--no-dynamic-linker: some cross compilers take -static-pie for -pie
 * Relocation  R_RISCV_RELATIVE and R_X86_64_RELATIVE only: *(base + offset) = base + addend                      */
typedef unsigned long word;

struct rela {
  word offset, info;
  long addend;
};

struct dynamic {
  long tag;
  word value;
};

extern struct dynamic _DYNAMIC[] __attribute__((visibility("hidden")));
extern char __ehdr_start[] __attribute__((visibility("hidden")));

enum { DT_RELA = 7, DT_RELASZ = 8, AT_PHDR = 3, AT_PHNUM = 5, AT_PAGESZ = 6, AT_BASE = 7, AT_ENTRY = 9, AT_RANDOM = 25,
       AT_EXECFN = 31 };

#ifdef __riscv
#define RELATIVE 3
enum { SYS_write = 64, SYS_exit_group = 94 };
__asm__(".globl _start\n_start:\n mv a0, sp\n andi sp, sp, -16\n call start\n ebreak\n");
static long call3(long nr, long a, long b, long c) {
  register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a7 __asm__("a7") = nr;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}
#else
#define RELATIVE 8
enum { SYS_write = 1, SYS_exit_group = 231 };
__asm__(".globl _start\n_start:\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n ud2\n");
static long call3(long nr, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
#endif

extern char _start[] __attribute__((visibility("hidden")));

static void put(const char *text) {
  long n = 0;
  while (text[n]) n++;
  call3(SYS_write, 1, (long)text, n);
}

static void tell(const char *what, int truth) {
  put(what);
  put(truth ? " 1\n" : " 0\n");
}

static int answer(void) {
  return 42;
}

/* Each holds an address, so each needs a relocation. */
static const char *const WORDS[] = {"relocated", "text", "in", "order"};
static int (*volatile function)(void) = answer;
static int value = 7;
static int *volatile pointer = &value;
static char zeroed[9000];

static int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

__attribute__((used)) void start(word *sp) {
  word base = (word)__ehdr_start, rela = 0, bytes = 0;
  for (struct dynamic *d = _DYNAMIC; d->tag; d++) {
    if (d->tag == DT_RELA) rela = base + d->value;
    if (d->tag == DT_RELASZ) bytes = d->value;
  }
  int relocations = 0, others = 0;
  for (struct rela *r = (struct rela *)rela; (word)r < rela + bytes; r++) {
    if ((r->info & 0xffffffff) == RELATIVE) *(word *)(base + r->offset) = base + (word)r->addend, relocations++;
    else others++;
  }
  tell("relocations, all relative", relocations >= 6 && others == 0);
  tell("placed away from zero", base >= 65536);
  word *argv = sp + 1, *at = argv + sp[0] + 1;
  while (*at) at++;
  static word values[64];
  for (at++; at[0]; at += 2)
    if (at[0] < 64) values[at[0]] = at[1];
  tell("AT_PHDR", values[AT_PHDR] == base + *(word *)(__ehdr_start + 32));
  tell("AT_PHNUM", values[AT_PHNUM] == *(unsigned short *)(__ehdr_start + 56));
  tell("AT_ENTRY", values[AT_ENTRY] == (word)_start);
  tell("AT_PAGESZ", values[AT_PAGESZ] == 4096);
  tell("AT_BASE", values[AT_BASE] == 0);
  tell("AT_RANDOM", values[AT_RANDOM] != 0);
  tell("AT_EXECFN", values[AT_EXECFN] != 0 && *(char *)values[AT_EXECFN] != 0);
  tell("sp aligned", ((word)sp & 15) == 0);
  for (int i = 0; i < 4; i++) {
    put(WORDS[i]);
    put("\n");
  }
  tell("function", function() == 42);
  *pointer += 1;
  tell("pointer", value == 8);
  int zero = 1;
  for (int i = 0; i < 9000; i++) zero &= ((volatile char *)zeroed)[i] == 0;
  tell("bss", zero);
  for (word i = 1; i < sp[0]; i++) {
    put((const char *)argv[i]);
    put("\n");
  }
  int status = sp[0] == 3 && same((const char *)argv[2], "b c") ? 33 : 1;
  for (;;) call3(SYS_exit_group, status, 0, 0);
}
