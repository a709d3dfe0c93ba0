#define _GNU_SOURCE
#include "listen.h"

#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Numbers only: getaddrinfo(3) belongs in no static program. */
socklen_t read_address(const char *host, const char *port, struct sockaddr_storage *address) {
  struct sockaddr_in *four = (struct sockaddr_in *)address;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
  char *end;
  unsigned long number = strtoul(port, &end, 10);
  if (*port == 0 || *end != 0 || number > 65535) errx(64, "%s: no port number", port);

  memset(address, 0, sizeof *address);
  if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(number);
    return sizeof *four;
  }
  if (inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(number);
    return sizeof *six;
  }
  errx(64, "%s: no address", host);
}

int bind_as_told(int argc, char **argv, int type) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
    exit(64);
  }
  struct sockaddr_storage address;
  socklen_t length = read_address(argv[1], argv[2], &address);
  int one = 1;
  int number = socket(address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (number == -1) err(1, "socket");
  if (setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == -1) err(1, "setsockopt");
  if (bind(number, (struct sockaddr *)&address, length) == -1) err(1, "bind %s %s", argv[1], argv[2]);
  if (type == SOCK_STREAM && listen(number, 4096) == -1) err(1, "listen");
  if (getsockname(number, (struct sockaddr *)&address, &length) == -1) err(1, "getsockname");
  /* The port stands at the same place in both families. */
  printf("ready %s %d\n", argv[1], ntohs(((struct sockaddr_in *)&address)->sin_port));
  fflush(stdout);
  return number;
}

int listen_as_told(int argc, char **argv) { return bind_as_told(argc, argv, SOCK_STREAM); }
