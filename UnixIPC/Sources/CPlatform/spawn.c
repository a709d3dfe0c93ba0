#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Everything up to platform_spawn runs in the child, in the parent's memory: only async-signal-safe calls, no
// allocation, no lock.

static void for_each(uint64_t signals, void (*change)(int)) {
  for (int number = 1; signals != 0; number++, signals >>= 1)
    if ((signals & 1) != 0) change(number);
}

// By system call: the C library's fexecve(3) falls back on /proc.
int platform_execute(int file, const char *path, char *const *arguments, char *const *environment) {
  return file == -1 ? execve(path, arguments, environment)
                    : (int)syscall(SYS_execveat, file, "", arguments, environment, AT_EMPTY_PATH);
}

static const char *place_descriptors(const int *descriptors, int count) {
  // Where a target is also a source, dup2 would overwrite what is still to be copied: copies above all targets first.
  int copies[count > 0 ? count : 1];
  bool overlaps = false;
  for (int i = 0; i < count; i++) {
    copies[i] = descriptors[i];
    if (descriptors[i] < count) overlaps = true;
  }
  for (int i = 0; overlaps && i < count; i++) {
    copies[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, count);
    if (copies[i] == -1) return "fcntl";
  }
  for (int i = 0; i < count; i++)
    if (dup2(copies[i], i) == -1) return "dup2";
  return NULL;
}

static void write_decimal(pid_t number, char *digits) {
  char reversed[10];
  int count = 0;
  do {
    reversed[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0 && count < 10);
  while (count > 0) *digits++ = reversed[--count];
  *digits = '\0';
}

static const char *set_limits(const struct platform_spawn *program, bool of_processes) {
  for (int i = 0; i < program->limit_count; i++) {
    const struct platform_limit *limit = &program->limits[i];
    struct rlimit native = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
    if ((limit->resource == RLIMIT_NPROC) == of_processes &&
        setrlimit((__rlimit_resource_t)limit->resource, &native) == -1)
      return "setrlimit";
  }
  return NULL;
}

// By system call: the C library's functions would change the caller's other threads, whose memory may be shared.
static const char *become(const struct platform_identity *identity) {
  // A process without privileges may keep the groups that it has, if they are the ones that are wanted, and no others.
  if (syscall(SYS_setgroups, identity->group_count, identity->groups) == -1 && errno != EPERM) return "setgroups";
  if (!platform_has_groups(identity->groups, identity->group_count, identity->group)) {
    errno = EPERM;
    return "setgroups";
  }
  gid_t group = identity->group, groups[3];
  if (syscall(SYS_setresgid, group, group, group) == -1) return "setresgid";
  uid_t user = identity->user, users[3];
  if (syscall(SYS_setresuid, user, user, user) == -1) return "setresuid";

  if (getresuid(&users[0], &users[1], &users[2]) == -1) return "getresuid";
  if (getresgid(&groups[0], &groups[1], &groups[2]) == -1) return "getresgid";
  for (int i = 0; i < 3; i++)
    if (users[i] != user || groups[i] != group) {
      errno = EPERM;
      return "setresuid";
    }
  return platform_drop_capabilities(user == 0) == -1 ? "capset" : NULL;
}

static const char *prepare(const struct platform_spawn *program, pid_t parent) {
  int file = program->file;
  // Out of the way of the program's own numbers.
  if (file != -1 && file < program->descriptor_count) {
    file = fcntl(file, F_DUPFD_CLOEXEC, program->descriptor_count);
    if (file == -1) return "fcntl";
  }
  // A session's leader leads a group too, and setpgid(2) would fail for it.
  if (program->new_session) {
    if (setsid() == -1) return "setsid";
  } else if (program->new_group && setpgid(0, 0) == -1) {
    return "setpgid";
  }
  const char *failure = place_descriptors(program->descriptors, program->descriptor_count);
  if (failure != NULL) return failure;
  if (program->controlling_terminal && ioctl(0, TIOCSCTTY, 0) == -1) return "TIOCSCTTY";

  if (program->file_mode_mask != -1) umask((mode_t)program->file_mode_mask);
  if (program->nice != 0) {
    errno = 0;
    if (nice(program->nice) == -1 && errno != 0) return "nice";
  }
  if ((failure = set_limits(program, false)) != NULL) return failure;
  if (program->identity != NULL && (failure = become(program->identity)) != NULL) return failure;
  // Only now: it counts the processes of the real user (setrlimit(2)).
  if ((failure = set_limits(program, true)) != NULL) return failure;
  if (program->directory != NULL && chdir(program->directory) == -1) return "chdir";
  // Only now: a change of identity clears it.
  if (program->death_signal != 0) {
    if (prctl(PR_SET_PDEATHSIG, (unsigned long)program->death_signal, 0UL, 0UL, 0UL) == -1) return "prctl";
    // Too late for a parent that is dead already: the signal would never come.
    if (getppid() != parent) {
      errno = ESRCH;
      return "getppid";
    }
  }
  if (program->process_digits != NULL) write_decimal(getpid(), program->process_digits);

  if (syscall(SYS_close_range, (unsigned)program->descriptor_count, ~0U, CLOSE_RANGE_CLOEXEC) == -1)
    return "close_range";
  // "Ignored" survives execve: SIGPIPE ignored unasked is the classic surprise.
  for_each(program->changed_signals, platform_restore_disposition);
  for_each(program->ignored_signals, platform_ignore_signal);
  sigset_t none;
  sigemptyset(&none);
  if (sigprocmask(SIG_SETMASK, &none, NULL) == -1) return "sigprocmask";
  platform_execute(file, program->path, program->arguments, program->environment);
  return "execve";
}

// What the parent finds: why the program was not executed, else NULL, and its number.
struct outcome { const char *step; int error; pid_t process; };

_Noreturn static void live(const struct platform_spawn *program, volatile struct outcome *outcome, pid_t parent) {
  outcome->process = getpid();
  outcome->step = prepare(program, parent);
  outcome->error = errno;
  _exit(127);
}

// Returns in the parent only.
static pid_t start_child(const struct platform_spawn *program, volatile struct outcome *outcome) {
  pid_t parent = getpid();
  // Another user's process, even for a moment, gets a copy of the memory, and not the caller's own.
  if (program->identity != NULL) platform_inherit_stack(true);
  pid_t child =
      program->identity == NULL ? vfork() : (pid_t)syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0UL, 0UL, 0UL, 0UL);
  if (child != 0) {
    int error = errno;
    if (program->identity != NULL) platform_inherit_stack(false);
    errno = error;
    return child;
  }
  if (!program->orphan) live(program, outcome, parent);
  parent = getpid();
  pid_t grandchild = vfork();
  if (grandchild == 0) live(program, outcome, parent);
  if (grandchild == -1) {
    outcome->step = "vfork";
    outcome->error = errno;
  }
  _exit(0);
}

static void reap(pid_t child) {
  while (syscall(SYS_wait4, child, NULL, 0, NULL) == -1 && errno == EINTR) continue;
}

pid_t platform_spawn(const struct platform_spawn *program, const char **failed_step) {
  struct outcome here = {NULL, 0, -1};
  volatile struct outcome *outcome = &here;
  *failed_step = "mmap";
  if (program->identity != NULL) {
    outcome = mmap(NULL, sizeof here, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcome == MAP_FAILED) return -1;
  }
  // No signal may run a handler of the parent's in the child, which shares its memory.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t child = start_child(program, outcome);
  int error = child == -1 ? errno : outcome->error;
  *failed_step = child == -1 ? "vfork" : outcome->step;
  pid_t process = program->orphan ? outcome->process : child;
  pthread_sigmask(SIG_SETMASK, &before, NULL);

  if (outcome != &here) munmap((void *)outcome, sizeof here);
  // It is dead already, or ends immediately: no failed start leaves a zombie.
  if (child != -1 && (*failed_step != NULL || program->orphan)) reap(child);
  if (*failed_step == NULL) return process;
  errno = error;
  return -1;
}
