#define _GNU_SOURCE
#include "CPlatform.h"
#include <time.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int platform_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
  return accept4(fd, address, length, flags);
}

int platform_pipe2(int fds[2], int flags) { return pipe2(fds, flags); }

int platform_close_range(unsigned first, unsigned last, unsigned flags) {
  return (int)syscall(SYS_close_range, first, last, flags);
}

int platform_fstat(int fd, struct stat *status) { return (int)syscall(SYS_fstat, fd, status); }
int platform_fcntl(int fd, int command, int argument) { return fcntl(fd, command, argument); }

int platform_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

int platform_memfd_create(const char *name, unsigned flags) { return memfd_create(name, flags); }

// While a call may raise SIGPIPE in the calling thread, the signal is blocked there, and taken away afterwards.
struct pipe_guard { sigset_t before; bool was_pending; };

static void fill_broken_pipe(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGPIPE);
}

static void begin_guard(struct pipe_guard *guard) {
  sigset_t broken_pipe, pending;
  fill_broken_pipe(&broken_pipe);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, &guard->before);
  guard->was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

// A write that got some bytes through before the reader left raises the signal too, and returns their count.
static ssize_t end_guard(const struct pipe_guard *guard, ssize_t written, size_t wanted) {
  static const struct timespec at_once = {0, 0};
  int error = errno;
  if (written == -1 ? error == EPIPE : (size_t)written < wanted) {
    sigset_t broken_pipe, pending;
    fill_broken_pipe(&broken_pipe);
    int taken;
    while ((taken = sigtimedwait(&broken_pipe, NULL, &at_once)) == -1 && errno == EINTR) {}
    // One of another sender's: the process's stays beside ours, which is the thread's; the thread's own had become one
    // with it.
    if (taken != -1 && guard->was_pending && sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 0) {
      raise(SIGPIPE);
    }
  }
  pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
  errno = error;
  return written;
}

ssize_t platform_write_without_signal(int fd, const void *bytes, size_t size) {
  // A socket has a flag for it, which saves the signal masks.
  ssize_t written = send(fd, bytes, size, MSG_NOSIGNAL);
  if (written != -1 || errno != ENOTSOCK) return written;
  struct pipe_guard guard;
  begin_guard(&guard);
  return end_guard(&guard, write(fd, bytes, size), size);
}

ssize_t platform_splice_without_signal(int from, int to, size_t size) {
  struct pipe_guard guard;
  begin_guard(&guard);
  return end_guard(&guard, platform_splice(from, to, size), size);
}

ssize_t platform_sendfile_without_signal(int to, int from, size_t size) {
  struct pipe_guard guard;
  begin_guard(&guard);
  return end_guard(&guard, platform_sendfile(to, from, size), size);
}

int platform_set_pipe_size(int fd, int size) { return fcntl(fd, F_SETPIPE_SZ, size); }

ssize_t platform_splice(int from, int to, size_t size) {
  return splice(from, NULL, to, NULL, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

ssize_t platform_copy_file_range(int from, int to, size_t size) {
  return copy_file_range(from, NULL, to, NULL, size, 0);
}

ssize_t platform_sendfile(int to, int from, size_t size) { return sendfile(to, from, NULL, size); }
