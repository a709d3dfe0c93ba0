// Sends a process forged signals as fast as it can, until it is ended:
//
//     forge PROCESS [SIGNAL]
//
// The signal is the one by which a listener learns that a connection has ended, unless another is given.  The number of
// the ended process in it is the sender's own.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char **arguments) {
  if (count < 2 || count > 3) errx(64, "usage: forge PROCESS [SIGNAL]");
  pid_t target = atoi(arguments[1]);
  int number = count > 2 ? atoi(arguments[2]) : SIGRTMIN + 1;
  siginfo_t info;
  memset(&info, 0, sizeof info);
  info.si_signo = number;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  while (syscall(SYS_rt_sigqueueinfo, target, number, &info) == 0 || errno == EAGAIN) continue;
  err(1, "rt_sigqueueinfo %d", target);
}
