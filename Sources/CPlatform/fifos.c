#define _GNU_SOURCE
#include "CPlatform.h"
#include <stdio.h>
#include <sys/ioctl.h>

int platform_unread_count(int fd) {
  int count = 0;
  return ioctl(fd, FIONREAD, &count) == -1 ? -1 : count;
}

int platform_renameat2(int old_directory, const char *old, int new_directory, const char *new, unsigned flags) {
  return renameat2(old_directory, old, new_directory, new, flags);
}
