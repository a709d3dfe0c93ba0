// Executes a program under a kernel that lacks system calls, or answers them falsely:
//
//     without-calls ERROR CALL[:INDEX=VALUE][,INDEX!VALUE]... -- PROGRAM [ARGUMENT...]
//
// Each CALL, or each with this value of an argument and without that of another, fails with the error's number; with 0 it succeeds and does nothing.
#define _GNU_SOURCE
#include <err.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void refuse(scmp_filter_ctx context, uint32_t action, char *text) {
  char *condition = strchr(text, ':');
  if (condition != NULL) *condition++ = '\0';
  int number = seccomp_syscall_resolve_name(text);
  if (number == __NR_SCMP_ERROR) errx(64, "no system call %s", text);
  struct scmp_arg_cmp comparisons[6];
  unsigned count = 0;
  for (char *one = condition; one != NULL && count < 6; count++) {
    char *value = strpbrk(one, "=!");
    if (value == NULL) errx(64, "%s: expected INDEX=VALUE or INDEX!VALUE", one);
    comparisons[count] = SCMP_CMP(
        (unsigned)atoi(one), *value == '=' ? SCMP_CMP_EQ : SCMP_CMP_NE, strtoull(value + 1, NULL, 0));
    if ((one = strchr(value, ',')) != NULL) one++;
  }
  if (seccomp_rule_add_array(context, action, number, count, comparisons) != 0) errx(1, "%s: no rule", text);
}

int main(int count, char **arguments) {
  if (count < 2) errx(64, "usage: without-calls ERROR CALL[:INDEX=VALUE]... -- PROGRAM [ARGUMENT...]");
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
  uint32_t action = SCMP_ACT_ERRNO((unsigned)atoi(arguments[1]));
  int i = 2;
  for (; i < count && strcmp(arguments[i], "--") != 0; i++) refuse(context, action, arguments[i]);
  if (i + 1 >= count) errx(64, "no program");
  // Root needs no such promise, which could not be tested then.
  if (geteuid() == 0) seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0);
  if (seccomp_load(context) != 0) errx(1, "the filter cannot be loaded");
  execv(arguments[i + 1], arguments + i + 1);
  err(127, "%s", arguments[i + 1]);
}
