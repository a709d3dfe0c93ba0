#define _GNU_SOURCE
#include "CConfinement.h"
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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

bool confinement_may_empty_bounding_set(void) {
  struct __user_cap_data_struct data[2];
  return get(data) == 0 && (data[0].effective & 1U << CAP_SETPCAP) != 0;
}

int confinement_empty_bounding_set(void) {
  for (unsigned long capability = 0; capability < 64; capability++)
    if (prctl(PR_CAPBSET_DROP, capability, 0UL, 0UL, 0UL) == -1) return errno == EINVAL && capability > 0 ? 0 : -1;
  return 0;
}

int confinement_clear_capabilities(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct none[2] = {0};
  return (int)syscall(SYS_capset, &header, none);
}

int confinement_capability_sets(void) {
  struct __user_cap_data_struct data[2];
  if (get(data) == -1) return -1;
  int sets = 0;
  for (int i = 0; i < 2; i++) {
    if (data[i].effective != 0) sets |= CONFINEMENT_EFFECTIVE;
    if (data[i].permitted != 0) sets |= CONFINEMENT_PERMITTED;
    if (data[i].inheritable != 0) sets |= CONFINEMENT_INHERITABLE;
  }
  // The kernel answers EINVAL for the first number that is no capability.
  for (unsigned long capability = 0; capability < 64; capability++) {
    int bounding = prctl(PR_CAPBSET_READ, capability, 0UL, 0UL, 0UL);
    if (bounding == -1) break;
    if (bounding == 1) sets |= CONFINEMENT_BOUNDING;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0UL, 0UL) == 1) sets |= CONFINEMENT_AMBIENT;
  }
  return sets;
}

uint64_t confinement_effective_capabilities(void) {
  struct __user_cap_data_struct data[2];
  return get(data) == 0 ? (uint64_t)data[1].effective << 32 | data[0].effective : 0;
}

int confinement_set_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL); }
int confinement_has_no_new_privileges(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0UL, 0UL, 0UL, 0UL); }
int confinement_clear_dumpable(void) { return prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL); }
int confinement_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0UL, 0UL, 0UL, 0UL); }
