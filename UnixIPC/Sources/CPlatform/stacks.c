#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

// The stack of platform_run_apart with the page below it, and where children begin on the first stack.
static struct {
  void *start;
  size_t size;
  void *children;
} apart;

// makecontext(3) passes no pointers.
static struct {
  void (*body)(void *);
  void *argument;
} task;

static void run_task(void) { task.body(task.argument); }

#ifdef __has_feature
#define HAS_SANITIZER (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define HAS_SANITIZER 0
#endif

int platform_run_apart(size_t size, void (*body)(void *), void *argument) {
  // A sanitizer knows the first stack of a thread only.
  if (HAS_SANITIZER) return -1;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  ucontext_t here, there;
  if (apart.start != NULL || getcontext(&there) == -1) return -1;
  // The page that stays without access ends a process whose stack is used up.
  char *memory = mmap(NULL, page + size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return -1;
  if (mprotect(memory + page, size, PROT_READ | PROT_WRITE) == -1
      || madvise(memory, page + size, MADV_DONTFORK) == -1) {
    munmap(memory, page + size);
    return -1;
  }
  there.uc_stack.ss_sp = memory + page;
  there.uc_stack.ss_size = size;
  there.uc_link = &here;
  task.body = body;
  task.argument = argument;
  makecontext(&there, run_task, 0);
  apart.start = memory;
  apart.size = page + size;
  // A page that has not been written need not be copied.
  apart.children = (void *)(((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(page - 1)) - page);
  int result = swapcontext(&here, &there);
  apart.start = NULL;
  munmap(memory, page + size);
  return result;
}

void platform_inherit_stack(bool is_inherited) {
  if (apart.start != NULL) madvise(apart.start, apart.size, is_inherited ? MADV_DOFORK : MADV_DONTFORK);
}

// As clone(3), but nothing is written to the child's stack before the child does it: both processes would pay for that
// page.
static pid_t clone_to(void *stack, int exit_signal, int (*body)(void *), void *argument) {
#if defined(__x86_64__)
  long result;
  register long child_tid __asm__("r10") = 0;
  register long tls __asm__("r8") = 0;
  register int (*function)(void *) __asm__("r12") = body;
  register void *value __asm__("r13") = argument;
  __asm__ volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r13, %%rdi\n\t"
      "call *%%r12\n\t"
      "mov %%eax, %%edi\n\t"
      "mov %[exit], %%eax\n\t"
      "syscall\n\t"
      "hlt\n"
      "1:"
      : "=a"(result)
      : "a"((long)SYS_clone), "D"((long)exit_signal), "S"(stack), "d"(0L), "r"(child_tid), "r"(tls), "r"(function),
        "r"(value), [exit] "i"(SYS_exit)
      : "rcx", "r11", "memory");
  if (result >= 0) return (pid_t)result;
  errno = (int)-result;
  return -1;
#else
  return clone(body, stack, exit_signal, argument);
#endif
}

// Among the thread's own variables: the parent writes to that page anyway, as errno lies there.
static _Thread_local _Alignas(16) unsigned char passed[PLATFORM_MOST_PASSED_BYTES];

pid_t platform_fork_to(int exit_signal, int (*body)(void *), const void *argument, size_t size) {
  memcpy(passed, argument, size);
  // A longer argument before this one may have been about another client.
  memset(passed + size, 0, sizeof passed - size);
  if (apart.start != NULL) return clone_to(apart.children, exit_signal, body, passed);
  pid_t child = platform_fork(exit_signal);
  if (child == 0) _exit(body(passed));
  return child;
}
