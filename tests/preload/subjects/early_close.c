/* A service in small: says it is ready, closes its standard output, and lives
 * until its standard input ends. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
  char byte;
  puts("ready");
  fclose(stdout);
  return read(STDIN_FILENO, &byte, 1) < 0;
}
