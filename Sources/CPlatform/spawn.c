#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

// Runs in the child, in the parent's memory: only async-signal-safe calls, no allocation, no lock.
static const char *prepare(const struct platform_spawn *program) {
  // A disposition "ignored" would survive execve: SIGPIPE ignored is the classic surprise.
  struct sigaction fallback = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++) {
    struct sigaction present;
    if (sigaction(number, NULL, &present) == 0 && present.sa_handler != SIG_DFL) sigaction(number, &fallback, NULL);
  }
  if (program->new_session && setsid() == -1) return "setsid";

  // First above all targets, so that no dup2 overwrites a descriptor that is still to be copied.
  int count = program->descriptor_count;
  int copies[count > 0 ? count : 1];
  for (int i = 0; i < count; i++) {
    copies[i] = fcntl(program->descriptors[i], F_DUPFD_CLOEXEC, count);
    if (copies[i] == -1) return "fcntl";
  }
  for (int i = 0; i < count; i++)
    if (dup2(copies[i], i) == -1) return "dup2";
  if (syscall(SYS_close_range, (unsigned)count, ~0U, CLOSE_RANGE_CLOEXEC) == -1) return "close_range";

  if (program->directory != NULL && chdir(program->directory) == -1) return "chdir";
  sigset_t none;
  sigemptyset(&none);
  if (sigprocmask(SIG_SETMASK, &none, NULL) == -1) return "sigprocmask";
  execve(program->path, program->arguments, program->environment);
  return "execve";
}

pid_t platform_spawn(const struct platform_spawn *program, const char **failed_step) {
  // No signal may run a handler of the parent's in the child, which shares its memory.
  sigset_t all, before;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return -1;

  const char *volatile step = NULL;
  volatile int error = 0;
  pid_t child = vfork();
  if (child == 0) {
    step = prepare(program);
    error = errno;
    _exit(127);
  }
  int fork_error = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (child == -1) {
    *failed_step = "vfork";
    errno = fork_error;
    return -1;
  }
  if (step != NULL) {
    // The child is already dead: fetch it, so that a failed start leaves no zombie.
    int failure = error;
    while (syscall(SYS_wait4, child, NULL, 0, NULL) == -1 && errno == EINTR) continue;
    *failed_step = step;
    errno = failure;
    return -1;
  }
  return child;
}
