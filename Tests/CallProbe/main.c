// Places system calls in a live process that waits in one, as an attacker who has taken it over would make them:
//
//     call-probe PROCESS CALL [ARGUMENT...] [-- CALL [ARGUMENT...]]...
//
// An argument is a number, @TEXT for a string in the process's memory, or % for 256 zeroed bytes there.  A line for each
// call has its result, or the error's negative number.  Then the process goes on as before.
//
// The call `fill START SIZE BYTE` writes to the process's memory, as far as it is mapped for writing; a BYTE of more than
// 255 stands for random ones.  Its result is the number of bytes.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__

static pid_t target;

static void await_stop(void) {
  int status;
  if (waitpid(target, &status, __WALL) == -1) err(1, "waitpid");
  if (!WIFSTOPPED(status)) {
    printf("ended %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    exit(0);
  }
}

static void put(unsigned long place, const void *bytes, size_t size) {
  struct iovec from = {(void *)bytes, size}, to = {(void *)place, size};
  if (process_vm_writev(target, &from, 1, &to, 1, 0) != (ssize_t)size) err(1, "process_vm_writev");
}

static unsigned long value(const char *text, unsigned long *room) {
  char bytes[256] = {0};
  if (text[0] != '@' && text[0] != '%') return strtoul(text, NULL, 0);
  if (text[0] == '@') strncpy(bytes, text + 1, sizeof bytes - 1);
  *room -= sizeof bytes;
  put(*room, bytes, sizeof bytes);
  return *room;
}

static void fill(char **words, int count) {
  if (count != 4) errx(64, "usage: fill START SIZE BYTE");
  unsigned long start = strtoul(words[1], NULL, 0), size = strtoul(words[2], NULL, 0), byte = strtoul(words[3], NULL, 0);
  unsigned char bytes[4096];
  unsigned long written = 0;
  while (written < size) {
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(byte > 255 ? random() : (long)byte);
    size_t part = size - written < sizeof bytes ? size - written : sizeof bytes;
    struct iovec from = {bytes, part}, to = {(void *)(start + written), part};
    ssize_t result = process_vm_writev(target, &from, 1, &to, 1, 0);
    if (result <= 0) break;
    written += (unsigned long)result;
  }
  printf("%ld\n", written > 0 ? (long)written : -(long)errno);
}

static void call(char **words, int count, const struct user_regs_struct *before) {
  int number = seccomp_syscall_resolve_name(words[0]);
  if (number == __NR_SCMP_ERROR) errx(64, "no system call %s", words[0]);
  // Below what a leaf function may use.
  unsigned long room = (before->rsp & ~15UL) - 4096, arguments[6] = {0};
  for (int i = 1; i < count && i <= 6; i++) arguments[i - 1] = value(words[i], &room);
  struct user_regs_struct registers = *before;
  // The instruction that the process waits in is a syscall; without a number of its own, nothing is restarted.
  registers.rip -= 2;
  registers.orig_rax = -1UL;
  registers.rax = (unsigned long)number;
  registers.rdi = arguments[0];
  registers.rsi = arguments[1];
  registers.rdx = arguments[2];
  registers.r10 = arguments[3];
  registers.r8 = arguments[4];
  registers.r9 = arguments[5];
  if (ptrace(PTRACE_SETREGS, target, NULL, &registers) == -1) err(1, "PTRACE_SETREGS");
  if (ptrace(PTRACE_SINGLESTEP, target, NULL, NULL) == -1) err(1, "PTRACE_SINGLESTEP");
  await_stop();
  if (ptrace(PTRACE_GETREGS, target, NULL, &registers) == -1) err(1, "PTRACE_GETREGS");
  printf("%ld\n", (long)registers.rax);
}

int main(int count, char **words) {
  if (count < 3) errx(64, "usage: call-probe PROCESS CALL [ARGUMENT...] [-- CALL [ARGUMENT...]]...");
  target = atoi(words[1]);
  if (ptrace(PTRACE_ATTACH, target, NULL, NULL) == -1) err(1, "PTRACE_ATTACH");
  await_stop();
  struct user_regs_struct before;
  if (ptrace(PTRACE_GETREGS, target, NULL, &before) == -1) err(1, "PTRACE_GETREGS");
  unsigned char instruction[2];
  struct iovec to = {instruction, 2}, from = {(void *)(before.rip - 2), 2};
  if (process_vm_readv(target, &to, 1, &from, 1, 0) != 2 || instruction[0] != 0x0f || instruction[1] != 0x05)
    errx(1, "process %d waits in no system call", target);
  for (int i = 2; i < count;) {
    int end = i;
    while (end < count && strcmp(words[end], "--") != 0) end++;
    if (strcmp(words[i], "fill") == 0)
      fill(words + i, end - i);
    else
      call(words + i, end - i, &before);
    i = end + 1;
  }
  if (ptrace(PTRACE_SETREGS, target, NULL, &before) == -1) err(1, "PTRACE_SETREGS");
  if (ptrace(PTRACE_DETACH, target, NULL, NULL) == -1) err(1, "PTRACE_DETACH");
  return 0;
}

#else
int main(void) { errx(69, "knows the registers of x86-64 only"); }
#endif
