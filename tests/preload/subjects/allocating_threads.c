/* Threads that allocate come and go until standard input ends. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void* Allocate(void* unused) {
  enum { kBlocks = 50 };
  void* blocks[kBlocks];
  for (int i = 0; i < kBlocks; ++i) blocks[i] = malloc(100 + (size_t)i * 97);
  for (int i = 0; i < kBlocks; ++i) free(blocks[i]);
  usleep(200);
  return unused;
}

int main(void) {
  enum { kThreads = 16 };
  struct pollfd input = {STDIN_FILENO, POLLIN, 0};
  while (poll(&input, 1, 0) == 0) {
    pthread_t threads[kThreads];
    for (int i = 0; i < kThreads; ++i) {
      if (pthread_create(&threads[i], NULL, Allocate, NULL) != 0) return 1;
    }
    for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  }
  puts("allocated");
  return 0;
}
