#define _GNU_SOURCE
#include "serve.h"

#include <arpa/inet.h>
#include <err.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { wait_for_end = 2000 /* milliseconds */, drained_reads = 64 };

/* As long as the greeting of begat's command server. */
static const char greeting[] = "Welcome to a plain C loop; send a line and it ends.\r\nReady? ";

int read_is_asked(int *argc, char **argv) {
  if (*argc != 4) return 0;
  if (strcmp(argv[3], "asked") != 0) errx(64, "%s: the only word that may follow PORT is asked", argv[3]);
  *argc = 3;
  return 1;
}

static int read_line(int connection) {
  char line[256];
  for (;;) {
    ssize_t length = recv(connection, line, sizeof line, 0);
    if (length <= 0) return 0;
    if (memchr(line, '\n', (size_t)length) != NULL) return 1;
  }
}

void serve(int connection, int is_asked) {
  uint32_t now = htonl((uint32_t)(time(NULL) + 2208988800u));
  const void *reply = is_asked ? (const void *)greeting : &now;
  size_t length = is_asked ? sizeof greeting - 1 : sizeof now;
  if (send(connection, reply, length, MSG_NOSIGNAL) != (ssize_t)length) return;
  if (is_asked && !read_line(connection)) return;
  shutdown(connection, SHUT_WR);

  char unread[4096];
  struct pollfd query = {.fd = connection, .events = POLLIN};
  for (int count = 0; count < drained_reads; count++) {
    if (poll(&query, 1, wait_for_end) <= 0) return;
    if (recv(connection, unread, sizeof unread, MSG_DONTWAIT) <= 0) return;
  }
}
