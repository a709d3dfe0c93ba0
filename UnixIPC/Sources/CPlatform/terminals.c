#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int platform_open_pseudo_terminal(char *path, size_t size, const char **failed_step) {
  *failed_step = "posix_openpt";
  int number = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (number == -1) return -1;
  int error = 0;
  if (grantpt(number) == -1) {
    *failed_step = "grantpt";
    error = errno;
  } else if (unlockpt(number) == -1) {
    *failed_step = "unlockpt";
    error = errno;
  } else if ((error = ptsname_r(number, path, size)) != 0) {
    *failed_step = "ptsname_r";
  }
  if (error == 0) return number;
  close(number);
  errno = error;
  return -1;
}

int platform_open_terminal_side(int controlling) {
  return ioctl(controlling, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

int platform_window_size(int fd, uint16_t *columns, uint16_t *rows) {
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) == -1) return -1;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return 0;
}

int platform_set_window_size(int fd, uint16_t columns, uint16_t rows) {
  struct winsize size = {.ws_col = columns, .ws_row = rows};
  return ioctl(fd, TIOCSWINSZ, &size);
}

ssize_t platform_find_bytes(const void *bytes, size_t count, const void *wanted, size_t wanted_count) {
  const char *found = memmem(bytes, count, wanted, wanted_count);
  return found == NULL ? -1 : found - (const char *)bytes;
}

// The one terminal that the process holds in raw mode, for handlers to give back: they call nothing that is not
// async-signal-safe.

// Whose default action ends the process.  The second row are faults, which others may handle to report them.
static const int ending[] = {SIGHUP,  SIGINT,  SIGQUIT,   SIGTERM, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGVTALRM,
                             SIGPROF, SIGABRT, SIGSEGV,   SIGBUS,  SIGILL,  SIGFPE,  SIGTRAP, SIGSYS};
enum { ending_count = sizeof ending / sizeof *ending, first_fault = 11 };

static struct termios saved, raw;
static struct sigaction former[NSIG];
static volatile sig_atomic_t held = -1;
static volatile sig_atomic_t is_raw;
/// A forked child inherits handlers, but the terminal is not its to give back.
static volatile pid_t holder;

// The terminal to which a full-screen program writes with each change of the mode; -1 for other programs.
static volatile sig_atomic_t screen = -1;
static char entering[64], leaving[64];

// Writes to the screen, which does not block.  A reader that takes nothing delays the end of the process by this much.
static void show(const char *text) {
  size_t rest = strlen(text);
  struct pollfd room = {.fd = screen, .events = POLLOUT};
  while (rest > 0 && screen != -1 && poll(&room, 1, 300) == 1) {
    ssize_t count = write(screen, text, rest);
    if (count <= 0) return;
    text += count;
    rest -= (size_t)count;
  }
}

static bool is_foreground(void) {
  pid_t group = tcgetpgrp(held);
  // -1: not the process's own controlling terminal, so that no job control applies.
  return group == -1 || group == getpgrp();
}

static void give_back(void) {
  if (held == -1 || !is_raw || holder != getpid()) return;
  is_raw = 0;
  show(leaving);
  tcsetattr(held, TCSANOW, &saved);
}

static void take_again(void) {
  if (held == -1 || holder != getpid()) return;
  // Continued in the background: the terminal is another job's now, and there is nothing to give back.
  is_raw = is_foreground();
  if (!is_raw) return;
  tcsetattr(held, TCSANOW, &raw);
  show(entering);
}

static void end_by(int signal) {
  int error = errno;
  give_back();
  // The signal is blocked here; raised again, it is delivered on return, and its action is the former one then.
  sigaction(signal, &former[signal], NULL);
  raise(signal);
  errno = error;
}

static void stop_by(int signal) {
  int error = errno;
  give_back();
  struct sigaction own;
  sigaction(signal, &former[signal], &own);
  sigset_t only, before;
  sigemptyset(&only);
  sigaddset(&only, signal);
  raise(signal);
  sigprocmask(SIG_UNBLOCK, &only, &before);
  // Here the process was stopped and goes on; or its group is orphaned, and it never stopped.
  sigprocmask(SIG_SETMASK, &before, NULL);
  sigaction(signal, &own, NULL);
  take_again();
  errno = error;
}

static void go_on(int signal, siginfo_t *information, void *context) {
  int error = errno;
  take_again();
  const struct sigaction *theirs = &former[signal];
  if (theirs->sa_flags & SA_SIGINFO) {
    theirs->sa_sigaction(signal, information, context);
  } else if (theirs->sa_handler != SIG_DFL && theirs->sa_handler != SIG_IGN) {
    theirs->sa_handler(signal);
  }
  errno = error;
}

static bool is_default(const struct sigaction *action) {
  return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
}
static bool is_ignored(const struct sigaction *action) {
  return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_IGN;
}

static bool is_ours(const struct sigaction *action) {
  if (action->sa_flags & SA_SIGINFO) return action->sa_sigaction == go_on;
  return action->sa_handler == end_by || action->sa_handler == stop_by;
}

// False if the handler is one of ours already: a forked copy of a holder has them, and what its parent remembered before
// them.  Remembered as its own former one, such a handler would call itself without end.
static bool remember(int signal) {
  struct sigaction present;
  if (sigaction(signal, NULL, &present) == -1 || is_ours(&present)) return false;
  former[signal] = present;
  return true;
}

static void install_handlers(void) {
  struct sigaction action = {.sa_handler = end_by, .sa_flags = SA_RESTART | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  for (int i = 0; i < ending_count; i++) {
    int signal = ending[i];
    if (!remember(signal)) continue;
    // A handler of the program's own knows what it does; but one for faults only reports them.
    if (is_default(&former[signal]) || (i >= first_fault && !is_ignored(&former[signal])))
      sigaction(signal, &action, NULL);
  }
  action.sa_handler = stop_by;
  if (remember(SIGTSTP) && is_default(&former[SIGTSTP])) sigaction(SIGTSTP, &action, NULL);
  action.sa_sigaction = go_on;
  action.sa_flags |= SA_SIGINFO;
  if (remember(SIGCONT)) sigaction(SIGCONT, &action, NULL);
}

static void restore_handler(int signal) {
  struct sigaction present;
  // What the program set meanwhile stays.
  if (sigaction(signal, NULL, &present) == 0 && is_ours(&present)) sigaction(signal, &former[signal], NULL);
}

int platform_hold_raw(int fd, int output, const char *enter, const char *leave) {
  static bool is_registered;
  if (output != -1 && (strlen(enter) >= sizeof entering || strlen(leave) >= sizeof leaving)) {
    errno = EINVAL;
    return -1;
  }
  if (held != -1 && holder == getpid()) {
    errno = EBUSY;
    return -1;
  }
  struct termios present;
  if (tcgetattr(fd, &present) == -1) return -1;
  sigset_t most, before;
  sigfillset(&most);
  // A background job that changes its terminal is to be stopped.
  sigdelset(&most, SIGTTOU);
  pthread_sigmask(SIG_SETMASK, &most, &before);
  held = -1;
  saved = present;
  raw = present;
  cfmakeraw(&raw);
  holder = getpid();
  if (!is_registered) is_registered = atexit(give_back) == 0;
  screen = output;
  if (output != -1) {
    strcpy(entering, enter);
    strcpy(leaving, leave);
  }
  held = fd;
  is_raw = 1;
  int result;
  do result = tcsetattr(fd, TCSANOW, &raw);
  while (result == -1 && errno == EINTR);
  int error = errno;
  if (result == -1) {
    is_raw = 0;
    held = -1;
  } else {
    install_handlers();
    show(entering);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return result;
}

void platform_release_raw(void) {
  if (held == -1 || holder != getpid()) return;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  give_back();
  for (int i = 0; i < ending_count; i++) restore_handler(ending[i]);
  restore_handler(SIGTSTP);
  restore_handler(SIGCONT);
  held = -1;
  screen = -1;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}
