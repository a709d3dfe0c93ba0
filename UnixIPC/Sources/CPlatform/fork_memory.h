// The memory that a process and its children of platform_fork_to do not share: set aside by stacks.c and
// thread_variables.c, read by fork_to.c.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// A program whose linker puts this section beside other variables that each fork needs has them all on one page.
#define HOT_DATA __attribute__((section(".data.hot")))

// Room for a copy of a thread's variables, in bytes.
enum { PLATFORM_THREAD_ROOM = 8192 };

struct platform_fork_memory {
  // The stack of platform_run_apart with the page below it.
  void *stack;
  size_t stack_size;
  // The address at which the stack of a child begins.
  void *child_stack_top;
  // Whether children have a stack of their own; then they lack the first one, if it could be found.
  bool has_child_stack;
  void *first_stack;
  size_t first_stack_size;
  // PLATFORM_THREAD_ROOM bytes above that stack.
  void *thread_room;
  // The pages of the thread's variables, if children lack them, and the thread pointer that children get instead.
  void *thread_pages;
  size_t thread_pages_size;
  void *child_thread_pointer;
};
extern struct platform_fork_memory platform_fork_memory __attribute__((visibility("hidden")));
