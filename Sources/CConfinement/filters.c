#define _GNU_SOURCE
#include "CConfinement.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

// By prctl(2): systemd 252's group @system-service has no seccomp(2).
bool confinement_takes_filters(void) {
  // Without instructions, a kernel that takes filters answers EFAULT.
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0UL, 0UL, 0UL) == -1 && errno == EFAULT;
}

int confinement_load_filter(const void *instructions, unsigned count) {
  struct sock_fprog program = {.len = (unsigned short)count, .filter = (struct sock_filter *)instructions};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0UL, 0UL);
}
