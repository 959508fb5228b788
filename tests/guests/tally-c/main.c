/* A task for tests: a WASI command in C, without an SDK. Counts the bytes of its input. */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  long bytes = 0;
  while (getchar() != EOF) {
    bytes++;
  }
  if (bytes > 1000) {
    fprintf(stderr, "%ld bytes are too many\n", bytes);
    exit(200);
  }
  printf("{\"bytes\": %ld}\n", bytes);
  return 0;
}
