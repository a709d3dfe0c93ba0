#define _GNU_SOURCE
#include "CPlatform.h"
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <time.h>

int platform_take_signal(const sigset_t *set, int64_t nanoseconds, struct platform_arrival *arrival) {
  struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  siginfo_t information;
  int number = sigtimedwait(set, &information, nanoseconds < 0 ? NULL : &limit);
  if (number > 0) {
    arrival->signal = number;
    arrival->code = information.si_code;
    arrival->process = information.si_pid;
    arrival->user = information.si_uid;
    arrival->value = information.si_value.sival_int;
  }
  return number;
}

int platform_queue_signal(pid_t process, int signal, int value) {
  return sigqueue(process, signal, (union sigval){.sival_int = value});
}

int platform_sigrtmin(void) { return SIGRTMIN; }
int platform_sigrtmax(void) { return SIGRTMAX; }

const char *platform_signal_name(int signal) { return sigabbrev_np(signal); }
const char *platform_signal_text(int signal) { return sigdescr_np(signal); }

// The kernel's own struct sigaction, handler first.  By system call: sigaction(3) refuses the two signals that the C
// library keeps for itself, sigaddset(3) too, and a starter may have ignored those as well.
struct kernel_action { void (*handler)(int); unsigned long rest[3]; };

static bool is_disposition_changed(int signal) {
  struct kernel_action present;
  return syscall(SYS_rt_sigaction, signal, NULL, &present, 8UL) == 0 && present.handler != SIG_DFL;
}

void platform_restore_disposition(int signal) {
  struct kernel_action fallback = {.handler = SIG_DFL};
  syscall(SYS_rt_sigaction, signal, &fallback, NULL, 8UL);
}

void platform_ignore_signal(int signal) {
  struct kernel_action none = {.handler = SIG_IGN};
  syscall(SYS_rt_sigaction, signal, &none, NULL, 8UL);
}

uint64_t platform_changed_signals(void) {
  uint64_t changed = 0;
  for (int number = 1; number < NSIG; number++)
    if (is_disposition_changed(number)) changed |= 1ULL << (number - 1);
  return changed;
}

void platform_reset_handlers(void) {
  for (int number = 1; number < NSIG; number++) {
    // What the processor raises: a handler reports the crash.  32 and 33 are the C library's own.
    bool is_fault = number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE ||
                    number == SIGTRAP || number == SIGABRT;
    if (is_fault || number == 32 || number == 33) continue;
    struct kernel_action present;
    if (syscall(SYS_rt_sigaction, number, NULL, &present, 8UL) == 0 && present.handler != SIG_DFL &&
        present.handler != SIG_IGN)
      platform_restore_disposition(number);
  }
}

int platform_save_disposition(int signal, struct platform_disposition *saved) {
  return (int)syscall(SYS_rt_sigaction, signal, NULL, saved, 8UL);
}

int platform_put_back_disposition(int signal, const struct platform_disposition *saved) {
  return (int)syscall(SYS_rt_sigaction, signal, saved, NULL, 8UL);
}

int platform_set_disposition(int signal, platform_signal_handler handler, bool restarts) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = restarts ? SA_RESTART : 0};
  return sigaction(signal, &action, NULL);
}

int platform_disposition(int signal, platform_signal_handler *handler) {
  struct kernel_action present;
  if (syscall(SYS_rt_sigaction, signal, NULL, &present, 8UL) == -1) return -1;
  *handler = present.handler;
  if (present.handler == SIG_DFL) return PLATFORM_DEFAULT;
  if (present.handler == SIG_IGN) return PLATFORM_IGNORED;
  return present.handler == platform_count_signal ? PLATFORM_COUNTED : PLATFORM_HANDLED;
}

// The one handler of ours.  Lock-free, so that it may interrupt itself; it leaves errno alone.
static _Atomic uint64_t counts[NSIG];
_Static_assert(__atomic_always_lock_free(sizeof counts[0], 0), "a lock in a handler waits for itself");

void platform_count_signal(int signal) { atomic_fetch_add_explicit(&counts[signal], 1, memory_order_relaxed); }

uint64_t platform_signal_count(int signal) {
  return signal > 0 && signal < NSIG ? atomic_load_explicit(&counts[signal], memory_order_relaxed) : 0;
}
