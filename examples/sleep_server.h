// An HTTP server on loopback that takes its time.
#ifndef WALLPROF_EXAMPLES_SLEEP_SERVER_H_
#define WALLPROF_EXAMPLES_SLEEP_SERVER_H_

#include <chrono>

// Starts a thread, for as long as the process lives, that answers each request
// after `delay`, one at a time. Returns the port. Ends the process if there is
// none to be had.
int StartSleepServer(std::chrono::milliseconds delay);

#endif  // WALLPROF_EXAMPLES_SLEEP_SERVER_H_
