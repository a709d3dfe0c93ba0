/* A load generator in plain C, in a closed loop: CONCURRENCY clients, each of which asks, waits for the end of the reply
   and asks again, for SECONDS.  A client over TCP connects, sends LINE if there is one, reads to the end of file and
   closes.  With -u it sends an empty datagram, and again after -t milliseconds (1000) without an answer: that is a lost
   one, which does not count as failed.
   Prints one JSON object with the names of begat load --json.  A reply without a byte has failed, and so has one with
   another number of bytes than -e. */

#define _GNU_SOURCE
#include "listen.h"

#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { second = 1000000000, most_events = 256, most_clients = 4096, kept = 1 << 24 };

struct client {
  int number; /* -1: none */
  int64_t begun, bytes;
};

static struct client clients[most_clients];
static struct sockaddr_storage server;
static socklen_t server_length;
static int poller, is_datagram;
static const char *line;
static int64_t patience = second; /* for an answer */
static long expected = -1, ok, failed, lost;
static uint32_t *latencies; /* microseconds */

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * second + time.tv_nsec;
}

static void ask(struct client *client) {
  client->begun = now();
  client->bytes = 0;
  if (client->number == -1) {
    int type = is_datagram ? SOCK_DGRAM : SOCK_STREAM;
    client->number = socket(server.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = client};
    if (client->number == -1 || epoll_ctl(poller, EPOLL_CTL_ADD, client->number, &event) == -1) err(1, "socket");
    if (connect(client->number, (struct sockaddr *)&server, server_length) == -1 && errno != EINPROGRESS)
      err(1, "connect");
    if (line != NULL) {
      /* On loopback the connection is there when connect returns, although it says that it is in progress. */
      ssize_t sent = send(client->number, line, strlen(line), MSG_NOSIGNAL);
      if (sent == -1 && errno == EAGAIN) errx(1, "the server is too far away for this generator");
    }
  }
  if (is_datagram) send(client->number, "", 0, MSG_NOSIGNAL);
}

static void end(struct client *client, int is_ok) {
  int64_t took = now() - client->begun;
  if (expected >= 0 && client->bytes != expected) is_ok = 0;
  if (expected != 0 && client->bytes == 0) is_ok = 0;
  if (is_ok && ok < kept) latencies[ok] = (uint32_t)(took / 1000);
  ++*(is_ok ? &ok : &failed);
  if (is_datagram) return;
  close(client->number);
  client->number = -1;
}

/* Whether the reply has ended. */
static int take(struct client *client) {
  char bytes[4096];
  for (;;) {
    ssize_t length = recv(client->number, bytes, sizeof bytes, 0);
    if (length == -1 && errno == EAGAIN) return 0;
    if (length > 0) client->bytes += length;
    if (length > 0 && !is_datagram) continue;
    end(client, length >= 0);
    return 1;
  }
}

static int ascending(const void *a, const void *b) {
  uint32_t first = *(const uint32_t *)a, other = *(const uint32_t *)b;
  return (first > other) - (first < other);
}

static void report(double seconds) {
  static const struct {
    const char *name;
    double part;
  } columns[] = {{"min", 0}, {"p50", 0.5}, {"p75", 0.75}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99_9", 0.999},
      {"p99_99", 0.9999}};
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double busy = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  long count = ok < kept ? ok : kept;
  qsort(latencies, (size_t)count, sizeof *latencies, ascending);
  printf("{\"seconds\": %.6f, \"connections\": %ld, \"ok\": %ld, \"failed\": %ld, \"lost\": %ld, \"rate\": %.1f, "
         "\"generator_cpu\": %.3f",
      seconds, ok + failed, ok, failed, lost, (double)ok / seconds, busy / seconds);
  if (count > 0) {
    for (size_t index = 0; index < sizeof columns / sizeof *columns; index++)
      printf(", \"latency_%s\": %u", columns[index].name, latencies[(long)((double)(count - 1) * columns[index].part)]);
    printf(", \"latency_max\": %u", latencies[count - 1]);
  }
  puts("}");
}

int main(int argc, char **argv) {
  int option;
  while ((option = getopt(argc, argv, "ue:s:t:")) != -1) {
    if (option == 'u') is_datagram = 1;
    else if (option == 'e') expected = atol(optarg);
    else if (option == 's') line = optarg;
    else if (option == 't') patience = atol(optarg) * (second / 1000);
    else argc = 0;
  }
  if (argc - optind != 4) {
    fprintf(stderr, "usage: %s [-u] [-e BYTES] [-s LINE] [-t MILLISECONDS] ADDRESS PORT CONCURRENCY SECONDS\n", argv[0]);
    return 64;
  }
  server_length = read_address(argv[optind], argv[optind + 1], &server);
  int concurrency = atoi(argv[optind + 2]);
  double seconds = atof(argv[optind + 3]);
  if (concurrency < 1 || concurrency > most_clients || !(seconds > 0) || patience < second / 500)
    errx(64, "no such concurrency, time or patience (2 ms at least)");
  latencies = malloc(kept * sizeof *latencies);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (latencies == NULL || poller == -1) err(1, "prepare");

  int64_t start = now(), stop = start + (int64_t)(seconds * second), swept = start;
  int64_t give_up = stop + 10ll * second;
  int living = concurrency;
  for (int index = 0; index < concurrency; index++) {
    clients[index].number = -1;
    ask(&clients[index]);
  }
  while (living > 0 && now() < give_up) {
    struct epoll_event events[most_events];
    int ready = epoll_wait(poller, events, most_events, is_datagram ? (int)(patience * 1000 / second / 2) : 100);
    for (int index = 0; index < ready; index++) {
      struct client *client = events[index].data.ptr;
      if (client->begun == 0 || !take(client)) continue;
      if (now() < stop) {
        ask(client);
      } else {
        client->begun = 0;
        living--;
      }
    }
    if (!is_datagram || now() - swept < patience / 4) continue;
    swept = now();
    for (int index = 0; index < concurrency; index++) {
      if (clients[index].begun == 0 || swept - clients[index].begun < patience) continue;
      lost++;
      if (swept < stop) {
        ask(&clients[index]);
      } else {
        clients[index].begun = 0;
        living--;
      }
    }
  }
  failed += is_datagram ? 0 : living;
  report((double)(now() - start) / second);
}
