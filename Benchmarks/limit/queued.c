/* limit/fork with another way to reap, for many connections that stay open: waitpid(-1) walks all living children.
   Here the end of each child is a real-time signal of its own, which names the child, and waits in the kernel's queue.
   queued ADDRESS PORT [asked]; serve.h explains the two replies. */

#define _GNU_SOURCE
#include "listen.h"
#include "serve.h"

#include <err.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { sweep_every = 1000 /* milliseconds */ };

static void reap_announced(const sigset_t *ended) {
  siginfo_t end;
  struct timespec now = {0};
  /* A signalfd would not say which child it was. */
  while (sigtimedwait(ended, &end, &now) > 0) waitpid(end.si_pid, NULL, WNOHANG | __WALL);
}

int main(int argc, char **argv) {
  int is_asked = read_is_asked(&argc, argv);
  int listener = listen_as_told(argc, argv);
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGRTMIN);
  if (sigprocmask(SIG_BLOCK, &ended, NULL) == -1) err(1, "sigprocmask");
  int children = signalfd(-1, &ended, SFD_NONBLOCK | SFD_CLOEXEC);
  if (children == -1) err(1, "signalfd");

  struct pollfd queries[] = {{.fd = listener, .events = POLLIN}, {.fd = children, .events = POLLIN}};
  for (;;) {
    /* The kernel announces no end beyond RLIMIT_SIGPENDING. */
    if (poll(queries, 2, sweep_every) == 0)
      while (waitpid(-1, NULL, WNOHANG | __WALL) > 0) {
      }
    for (;;) {
      int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
      if (connection == -1) break;
      if (syscall(SYS_clone, SIGRTMIN, NULL, NULL, NULL, NULL) == 0) {
        serve(connection, is_asked);
        _exit(0);
      }
      close(connection);
    }
    reap_announced(&ended);
  }
}
