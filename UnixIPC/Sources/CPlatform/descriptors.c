#define _GNU_SOURCE
#include "CPlatform.h"
#include <time.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
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

int platform_set_pipe_size(int fd, int size) { return fcntl(fd, F_SETPIPE_SZ, size); }

ssize_t platform_splice(int from, int to, size_t size) {
  return splice(from, NULL, to, NULL, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

ssize_t platform_copy_file_range(int from, int to, size_t size) {
  return copy_file_range(from, NULL, to, NULL, size, 0);
}

ssize_t platform_sendfile(int to, int from, size_t size) { return sendfile(to, from, NULL, size); }
