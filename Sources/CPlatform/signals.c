#define _GNU_SOURCE
#include "CPlatform.h"
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
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

// The kernel's own struct sigaction, handler first.  By system call: sigaction(3) refuses the two signals that the C
// library keeps for itself, sigaddset(3) too, and a starter may have ignored those as well.
struct kernel_action { void (*handler)(int); unsigned long rest[3]; };

bool platform_is_disposition_changed(int signal) {
  struct kernel_action present;
  return syscall(SYS_rt_sigaction, signal, NULL, &present, 8UL) == 0 && present.handler != SIG_DFL;
}

void platform_restore_disposition(int signal) {
  struct kernel_action fallback = {.handler = SIG_DFL};
  syscall(SYS_rt_sigaction, signal, &fallback, NULL, 8UL);
}

uint64_t platform_changed_signals(void) {
  uint64_t changed = 0;
  for (int number = 1; number < NSIG; number++)
    if (platform_is_disposition_changed(number)) changed |= 1ULL << (number - 1);
  return changed;
}
