#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <malloc.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Raw clone(2): its flags' low byte is the exit signal, which fork(2) fixes to SIGCHLD.  clone3(2) is ENOSYS in a unit
// with RestrictNamespaces=.  The child keeps the C library's cached thread id: it must not start threads.
pid_t platform_fork(int exit_signal) {
  platform_inherit_stack(true);
  pid_t child = (pid_t)syscall(SYS_clone, (unsigned long)exit_signal, 0UL, 0UL, 0UL, 0UL);
  int error = errno;
  platform_inherit_stack(false);
  errno = error;
  return child;
}

// The C library registers whole units of 32 bytes (Linux 6.3); __rseq_size is the part in use, or 0 if it has not.
bool platform_leave_rseq(void) {
  if (__rseq_size == 0) return true;
  enum { unit = 32 };
  char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
  unsigned registered_size = (__rseq_size + unit - 1) / unit * unit;
  return syscall(SYS_rseq, area, registered_size, RSEQ_FLAG_UNREGISTER, RSEQ_SIG) == 0;
}

bool platform_has_one_thread(void) { return __libc_single_threaded; }

char **platform_environment(void) { return environ; }
void platform_set_environment(char **environment) { environ = environment; }

// By syscall(2), as the clone before them: a connection process then needs one page of the C library less for each.
int platform_prctl(int option, unsigned long argument) {
  return (int)syscall(SYS_prctl, option, argument, 0UL, 0UL, 0UL);
}
int platform_replace(int fd, int other) { return (int)syscall(SYS_dup3, other, fd, 0); }
pid_t platform_getppid(void) { return (pid_t)syscall(SYS_getppid); }
int platform_set_signal_mask(const sigset_t *mask) {
  return (int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, 8UL);
}

pid_t platform_peek_child(void) {
  siginfo_t information = {.si_pid = 0};
  return waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 ? information.si_pid : 0;
}

int platform_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0U); }
int platform_pidfd_send_signal(int fd, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0U);
}

int platform_setresuid(uid_t uid) { return setresuid(uid, uid, uid); }
int platform_setresgid(gid_t gid) { return setresgid(gid, gid, gid); }
int platform_getresuid(uid_t *r, uid_t *e, uid_t *s) { return getresuid(r, e, s); }
int platform_getresgid(gid_t *r, gid_t *e, gid_t *s) { return getresgid(r, e, s); }

// The kernel clears capabilities only when root becomes another user.  The ambient set loses what is not inheritable.
int platform_drop_capabilities(bool keeps_roots) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct sets[2];
  if (syscall(SYS_capget, &header, sets) == -1) return -1;
  uint32_t dropped = 0;
  for (int i = 0; i < 2; i++) {
    dropped |= sets[i].inheritable;
    sets[i].inheritable = 0;
    if (keeps_roots) continue;
    dropped |= sets[i].permitted;
    sets[i].permitted = sets[i].effective = 0;
  }
  // A process without any may be under a filter that refuses the call.
  return dropped == 0 ? 0 : (int)syscall(SYS_capset, &header, sets);
}

static bool contains(const gid_t *groups, size_t count, gid_t wanted) {
  for (size_t i = 0; i < count; i++)
    if (groups[i] == wanted) return true;
  return false;
}

// Also called between fork and exec: the list may have 65,536 groups, too many for the stack, and nothing may be allocated
// there but by the kernel.
bool platform_has_groups(const gid_t *groups, size_t count, gid_t primary) {
  long present_count = syscall(SYS_getgroups, 0, NULL);
  if (present_count < 0) return false;
  size_t size = (size_t)(present_count > 0 ? present_count : 1) * sizeof(gid_t);
  gid_t *present = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (present == MAP_FAILED) return false;
  bool is_same = syscall(SYS_getgroups, present_count, present) == present_count;
  for (long i = 0; is_same && i < present_count; i++)
    is_same = present[i] == primary || contains(groups, count, present[i]);
  for (size_t i = 0; is_same && i < count; i++)
    is_same = groups[i] == primary || contains(present, (size_t)present_count, groups[i]);
  munmap(present, size);
  return is_same;
}

int platform_getrlimit(int resource, uint64_t *soft, uint64_t *hard) {
  struct rlimit limit;
  if (getrlimit((__rlimit_resource_t)resource, &limit) == -1) return -1;
  *soft = limit.rlim_cur;
  *hard = limit.rlim_max;
  return 0;
}

// Also called in connection processes: by syscall(2) as above.
int platform_setrlimit(int resource, uint64_t soft, uint64_t hard) {
  struct { uint64_t soft, hard; } limit = {soft, hard};
  return (int)syscall(SYS_prlimit64, 0, resource, &limit, NULL);
}

void platform_trim_heap(void) {
  // Without room at its top, the heap would grow later by a mapping of its own, which every fork would copy.
  enum { room = 1 << 16 };
  // Otherwise the compiler leaves both calls out.
  void *volatile memory = malloc(room);
  free(memory);
  malloc_trim(room);
}

bool platform_exited(int status) { return WIFEXITED(status); }
int platform_exit_code(int status) { return WEXITSTATUS(status); }
bool platform_signaled(int status) { return WIFSIGNALED(status); }
int platform_termination_signal(int status) { return WTERMSIG(status); }
bool platform_dumped_core(int status) { return WCOREDUMP(status); }

const char *platform_executed_file(void) { return (const char *)getauxval(AT_EXECFN); }
