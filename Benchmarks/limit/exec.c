/* The limit for a server that executes a program for each connection: the steps between vfork and execve are those
   that begat takes, in its order, and nothing else is done.
   The program finds its client on 0 and 1, and a pipe to this server's standard error on 2.
   With -c it is confined as a program of begat's is where the service has no other settings: no privilege can be gained,
   and every system call passes a filter as long as begat's. */

#define _GNU_SOURCE
#include "listen.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What this server ignores; ignored, they would stay so in the program. */
static const int ignored[] = {SIGPIPE, SIGUSR1, SIGUSR2, SIGTTOU, SIGXFSZ};
enum { ignored_count = sizeof ignored / sizeof *ignored };

/* begat raises its own. */
static struct rlimit core, pending;
static char variables[7][80];
static char *environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "PROTO=TCP", variables[0], variables[1],
    variables[2], variables[3], variables[4], variables[5], variables[6], NULL};

/* The port stands at the same place in both families. */
static int write_host(const struct sockaddr_storage *address, char *host, socklen_t size) {
  const void *number = address->ss_family == AF_INET ? (void *)&((struct sockaddr_in *)address)->sin_addr
                                                     : (void *)&((struct sockaddr_in6 *)address)->sin6_addr;
  if (inet_ntop(address->ss_family, number, host, size) == NULL) *host = 0;
  return ntohs(((struct sockaddr_in *)address)->sin_port);
}

static void write_variables(int connection, const struct sockaddr_storage *remote, int living) {
  struct sockaddr_storage local = {.ss_family = AF_INET};
  socklen_t length = sizeof local;
  char host[INET6_ADDRSTRLEN];
  getsockname(connection, (struct sockaddr *)&local, &length);
  int port = write_host(&local, host, sizeof host);
  snprintf(variables[0], sizeof *variables, "TCPLOCALIP=%s", host);
  snprintf(variables[1], sizeof *variables, "TCPLOCALPORT=%d", port);
  port = write_host(remote, host, sizeof host);
  snprintf(variables[2], sizeof *variables, "TCPREMOTEIP=%s", host);
  snprintf(variables[3], sizeof *variables, "TCPREMOTEPORT=%d", port);
  snprintf(variables[4], sizeof *variables, "TCPCONNNUM=%d", living);
  snprintf(variables[5], sizeof *variables, "REMOTE_ADDR=%s", host);
  snprintf(variables[6], sizeof *variables, "REMOTE_PORT=%d", port);
}

/* Refuses calls that do not exist: their number is all that matters.  The kernel remembers which calls a filter always
   allows, as it does with begat's. */
static void confine(void) {
  enum { refused = 149, first_refused = 2000 };
  static struct sock_filter filter[2 * refused + 2];
  int length = 0;
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (unsigned number = first_refused; number < first_refused + refused; number++) {
    filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  }
  filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {.len = (unsigned short)length, .filter = filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) err(1, "no_new_privs");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) err(1, "seccomp");
}

/* In the child, in the parent's memory. */
static void become(char **program, int connection, int log, pid_t parent) {
  if (setpgid(0, 0) == -1) return;
  if (dup2(connection, 0) == -1 || dup2(connection, 1) == -1 || dup2(log, 2) == -1) return;
  umask(022);
  if (setrlimit(RLIMIT_CORE, &core) == -1 || setrlimit(RLIMIT_SIGPENDING, &pending) == -1) return;
  if (chdir("/") == -1) return;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent) return;
  if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == -1) return;

  struct sigaction fallback = {.sa_handler = SIG_DFL};
  for (int index = 0; index < ignored_count; index++) sigaction(ignored[index], &fallback, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(*program, program, environment);
}

/* Whether it is a child now. */
static int start(char **program, int connection, int log) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  pid_t parent = getpid();
  pid_t child = vfork();
  if (child == 0) {
    become(program, connection, log, parent);
    _exit(127);
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
  return child != -1;
}

static int watch_children(void) {
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ended, NULL);
  int children = signalfd(-1, &ended, SFD_NONBLOCK | SFD_CLOEXEC);
  if (children == -1) err(1, "signalfd");
  return children;
}

int main(int argc, char **argv) {
  int is_confined = argc > 1 && strcmp(argv[1], "-c") == 0;
  if (argc < 4 + is_confined) {
    fprintf(stderr, "usage: %s [-c] ADDRESS PORT PROGRAM [ARGUMENT...]\n", argv[0]);
    exit(64);
  }
  argv += is_confined;
  char **program = argv + 3;
  if (**program != '/') errx(64, "%s: no absolute path", *program);
  if (access(*program, X_OK) == -1) err(1, "%s", *program);
  getrlimit(RLIMIT_CORE, &core);
  getrlimit(RLIMIT_SIGPENDING, &pending);
  int log[2];
  if (pipe2(log, O_CLOEXEC) == -1) err(1, "pipe2");
  for (int index = 0; index < ignored_count; index++) signal(ignored[index], SIG_IGN);
  int children = watch_children();
  int listener = listen_as_told(3, argv);
  if (is_confined) confine();

  enum { listening, ending, logging, count };
  struct pollfd queries[count] = {
      [listening] = {.fd = listener, .events = POLLIN},
      [ending] = {.fd = children, .events = POLLIN},
      [logging] = {.fd = log[0], .events = POLLIN},
  };
  int living = 0;
  for (;;) {
    poll(queries, count, -1);
    if (queries[ending].revents) {
      struct signalfd_siginfo record;
      if (read(children, &record, sizeof record) == -1) continue;
      while (waitpid(-1, NULL, WNOHANG) > 0) living--;
    }
    if (queries[logging].revents) {
      char text[4096];
      ssize_t length = read(log[0], text, sizeof text);
      if (length > 0 && write(2, text, (size_t)length) == -1) return 1;
    }
    if (queries[listening].revents) {
      struct sockaddr_storage remote;
      socklen_t length = sizeof remote;
      int connection = accept4(listener, (struct sockaddr *)&remote, &length, SOCK_CLOEXEC);
      if (connection == -1) continue;
      write_variables(connection, &remote, living + 1);
      living += start(program, connection, log[1]);
      close(connection);
    }
  }
}
