/* A C program that loads its C++ runtime and a C++ module while it runs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int IsIn(const char* symbol, const char* library) {
  Dl_info info;
  void* found = dlsym(RTLD_DEFAULT, symbol);
  return found != NULL && dladdr(found, &info) != 0 &&
         strstr(info.dli_fname, library) != NULL;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (dlopen("libstdc++.so.6", RTLD_NOW | RTLD_NOLOAD) != NULL) return 3;
  if (dlopen("libstdc++.so.6", RTLD_NOW | RTLD_GLOBAL) == NULL) return 4;
  void* module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (module == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 5;
  }
  int (*throw_many)(int) = (int (*)(int))dlsym(module, "ThrowMany");
  if (throw_many == NULL) return 6;
  enum { kTimes = 10000 };
  if (throw_many(kTimes) != kTimes) return 7;
  if (!IsIn("_Unwind_RaiseException", "libgcc_s")) return 8;
  if (!IsIn("_Znwm", "libstdc++")) return 9;
  return 0;
}
