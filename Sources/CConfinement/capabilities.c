#define _GNU_SOURCE
#include "CConfinement.h"
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// By system call: libcap has functions for these, but is no library of the static listener's.
static int get(struct __user_cap_data_struct data[2]) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  return (int)syscall(SYS_capget, &header, data);
}

int confinement_clear_ambient_capabilities(void) {
  // A kernel before 4.3 has no ambient set.
  return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL) == -1 && errno != EINVAL ? -1 : 0;
}

int confinement_raise_ambient_capabilities(uint64_t capabilities) {
  for (unsigned long capability = 0; capability < 64; capability++)
    if ((capabilities >> capability & 1) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0UL, 0UL) == -1)
      return -1;
  return 0;
}

int confinement_cut_bounding_set(uint64_t kept) {
  for (unsigned long capability = 0; capability < 64; capability++) {
    if ((kept >> capability & 1) != 0) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0UL, 0UL, 0UL) == -1) return errno == EINVAL && capability > 0 ? 0 : -1;
  }
  return 0;
}

int confinement_write_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct data[2], present[2];
  for (int i = 0; i < 2; i++) {
    data[i].effective = (uint32_t)(effective >> 32 * i);
    data[i].permitted = (uint32_t)(permitted >> 32 * i);
    data[i].inheritable = (uint32_t)(inheritable >> 32 * i);
  }
  // A service manager's filter may refuse the call to a process that has no capability to lose.
  if (get(present) == 0 && memcmp(present, data, sizeof data) == 0) return 0;
  return (int)syscall(SYS_capset, &header, data);
}

int confinement_read_effective_capabilities(uint64_t *effective) {
  struct __user_cap_data_struct data[2];
  if (get(data) == -1) return -1;
  *effective = (uint64_t)data[1].effective << 32 | data[0].effective;
  return 0;
}

int confinement_read_capabilities(struct confinement_capability_sets *sets) {
  struct __user_cap_data_struct data[2];
  if (get(data) == -1) return -1;
  *sets = (struct confinement_capability_sets){
    .effective = (uint64_t)data[1].effective << 32 | data[0].effective,
    .permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted,
    .inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable,
  };
  // The kernel answers EINVAL for the first number that is no capability.
  for (unsigned long capability = 0; capability < 64; capability++) {
    int bounding = prctl(PR_CAPBSET_READ, capability, 0UL, 0UL, 0UL);
    if (bounding == -1) break;
    if (bounding == 1) sets->bounding |= 1ULL << capability;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0UL, 0UL) == 1) sets->ambient |= 1ULL << capability;
  }
  return 0;
}

int confinement_set_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL); }
int confinement_has_no_new_privileges(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0UL, 0UL, 0UL, 0UL); }
int confinement_clear_dumpable(void) { return prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL); }
bool confinement_may_change_nice(void) {
  int present = getpriority(PRIO_PROCESS, 0);
  pid_t child = vfork();
  if (child == -1) return true;
  if (child == 0) _exit(setpriority(PRIO_PROCESS, 0, present) == 0 ? 0 : 1);
  int status = 0;
  while (waitpid(child, &status, 0) == -1)
    if (errno != EINTR) return true;
  return status == 0;
}

int confinement_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0UL, 0UL, 0UL, 0UL); }
