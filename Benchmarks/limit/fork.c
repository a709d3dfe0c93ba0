/* The limit for a server that forks after accept: nothing is done here that such a server can leave out.
   Each child sends the reply of RFC 868 and ends the connection so that the reply arrives whole even if the client has
   sent bytes which nobody read. */

#define _GNU_SOURCE
#include "listen.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { wait_for_end = 2000 /* milliseconds */, drained_reads = 64 };

static void serve(int connection) {
  uint32_t now = htonl((uint32_t)(time(NULL) + 2208988800u));
  if (send(connection, &now, sizeof now, MSG_NOSIGNAL) != sizeof now) return;
  shutdown(connection, SHUT_WR);

  char unread[4096];
  struct pollfd query = {.fd = connection, .events = POLLIN};
  for (int count = 0; count < drained_reads; count++) {
    if (poll(&query, 1, wait_for_end) <= 0) return;
    if (recv(connection, unread, sizeof unread, MSG_DONTWAIT) <= 0) return;
  }
}

int main(int argc, char **argv) {
  int listener = listen_as_told(argc, argv);
  struct pollfd query = {.fd = listener, .events = POLLIN};
  for (;;) {
    poll(&query, 1, 100);
    for (;;) {
      int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
      if (connection == -1) break;
      if (fork() == 0) {
        serve(connection);
        _exit(0);
      }
      close(connection);
    }
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
  }
}
