#define _GNU_SOURCE
#include "CPlatform.h"
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
