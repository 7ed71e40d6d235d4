/* Goes to the end of what it may have, and computes there. With "descriptors"
 * it opens files until there are no more, twice, and closes them; with
 * "all-descriptors" it ends with all open. The other arguments are followed by
 * a number of bytes: of "memory" from malloc, of the main thread's "stack", or
 * of "thread-stack", which is 8 MiB. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "busy.h"

enum { kWork = 100, kThreadStack = 8 << 20 };

/* Each takes the lowest number that is free, so that the sum tells of any that
 * was not. */
static void OpenAll(void) {
  int opened = 0, last = -1;
  long sum = 0;
  for (;;) {
    const int fd = open("/dev/null", O_RDONLY);
    if (fd < 0) break;
    ++opened;
    sum += fd;
    last = fd;
  }
  printf("%d descriptors up to %d, sum %ld: %s\n", opened, last, sum,
         strerrorname_np(errno));
}

static void CloseAll(void) {
  for (int fd = 3; fd < sysconf(_SC_OPEN_MAX); ++fd) close(fd);
}

/* The second time there may be more, since nothing inherited is left. */
static int Descriptors(int ends_with_all) {
  OpenAll();
  Busy(kWork);
  CloseAll();
  OpenAll();
  Busy(kWork);
  if (!ends_with_all) CloseAll();
  return 0;
}

static int Memory(size_t bytes) {
  const size_t kPage = 4096;
  unsigned char* memory = malloc(bytes);
  if (memory == NULL) {
    puts("no memory");
    return 3;
  }
  for (size_t at = 0; at < bytes; at += kPage) memory[at] = 1;
  Busy(kWork);
  size_t sum = 0;
  for (size_t at = 0; at < bytes; at += kPage) sum += memory[at];
  free(memory);
  printf("%zu pages\n", sum);
  return 0;
}

/* How many calls it took to use so much below `top`. */
__attribute__((noinline)) static unsigned Descend(const char* top, long bytes) {
  volatile char room[2000];
  room[0] = 1;
  if (top - (const char*)room >= bytes) {
    Busy(kWork);
    return 1;
  }
  return Descend(top, bytes) + (unsigned)room[0];
}

static void* DescendFromHere(void* bytes) {
  const char here = 0;
  printf("%u calls\n", Descend(&here, *(long*)bytes));
  return NULL;
}

static int ThreadStack(long bytes) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kThreadStack);
  if (pthread_create(&thread, &attributes, DescendFromHere, &bytes) != 0) {
    return 1;
  }
  return pthread_join(thread, NULL);
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const char* what = argv[1];
  long amount = argc > 2 ? atol(argv[2]) : 0;
  if (strcmp(what, "descriptors") == 0) return Descriptors(0);
  if (strcmp(what, "all-descriptors") == 0) return Descriptors(1);
  if (strcmp(what, "memory") == 0) return Memory((size_t)amount);
  if (strcmp(what, "thread-stack") == 0) return ThreadStack(amount);
  if (strcmp(what, "stack") == 0) {
    DescendFromHere(&amount);
    return 0;
  }
  return 2;
}
