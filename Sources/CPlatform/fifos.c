#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

ssize_t platform_write_without_signal(int fd, const void *bytes, size_t count) {
  static const struct timespec at_once = {0, 0};
  sigset_t broken_pipe, pending, before;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
  bool was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
  ssize_t written = write(fd, bytes, count);
  int error = errno;
  // A write that got some bytes through before the reader left raises the signal too, and returns their count.
  if (written == -1 ? error == EPIPE : (size_t)written < count) {
    int taken;
    while ((taken = sigtimedwait(&broken_pipe, NULL, &at_once)) == -1 && errno == EINTR) {}
    // One of somebody else's: the process's stays beside ours, which is the thread's; the thread's own had become one
    // with it.
    if (taken != -1 && was_pending && sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 0) raise(SIGPIPE);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return written;
}

int platform_unread_count(int fd) {
  int count = 0;
  return ioctl(fd, FIONREAD, &count) == -1 ? -1 : count;
}

int platform_renameat2(int old_directory, const char *old, int new_directory, const char *new, unsigned flags) {
  return renameat2(old_directory, old, new_directory, new, flags);
}
