// The memory that a process and its children do not share, known to the files that set it aside and to the fork.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// A program whose linker puts this section beside other variables that each fork needs has them all on one page.
#define HOT_DATA __attribute__((section(".data.hot")))

// Room for a copy of a thread's variables, two pages.
enum { PLATFORM_THREAD_ROOM = 8192 };

struct platform_apart {
  // The stack of platform_run_apart with the page below it.
  void *start;
  size_t size;
  // The address at which children's stack begins.
  void *children;
  // Whether children have a stack of their own; then they lack the first one, if it could be found.
  bool has_left_first;
  void *first;
  size_t first_size;
  // PLATFORM_THREAD_ROOM bytes beside that stack.
  void *thread_room;
  // The pages of the thread's variables, if children lack them, and the thread pointer that children get instead.
  void *thread;
  size_t thread_size;
  void *childrens_thread;
};
extern struct platform_apart platform_apart;
