#define _GNU_SOURCE
#include "CPlatform.h"
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int platform_unread_count(int fd) {
  int count = 0;
  return ioctl(fd, FIONREAD, &count) == -1 ? -1 : count;
}

int platform_renameat2(int old_directory, const char *old, int new_directory, const char *new, unsigned flags) {
  return renameat2(old_directory, old, new_directory, new, flags);
}

int platform_opening_counter(void) { return fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_CLOEXEC | FAN_NONBLOCK, 0); }

int platform_count_openings(int counter, const char *path, int begins) {
  return fanotify_mark(counter, begins ? FAN_MARK_ADD : FAN_MARK_REMOVE, FAN_OPEN | FAN_CLOSE_NOWRITE, AT_FDCWD, path);
}

int platform_file_handle(const char *path, unsigned char *bytes, size_t size) {
  union {
    struct file_handle handle;
    unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  } room;
  int mount;
  room.handle.handle_bytes = MAX_HANDLE_SZ;
  if (name_to_handle_at(AT_FDCWD, path, &room.handle, &mount, AT_SYMLINK_FOLLOW) == -1) return -1;
  size_t length = sizeof(struct file_handle) + room.handle.handle_bytes;
  if (length > size) return -1;
  memcpy(bytes, room.bytes, length);
  return (int)length;
}

int platform_is_same_open_file(pid_t process, int fd, pid_t other, int other_fd) {
  long order = syscall(SYS_kcmp, process, other, KCMP_FILE, fd, other_fd);
  return order == -1 ? -1 : order == 0;
}

int platform_is_read_call(long number) { return number == SYS_read || number == SYS_readv; }
