/* guest/hello.c: the smallest program that shows start-up works.
 *
 * Prints      how many arguments and environment entries it got, then each argument
 * Status      `hello exit N` ends with status N, everything else with 0               */
#include "sys.h"

int main(int argc, char **argv, char **envp) {
  struct text out;
  openText(&out, 1);
  int entries = 0;
  u64 status = 0;
  while (envp[entries]) entries++;
  str(&out, "hello: ");
  dec(&out, argc);
  str(&out, " arguments, ");
  dec(&out, entries);
  str(&out, " environment entries\n");
  for (int i = 1; i < argc; i++) {
    str(&out, "  ");
    str(&out, argv[i]);
    str(&out, "\n");
  }
  flush(&out);
  if (argc == 3 && sameText(argv[1], "exit")) readNumber(argv[2], &status);
  return (int)status;
}
