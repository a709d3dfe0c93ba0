#define _GNU_SOURCE
#include "CPlatform.h"
#include "fork_memory.h"
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

// Unlike clone(3), this writes to no memory that both processes have, which one of them would have to copy.  The argument
// is passed in registers, and the child puts it on its own stack.
static pid_t clone_to(int exit_signal, int (*body)(void *), const unsigned char *argument) {
  void *stack = platform_fork_memory.child_stack_top, *thread = platform_fork_memory.child_thread_pointer;
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

// A variable of the thread: the parent writes to its page anyway, as errno lies there.
static _Thread_local _Alignas(16) unsigned char argument_copy[PLATFORM_MOST_PASSED_BYTES];

static pid_t clone_to(int exit_signal, int (*body)(void *), const unsigned char *argument) {
  memcpy(argument_copy, argument, sizeof argument_copy);
  return clone(body, platform_fork_memory.child_stack_top, exit_signal, argument_copy);
}

#endif

pid_t platform_fork_to(int exit_signal, int (*body)(void *), const void *argument, size_t size) {
  // Padded with zeros, so that nothing else of the caller's stack is passed.
  _Alignas(16) unsigned char passed[PLATFORM_MOST_PASSED_BYTES] = {0};
  memcpy(passed, argument, size);
  if (platform_fork_memory.stack != NULL) return clone_to(exit_signal, body, passed);
  pid_t child = platform_fork(exit_signal);
  if (child == 0) _exit(body(passed));
  return child;
}
