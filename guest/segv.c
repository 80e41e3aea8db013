/* guest/segv.c: memory accesses that must be refused, and what the handler is told.
 *
 *   segv wild       store to an address nothing maps: code 1 (SEGV_MAPERR), the handler maps it, the store goes on
 *   segv readonly   store to a page mapped for reading: code 2 (SEGV_ACCERR), the handler allows it
 *   segv none       load from a PROT_NONE page: code 2, the handler allows it
 *   segv unmapped   load from a page after its munmap: code 1, the handler maps it anew: it reads zero
 *   segv die        the wild store without a handler: the process dies of SIGSEGV
 *
 * Promise     a handler that repairs the mapping and returns makes the instruction start again            */
#include "sys.h"

#define WILD 0x1234567000UL

static u64 wantedAddress;
static volatile u32 faults;

static void repair(int signo, struct siginfo *info, void *context) {
  struct text out;
  openText(&out, 1);
  (void)context;
  str(&out, "signal ");
  dec(&out, signo);
  str(&out, " code ");
  dec(&out, info->code);
  str(&out, info->addr == wantedAddress ? " address right\n" : " address WRONG ");
  if (info->addr != wantedAddress) {
    hex(&out, info->addr);
    str(&out, "\n");
  }
  flush(&out);
  u64 page = wantedAddress & ~(PAGE_BYTES - 1);
  i64 done = info->code == 1 ? sysMmap(page, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_FIXED)
                             : sysMprotect(page, PAGE_BYTES, PROT_READ | PROT_WRITE);
  if (done < 0 || ++faults > 1) quit(3);
}

int main(int argc, char **argv, char **envp) {
  struct text out;
  openText(&out, 1);
  const char *mode = argc == 2 ? argv[1] : "";
  u64 page = WILD;
  int store = 1;
  u64 wanted = 77;
  (void)envp;
  if (sameText(mode, "readonly") || sameText(mode, "none") || sameText(mode, "unmapped")) {
    page = (u64)sysMmap(0, PAGE_BYTES, PROT_READ | PROT_WRITE, 0);
    *(volatile u64 *)(page + 16) = 55;
    store = sameText(mode, "readonly");
    if (sameText(mode, "unmapped")) {
      sysMunmap(page, PAGE_BYTES);
      wanted = 0;
    } else {
      sysMprotect(page, PAGE_BYTES, store ? PROT_READ : PROT_NONE);
      if (!store) wanted = 55;
    }
  } else if (!sameText(mode, "wild") && !sameText(mode, "die")) {
    out.fd = 2;
    str(&out, "usage: segv wild|readonly|none|unmapped|die\n");
    flush(&out);
    return 2;
  }
  wantedAddress = page + 16;
  if (!sameText(mode, "die")) onSignal(SIGSEGV, repair);
  volatile u64 *at = (volatile u64 *)wantedAddress;
  if (store) *at = 77;
  u64 got = *at;
  str(&out, "value ");
  dec(&out, (i64)got);
  str(&out, got == wanted && faults == 1 ? " ok\n" : " WRONG\n");
  flush(&out);
  return got == wanted && faults == 1 ? 0 : 1;
}
