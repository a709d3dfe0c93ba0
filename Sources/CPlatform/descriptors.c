#define _GNU_SOURCE
#include "CPlatform.h"
#include <time.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int platform_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
  return accept4(fd, address, length, flags);
}

int platform_pipe2(int fds[2], int flags) { return pipe2(fds, flags); }

int platform_close_range(unsigned first, unsigned last, unsigned flags) {
  return (int)syscall(SYS_close_range, first, last, flags);
}

int platform_fcntl(int fd, int command, int argument) { return fcntl(fd, command, argument); }

int platform_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

int platform_memfd_create(const char *name, unsigned flags) { return memfd_create(name, flags); }

ssize_t platform_write_without_signal(int fd, const void *bytes, size_t size) {
  sigset_t broken_pipe, before, pending;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
  // One that was pending before is somebody else's.
  bool was_pending = sigismember(&before, SIGPIPE) && sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE);
  ssize_t result = write(fd, bytes, size);
  int error = errno;
  static const struct timespec at_once = {0, 0};
  // A reader that goes away in the middle means the signal and a count of some bytes.
  if (result != (ssize_t)size && !was_pending) sigtimedwait(&broken_pipe, NULL, &at_once);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return result;
}
