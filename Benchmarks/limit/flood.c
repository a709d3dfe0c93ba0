/* Begins connections at a steady rate, whatever becomes of those before: so does a noisy client, and so do many good
   ones.  They come from one source address or, as ADDRESS+COUNT, from so many in turn: successive addresses of IPv4,
   addresses of successive /64 networks of IPv6.  Each connection is read to its end.  SIGTERM ends the offers before
   their time.  Prints one JSON object:

     offered      connections begun           served       ended in order after at least one byte
     rate         of them in a second         closed       ended in order without a byte
     short        of the served, those with another number of bytes than BYTES
     failed       refused, reset, or no socket or port to be had for them
     unfinished   without an end for the time limit, or at the end of all
     p50 p75 p90 p95 p99 p99_9 max
                  microseconds from connect(2) to the end of file; one that failed or has no end took the time limit */

#define _GNU_SOURCE
#include "listen.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { time_limit = 5 /* seconds */, second = 1000000 /* microseconds */, most_events = 256, most_at_once = 64 };

struct connection {
  int64_t begun; /* 0: none */
  long bytes;
};

static struct connection *connections; /* by descriptor */
static int descriptors;
static struct sockaddr_storage server, source;
static socklen_t server_length, source_length;
static long source_count = 1, next_source, expected_bytes;
static int poller;
static volatile sig_atomic_t is_stopped;
static long living, served, closed, shortened, failed, unfinished;
static uint32_t *latencies;
static long latency_count;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * second + time.tv_nsec / 1000;
}

static void count(long *kind, int64_t latency) {
  ++*kind;
  latencies[latency_count++] = (uint32_t)latency;
}

static void end(int number, long *kind, int64_t latency) {
  count(kind, latency);
  connections[number].begun = 0;
  living--;
  close(number);
}

static void stop(int signal) {
  (void)signal;
  is_stopped = 1;
}

/* The source whose turn it is. */
static struct sockaddr_storage take_source(void) {
  struct sockaddr_storage address = source;
  uint32_t offset = (uint32_t)(next_source++ % source_count);
  if (address.ss_family == AF_INET) {
    struct in_addr *host = &((struct sockaddr_in *)&address)->sin_addr;
    host->s_addr = htonl(ntohl(host->s_addr) + offset);
  } else {
    uint8_t *host = ((struct sockaddr_in6 *)&address)->sin6_addr.s6_addr;
    offset += (uint32_t)host[6] << 8 | host[7];
    host[6] = (uint8_t)(offset >> 8);
    host[7] = (uint8_t)offset;
  }
  return address;
}

static void begin(void) {
  int number = socket(server.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (number == -1) {
    count(&failed, (int64_t)time_limit * second);
    return;
  }
  /* The port is chosen by connect, which knows the server: otherwise each port of the source serves one server only. */
  int one = 1;
  setsockopt(number, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = number};
  connections[number] = (struct connection){.begun = now()};
  living++;
  struct sockaddr_storage from = take_source();
  if (bind(number, (struct sockaddr *)&from, source_length) == -1 ||
      (connect(number, (struct sockaddr *)&server, server_length) == -1 && errno != EINPROGRESS) ||
      epoll_ctl(poller, EPOLL_CTL_ADD, number, &event) == -1)
    end(number, &failed, (int64_t)time_limit * second);
}

static void take(int number) {
  struct connection *connection = &connections[number];
  char bytes[4096];
  for (;;) {
    ssize_t length = recv(number, bytes, sizeof bytes, 0);
    if (length > 0) {
      connection->bytes += length;
      continue;
    }
    if (length == 0) {
      if (connection->bytes > 0 && expected_bytes > 0 && connection->bytes != expected_bytes) shortened++;
      return end(number, connection->bytes > 0 ? &served : &closed, now() - connection->begun);
    }
    if (errno != EAGAIN) end(number, &failed, (int64_t)time_limit * second);
    return;
  }
}

static void give_up(int64_t begun_before) {
  struct linger at_once = {.l_onoff = 1};
  for (int number = 0; number < descriptors; number++) {
    if (connections[number].begun == 0 || connections[number].begun > begun_before) continue;
    setsockopt(number, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    end(number, &unfinished, (int64_t)time_limit * second);
  }
}

static int start_timer(double rate) {
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (timer == -1) err(1, "timerfd_create");
  int64_t pause = (int64_t)(1e9 / rate);
  struct timespec each = {.tv_sec = pause / 1000000000, .tv_nsec = pause % 1000000000};
  struct itimerspec times = {.it_interval = each, .it_value = each};
  if (timerfd_settime(timer, 0, &times, NULL) == -1) err(1, "timerfd_settime");
  struct epoll_event event = {.events = EPOLLIN, .data.fd = timer};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event) == -1) err(1, "epoll_ctl");
  return timer;
}

static void prepare(long wanted) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  if (limit.rlim_cur > 1 << 20) limit.rlim_cur = 1 << 20;
  if (setrlimit(RLIMIT_NOFILE, &limit) == -1) err(1, "setrlimit");
  descriptors = (int)limit.rlim_cur;
  connections = calloc((size_t)descriptors, sizeof *connections);
  latencies = calloc((size_t)wanted, sizeof *latencies);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (connections == NULL || latencies == NULL || poller == -1) err(1, "prepare");
}

static int ascending(const void *a, const void *b) {
  uint32_t first = *(const uint32_t *)a, other = *(const uint32_t *)b;
  return (first > other) - (first < other);
}

static double positive(const char *text) {
  char *rest;
  double number = strtod(text, &rest);
  if (*text == 0 || *rest != 0 || !(number > 0 && number <= 1e6)) errx(64, "%s: a number above 0", text);
  return number;
}

int main(int argc, char **argv) {
  if (argc != 6 && argc != 7) {
    fprintf(stderr, "usage: %s ADDRESS PORT SOURCE[+COUNT] RATE SECONDS [BYTES]\n", argv[0]);
    return 64;
  }
  server_length = read_address(argv[1], argv[2], &server);
  char *count = strchr(argv[3], '+');
  if (count != NULL) {
    *count = 0;
    source_count = (long)positive(count + 1);
  }
  if (argc == 7) expected_bytes = (long)positive(argv[6]);
  source_length = read_address(argv[3], "0", &source);
  double rate = positive(argv[4]), seconds = positive(argv[5]);
  long wanted = (long)(rate * seconds), offered = 0;
  if (wanted < 1) errx(64, "not one connection in that time");
  prepare(wanted);
  signal(SIGTERM, stop);

  int timer = start_timer(rate);
  int64_t start = now(), last = start, swept = start;
  /* Where the rate cannot be kept up, what is missing is not made good for ever: the report says what was reached. */
  int64_t end_of_offers = start + (int64_t)((seconds + 1) * second);
  uint64_t due = 0;
  while (offered < wanted || (living > 0 && now() - last < (int64_t)time_limit * second)) {
    if (is_stopped || now() > end_of_offers) wanted = offered;
    struct epoll_event events[most_events];
    int ready = epoll_wait(poller, events, most_events, due > 0 && offered < wanted ? 0 : 100);
    for (int index = 0; index < ready; index++) {
      uint64_t expired = 0;
      if (events[index].data.fd != timer) take(events[index].data.fd);
      else if (read(timer, &expired, sizeof expired) == sizeof expired) due += expired;
    }
    for (int count = 0; count < most_at_once && due > 0 && offered < wanted; count++, due--, offered++) {
      begin();
      last = now();
    }
    if (now() - swept > second / 10) {
      swept = now();
      give_up(swept - (int64_t)time_limit * second);
    }
  }
  give_up(INT64_MAX);

  qsort(latencies, (size_t)latency_count, sizeof *latencies, ascending);
  if (latency_count == 0) errx(1, "stopped before the first connection");
  printf("{\"offered\": %ld, \"rate\": %.1f, \"served\": %ld, \"short\": %ld, \"closed\": %ld, \"failed\": %ld, "
         "\"unfinished\": %ld",
      offered, (double)offered * second / (double)(last > start ? last - start : 1), served, shortened, closed, failed,
      unfinished);
  static const struct {
    const char *name;
    long per_thousand;
  } columns[] = {{"p50", 500}, {"p75", 750}, {"p90", 900}, {"p95", 950}, {"p99", 990}, {"p99_9", 999}};
  for (size_t index = 0; index < sizeof columns / sizeof *columns; index++)
    printf(", \"%s\": %u", columns[index].name, latencies[latency_count * columns[index].per_thousand / 1000]);
  printf(", \"max\": %u}\n", latencies[latency_count - 1]);
}
