/* files.c: file calls on the kernel of this machine, one a line, for comparison.
 *
 * stdin    NUMBER ARG...   ARG: a decimal value, xHEX (a pointer to these bytes and a NUL), oN (a pointer to N bytes to fill)
 * stdout   RESULT [HEX]... the result or -errno, then every oN buffer as it is after the call
 * Calls touch the working directory it was started in; descriptors 0 to 2 are its own, the first one free is 3. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGS = 6, INPUT = 1 << 24 };

static unsigned char *from_hex(const char *hex) {
  size_t length = strlen(hex) / 2;
  unsigned char *bytes = calloc(length + 1, 1);
  for (size_t i = 0; i < length; i++) sscanf(hex + 2 * i, "%2hhx", bytes + i);
  return bytes;
}

static void run(char *line, FILE *out) {
  long args[ARGS] = {0};
  unsigned char *outs[ARGS];
  size_t sizes[ARGS], count = 0;
  char *rest = line, *word = strsep(&rest, " ");
  long number = atol(word);
  for (int i = 0; i < ARGS && (word = strsep(&rest, " ")); i++) {
    if (*word == 'x') args[i] = (long)from_hex(word + 1);
    else if (*word == 'o') {
      sizes[count] = strtoul(word + 1, 0, 10);
      outs[count] = calloc(sizes[count] + 1, 1);
      args[i] = (long)outs[count++];
    } else args[i] = strtol(word, 0, 10);
  }
  long result = syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
  fprintf(out, "%ld", result < 0 ? -(long)errno : result);
  for (size_t i = 0; i < count; i++) {
    fputc(' ', out);
    for (size_t at = 0; at < sizes[i]; at++) fprintf(out, "%02x", outs[i][at]);
    free(outs[i]);
  }
  fputc('\n', out);
}

int main(void) {
  static char input[INPUT];
  size_t length = 0;
  for (ssize_t n; (n = read(0, input + length, INPUT - 1 - length)) > 0;) length += n;
  char *text = 0;
  size_t written = 0;
  FILE *out = open_memstream(&text, &written);
  char *rest = input;
  for (char *line; (line = strsep(&rest, "\n"));) {
    if (*line) run(line, out);
  }
  fclose(out);
  return write(1, text, written) == (ssize_t)written ? 0 : 1;
}
