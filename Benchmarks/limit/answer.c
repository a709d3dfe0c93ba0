/* The limit for a server of datagrams: each batch is received by one call and answered by another.
   The answer is that of RFC 868. */

#define _GNU_SOURCE
#include "listen.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

enum { batch = 64, longest = 64 };

int main(int argc, char **argv) {
  int socket = bind_as_told(argc, argv, SOCK_DGRAM);
  static struct mmsghdr messages[batch];
  static struct iovec parts[batch];
  static struct sockaddr_storage sources[batch];
  static char bytes[batch][longest];
  for (;;) {
    for (int index = 0; index < batch; index++) {
      parts[index] = (struct iovec){.iov_base = bytes[index], .iov_len = longest};
      messages[index].msg_hdr = (struct msghdr){
          .msg_iov = &parts[index], .msg_iovlen = 1, .msg_name = &sources[index], .msg_namelen = sizeof *sources};
    }
    struct pollfd query = {.fd = socket, .events = POLLIN};
    poll(&query, 1, -1);
    int count = recvmmsg(socket, messages, batch, MSG_DONTWAIT, NULL);
    uint32_t now = htonl((uint32_t)(time(NULL) + 2208988800u));
    for (int index = 0; index < count; index++) parts[index] = (struct iovec){.iov_base = &now, .iov_len = sizeof now};
    if (count > 0) sendmmsg(socket, messages, (unsigned)count, 0);
  }
}
