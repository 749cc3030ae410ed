/* Writes to stdout and to stderr by turns, and ends with an exit code. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  puts("reading");
  fflush(stdout);
  fputs("warning: ", stderr);
  fputs(argc > 1 ? argv[1] : "no file", stderr);
  fputc('\n', stderr);
  for (char c = 'a'; c <= 'c'; c++) {
    putchar(c);
    fputc(c - 'a' + 'A', stderr);
  }
  putchar('\n');
  fputs("\n", stderr);
  exit(2);
}
