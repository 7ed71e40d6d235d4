/* Tells which of the symbols named on its command line a look-up in the whole
 * program finds, one line each, and what the loader's state is at the start. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char** argv) {
  if (errno != 0) printf("errno %d\n", errno);
  const char* error = dlerror();
  if (error != NULL) printf("dlerror %s\n", error);
  for (int i = 1; i < argc; ++i) {
    const int is_library = strstr(argv[i], ".so") != NULL;
    const void* found = is_library ? dlopen(argv[i], RTLD_NOW | RTLD_NOLOAD)
                                   : dlsym(RTLD_DEFAULT, argv[i]);
    if (found != NULL) printf("%s\n", argv[i]);
  }
  return 0;
}
