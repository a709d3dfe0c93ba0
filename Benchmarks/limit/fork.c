/* The limit for a server that forks after accept: nothing is done here that such a server can leave out.
   fork ADDRESS PORT [asked]; serve.h explains the two replies. */

#define _GNU_SOURCE
#include "listen.h"
#include "serve.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int is_asked = read_is_asked(&argc, argv);
  int listener = listen_as_told(argc, argv);
  struct pollfd query = {.fd = listener, .events = POLLIN};
  for (;;) {
    poll(&query, 1, 100);
    for (;;) {
      int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
      if (connection == -1) break;
      if (fork() == 0) {
        serve(connection, is_asked);
        _exit(0);
      }
      close(connection);
    }
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
  }
}
