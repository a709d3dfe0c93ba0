#define _GNU_SOURCE
#include "CPlatform.h"
#include "apart.h"
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)

#define EACH_REGISTER(move)                                                                                          \
  move(0) move(1) move(2) move(3) move(4) move(5) move(6) move(7) move(8) move(9) move(10) move(11) move(12) move(13) \
      move(14) move(15)
#define LOAD(number) "movups 16*" #number "(%[argument]), %%xmm" #number "\n\t"
#define STORE(number) "movups %%xmm" #number ", 16*" #number "(%%rsp)\n\t"
#define NAME(number) "xmm" #number,

// As clone(3), but nothing is written to memory that both processes have: they would pay for that page at each fork.
// The kernel copies the registers, which bring the argument to the child's own stack.
static pid_t clone_to(int exit_signal, int (*body)(void *), const unsigned char *argument) {
  void *stack = platform_apart.children, *thread = platform_apart.childrens_thread;
  unsigned long flags = (unsigned long)exit_signal | (thread != NULL ? CLONE_SETTLS : 0);
  long result;
  register long child_tid __asm__("r10") = 0;
  register void *tls __asm__("r8") = thread;
  register int (*function)(void *) __asm__("r12") = body;
  __asm__ volatile(
      EACH_REGISTER(LOAD)
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "sub %[size], %%rsp\n\t"
      EACH_REGISTER(STORE)
      "mov %%rsp, %%rdi\n\t"
      "call *%%r12\n\t"
      "mov %%eax, %%edi\n\t"
      "mov %[exit], %%eax\n\t"
      "syscall\n\t"
      "hlt\n"
      "1:"
      : "=a"(result)
      : "a"((long)SYS_clone), "D"(flags), "S"(stack), "d"(0L), "r"(child_tid), "r"(tls), "r"(function),
        [argument] "r"(argument), [size] "i"(PLATFORM_MOST_PASSED_BYTES), [exit] "i"(SYS_exit)
      : EACH_REGISTER(NAME) "rcx", "r11", "memory");
  if (result >= 0) return (pid_t)result;
  errno = (int)-result;
  return -1;
}

_Static_assert(PLATFORM_MOST_PASSED_BYTES == 16 * 16, "the argument is passed in sixteen registers");

#else

// Among the thread's own variables: the parent writes to that page anyway, as errno lies there.
static _Thread_local _Alignas(16) unsigned char childs[PLATFORM_MOST_PASSED_BYTES];

static pid_t clone_to(int exit_signal, int (*body)(void *), const unsigned char *argument) {
  memcpy(childs, argument, sizeof childs);
  return clone(body, platform_apart.children, exit_signal, childs);
}

#endif

pid_t platform_fork_to(int exit_signal, int (*body)(void *), const void *argument, size_t size) {
  // Zeros follow it: nothing of the caller's stack is passed.
  _Alignas(16) unsigned char passed[PLATFORM_MOST_PASSED_BYTES] = {0};
  memcpy(passed, argument, size);
  if (platform_apart.start != NULL) return clone_to(exit_signal, body, passed);
  pid_t child = platform_fork(exit_signal);
  if (child == 0) _exit(body(passed));
  return child;
}
