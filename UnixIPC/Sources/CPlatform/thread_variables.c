#define _GNU_SOURCE
#include "CPlatform.h"
#include "fork_memory.h"
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// errno is the variable that matters: a parent that changes it after each fork would copy its page again and again.
bool platform_leave_thread_variables(void *start, size_t size) {
#if defined(__x86_64__)
  char *pointer = __builtin_thread_pointer();
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  bool are_there = pointer >= (char *)start && pointer < (char *)start + size;
  bool are_whole_pages = ((uintptr_t)start | size) % page == 0;
  if (!are_there || !are_whole_pages || size > PLATFORM_THREAD_ROOM) return false;
  if (!platform_fork_memory.has_child_stack || platform_fork_memory.thread_pages != NULL) return false;
  char *copy = memcpy(platform_fork_memory.thread_room, start, size);
  // The thread pointer points to its own address, and so does the third word (tcbhead_t in the C library's tls.h).
  void **head = (void **)(copy + (pointer - (char *)start));
  head[0] = head[2] = head;
  if (madvise(start, size, MADV_DONTFORK) == -1) return false;
  platform_fork_memory.thread_pages = start;
  platform_fork_memory.thread_pages_size = size;
  platform_fork_memory.child_thread_pointer = head;
  return true;
#else
  (void)start;
  (void)size;
  return false;
#endif
}
