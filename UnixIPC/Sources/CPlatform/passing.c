#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

enum { rights_room = CMSG_SPACE(PLATFORM_MOST_PASSED * sizeof(int)) };
// What a socket may have been told to deliver besides: the sender's numbers and its handle.
enum { other_room = CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int)) };

ssize_t platform_send_passing(int fd, const void *buffer, size_t size, const int *numbers, size_t count, int flags) {
  _Alignas(struct cmsghdr) unsigned char control[rights_room] = {0};
  struct iovec part = {.iov_base = (void *)buffer, .iov_len = size};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > PLATFORM_MOST_PASSED) {
    errno = EINVAL;
    return -1;
  }
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof *numbers);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof *numbers);
    memcpy(CMSG_DATA(header), numbers, count * sizeof *numbers);
  }
  return sendmsg(fd, &message, flags | MSG_NOSIGNAL);
}

ssize_t platform_receive_passed(int fd, void *buffer, size_t size, int flags, struct platform_passed *passed) {
  _Alignas(struct cmsghdr) unsigned char control[rights_room + other_room];
  struct iovec part = {.iov_base = buffer, .iov_len = size};
  size_t room = other_room + CMSG_SPACE((size_t)passed->most * sizeof(int));
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1,
    .msg_control = control, .msg_controllen = room < sizeof control ? room : sizeof control,
  };
  passed->count = 0;
  ssize_t length = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
  if (length == -1) return -1;
  passed->bytes_cut = (message.msg_flags & MSG_TRUNC) != 0;
  passed->control_cut = (message.msg_flags & MSG_CTRUNC) != 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || (c->cmsg_type != SCM_RIGHTS && c->cmsg_type != SCM_PIDFD)) continue;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int number;
      memcpy(&number, CMSG_DATA(c) + i * sizeof number, sizeof number);
      // The sender's handle is of no use here, but it is open.
      if (c->cmsg_type == SCM_PIDFD) {
        if (number >= 0) close(number);
      } else if (passed->count < PLATFORM_MOST_PASSED) {
        passed->numbers[passed->count++] = number;
      } else {
        close(number);
        passed->control_cut = true;
      }
    }
  }
  return length;
}
