#define _GNU_SOURCE
#include "CPlatform.h"
#include <string.h>
#include <time.h>

int platform_take_signal(const sigset_t *set, int *code, pid_t *pid) {
  static const struct timespec at_once = {0, 0};
  siginfo_t information;
  int number = sigtimedwait(set, &information, &at_once);
  if (number > 0) {
    *code = information.si_code;
    *pid = information.si_pid;
  }
  return number;
}

int platform_sigrtmin(void) { return SIGRTMIN; }

const char *platform_signal_name(int signal) { return sigabbrev_np(signal); }

void platform_changed_signals(sigset_t *changed) {
  sigemptyset(changed);
  for (int number = 1; number < NSIG; number++) {
    struct sigaction present;
    if (sigaction(number, NULL, &present) == 0 && present.sa_handler != SIG_DFL) sigaddset(changed, number);
  }
}
