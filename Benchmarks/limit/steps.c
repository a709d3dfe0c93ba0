/* Prints where a server's program counter has been while it served clients: follows the process and the children that it
   makes, one instruction at a time, for CONNECTIONS children.
   Each line is "listener ADDRESS" or "child ADDRESS", an offset in the program's file, each once for all children, in the
   order of first use.  An instruction outside of the program, as in the kernel's page of functions, is left out. */

#define _GNU_SOURCE
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t start, end;
static unsigned char *seen[2];

static uint64_t program_counter(pid_t process) {
  struct user_regs_struct registers;
  struct iovec part = {.iov_base = &registers, .iov_len = sizeof registers};
  if (ptrace(PTRACE_GETREGSET, process, NT_PRSTATUS, &part) == -1) return 0;
#if defined(__x86_64__)
  return registers.rip;
#else
  return registers.pc;
#endif
}

static void find_program(pid_t process) {
  char path[64], program[4096], line[8192];
  snprintf(path, sizeof path, "/proc/%d/exe", process);
  ssize_t length = readlink(path, program, sizeof program - 1);
  if (length == -1) err(1, "%s", path);
  program[length] = 0;
  snprintf(path, sizeof path, "/proc/%d/maps", process);
  FILE *maps = fopen(path, "r");
  if (maps == NULL) err(1, "%s", path);
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long from, to;
    if (strstr(line, program) == NULL || sscanf(line, "%lx-%lx", &from, &to) != 2) continue;
    if (start == 0) start = from;
    end = to;
  }
  fclose(maps);
  if (start == 0) errx(1, "%s is not mapped", program);
  for (int i = 0; i < 2; i++) seen[i] = calloc(1, end - start);
}

int main(int argc, char **argv) {
  if (argc != 3) errx(64, "usage: %s PROCESS CONNECTIONS", argv[0]);
  pid_t listener = atoi(argv[1]);
  long left = atol(argv[2]);
  find_program(listener);
  if (ptrace(PTRACE_SEIZE, listener, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE) == -1) err(1, "ptrace");
  if (ptrace(PTRACE_INTERRUPT, listener, 0, 0) == -1) err(1, "ptrace");
  printf("ready\n");
  fflush(stdout);
  while (left > 0) {
    int status;
    pid_t process = waitpid(-1, &status, __WALL);
    if (process == -1) break;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (process == listener) break;
      left--;
      continue;
    }
    if (!WIFSTOPPED(status)) continue;
    uint64_t place = program_counter(process);
    int is_child = process != listener;
    if (place >= start && place < end && !seen[is_child][place - start]) {
      seen[is_child][place - start] = 1;
      printf("%s %lx\n", is_child ? "child" : "listener", (unsigned long)(place - start));
    }
    int event = status >> 16;
    int signal = WSTOPSIG(status);
    if (event != 0 || signal == SIGTRAP) signal = 0;
    if (ptrace(PTRACE_SINGLESTEP, process, 0, signal) == -1 && errno != ESRCH) err(1, "ptrace");
  }
  /* A process that is let go while it steps would die by its next SIGTRAP. */
  if (ptrace(PTRACE_INTERRUPT, listener, 0, 0) == 0 && waitpid(listener, NULL, __WALL) == listener)
    ptrace(PTRACE_DETACH, listener, 0, 0);
  return 0;
}
