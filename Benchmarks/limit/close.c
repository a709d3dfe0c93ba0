/* The limit for any server that takes connections one by one: accept and close, without a byte and without a process.
   What begat load measures here is also what begat load itself can do. */

#define _GNU_SOURCE
#include "listen.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int listener = listen_as_told(argc, argv);
  struct pollfd query = {.fd = listener, .events = POLLIN};
  for (;;) {
    poll(&query, 1, -1);
    for (;;) {
      int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
      if (connection == -1) break;
      close(connection);
    }
  }
}
