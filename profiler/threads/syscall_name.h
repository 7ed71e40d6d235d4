// Names of system calls, for the label `wait`.
#ifndef WALLPROF_PROFILER_THREADS_SYSCALL_NAME_H_
#define WALLPROF_PROFILER_THREADS_SYSCALL_NAME_H_

#include <string>

namespace wallprof::threads {

// The kernel's name of x86-64 system call `number` ("recvfrom"), or
// "syscall_<number>" for one that this build's headers do not know.
std::string SyscallName(int number);

}  // namespace wallprof::threads

#endif  // WALLPROF_PROFILER_THREADS_SYSCALL_NAME_H_
