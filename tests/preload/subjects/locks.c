/* One thread holds a mutex, asleep; another waits for it. Lives until it is
 * killed. */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void* Hold(void* unused) {
  pthread_mutex_lock(&mutex);
  for (;;) pause();
  return unused;
}

static void* Wait(void* unused) {
  pthread_mutex_lock(&mutex);
  return unused;
}

int main(void) {
  pthread_t holder, waiter;
  pthread_create(&holder, NULL, Hold, NULL);
  usleep(50000);
  pthread_create(&waiter, NULL, Wait, NULL);
  pthread_join(waiter, NULL);
  return 0;
}
