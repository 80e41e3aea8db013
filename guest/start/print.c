/* guest/start/print.c: numbers and text into a buffer, a buffer to a file descriptor. */
#include "sys.h"

void flush(struct text *t) {
  u32 done = 0;
  while (done < t->used) {
    i64 n = syscall6(SYS_write, t->fd, (long)(t->bytes + done), t->used - done, 0, 0, 0);
    if (n <= 0) break;
    done += (u32)n;
  }
  t->used = 0;
}

void str(struct text *t, const char *s) {
  for (; *s; s++) {
    if (t->used == sizeof t->bytes) flush(t);
    t->bytes[t->used++] = *s;
  }
}

static void digits(struct text *t, u64 n, u64 base) {
  char digit[24];
  int i = sizeof digit;
  digit[--i] = 0;
  do {
    digit[--i] = "0123456789abcdef"[n % base];
    n /= base;
  } while (n);
  str(t, digit + i);
}

void dec(struct text *t, i64 n) {
  if (n < 0) str(t, "-");
  digits(t, n < 0 ? 0UL - (u64)n : (u64)n, 10);
}

void hex(struct text *t, u64 n) {
  str(t, "0x");
  digits(t, n, 16);
}

int sameText(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

int readNumber(const char *s, u64 *out) {
  u64 n = 0;
  if (!*s) return 0;
  for (; *s; s++) {
    if (*s < '0' || *s > '9' || n > 1000000000000000UL) return 0;
    n = n * 10 + (u64)(*s - '0');
  }
  *out = n;
  return 1;
}
