#define _GNU_SOURCE
#include "CPlatform.h"
#include <poll.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Thread_local int64_t deadline = INT64_MAX;

int64_t platform_thread_deadline(void) { return deadline; }

int64_t platform_clock(clockid_t clock) {
  struct timespec time = {0};
  syscall(SYS_clock_gettime, clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int platform_wait_for_input(int fd, struct timespec *left) {
  struct pollfd query = {.fd = fd, .events = POLLIN};
  return (int)syscall(SYS_ppoll, &query, 1UL, left, NULL, 0UL);
}

void platform_forget_deadline(void) { deadline = INT64_MAX; }

// Its arrival is all that matters: a handler without SA_RESTART makes blocking calls return EINTR.
static void arrive(int signal) { (void)signal; }

static int interrupting_signal(void) { return SIGRTMAX; }

int platform_start_interrupting(struct platform_interrupter *interrupter, int64_t instant) {
  struct sigaction action = {.sa_handler = arrive};
  if (sigaction(interrupting_signal(), &action, NULL) == -1) return -1;
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = interrupting_signal()};
  event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
  timer_t timer;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) == -1) return -1;

  interrupter->timer = timer;
  interrupter->outer = deadline;
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, interrupting_signal());
  pthread_sigmask(SIG_UNBLOCK, &wanted, &interrupter->mask);
  deadline = instant;
  // Again and again: one signal could come just before the call that it is to interrupt.
  struct itimerspec times = {
      .it_value = {.tv_sec = instant / 1000000000, .tv_nsec = instant % 1000000000},
      .it_interval = {.tv_nsec = 1000000},
  };
  // An instant of zero would disarm it.
  if (instant <= 0) times.it_value = (struct timespec){.tv_nsec = 1};
  timer_settime(timer, TIMER_ABSTIME, &times, NULL);
  return 0;
}

void platform_end_interrupting(struct platform_interrupter *interrupter) {
  timer_delete((timer_t)interrupter->timer);
  deadline = interrupter->outer;
  // One that is pending was delivered before this.  Only this signal: the rest of the mask may be another by now.
  if (sigismember(&interrupter->mask, interrupting_signal()) != 1) return;
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, interrupting_signal());
  pthread_sigmask(SIG_BLOCK, &blocked, NULL);
}

int platform_signal_after(int signal, int64_t nanoseconds) {
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal};
  timer_t timer;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) == -1) return -1;
  struct itimerspec times = {
      .it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000},
  };
  return timer_settime(timer, 0, &times, NULL);
}
