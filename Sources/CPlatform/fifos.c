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
  // One that is pending already is blocked already, and somebody else's to take: ours only joins it.
  sigemptyset(&pending);
  sigpending(&pending);
  bool is_foreign = sigismember(&pending, SIGPIPE) == 1;
  if (!is_foreign) pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
  ssize_t written = write(fd, bytes, count);
  int error = errno;
  if (!is_foreign) {
    // A write that got some bytes through before the reader left raises the signal too, and returns their count.
    if (written == -1 ? error == EPIPE : (size_t)written < count)
      while (sigtimedwait(&broken_pipe, NULL, &at_once) == -1 && errno == EINTR) {}
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
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
