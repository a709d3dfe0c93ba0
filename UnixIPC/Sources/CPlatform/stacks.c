#define _GNU_SOURCE
#include "CPlatform.h"
#include "fork_memory.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

struct platform_fork_memory platform_fork_memory HOT_DATA;

void *platform_hot_data(void) { return &platform_fork_memory; }

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

// A process that uses up its stack ends by SIGSEGV here instead of overwriting the memory that may lie below.  Guards
// are part of the mapping since Linux 6.13 (MADV_GUARD_INSTALL); before that they are a mapping of their own, for which
// each fork pays.
static int guard(void *start, size_t size) {
  enum { install_guard = 102 };
  return madvise(start, size, install_guard) == 0 ? 0 : mprotect(start, size, PROT_NONE);
}

int platform_run_apart(size_t size, void (*body)(void *), void *argument) {
  // A sanitizer knows the first stack of a thread only.
  if (HAS_SANITIZER) return -1;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  ucontext_t here, there;
  if (platform_fork_memory.stack != NULL || getcontext(&there) == -1) return -1;
  char *memory = mmap(NULL, page + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return -1;
  if (guard(memory, page) == -1 || madvise(memory, page + size, MADV_DONTFORK) == -1) {
    munmap(memory, page + size);
    return -1;
  }
  there.uc_stack.ss_sp = memory + page;
  there.uc_stack.ss_size = size;
  there.uc_link = &here;
  task.body = body;
  task.argument = argument;
  makecontext(&there, run_task, 0);
  platform_fork_memory.stack = memory;
  platform_fork_memory.stack_size = page + size;
  // A page that has not been written need not be copied.
  platform_fork_memory.child_stack_top = (void *)(((uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)(page - 1)) - page);
  int result = swapcontext(&here, &there);
  platform_inherit_stack(true);
  platform_fork_memory.first_stack = platform_fork_memory.thread_pages = platform_fork_memory.child_thread_pointer = NULL;
  platform_fork_memory.has_child_stack = false;
  platform_fork_memory.stack = NULL;
  munmap(memory, page + size);
  return result;
}

void platform_inherit_stack(bool is_inherited) {
  int advice = is_inherited ? MADV_DOFORK : MADV_DONTFORK;
  if (platform_fork_memory.stack != NULL) madvise(platform_fork_memory.stack, platform_fork_memory.stack_size, advice);
  if (platform_fork_memory.first_stack != NULL) madvise(platform_fork_memory.first_stack, platform_fork_memory.first_stack_size, advice);
  if (platform_fork_memory.thread_pages != NULL) madvise(platform_fork_memory.thread_pages, platform_fork_memory.thread_pages_size, advice);
}

// The kernel shows the memory between arg_start and arg_end as the command line (proc_pid_cmdline(5)).  All other values
// stay.  Linux before 5.15 refuses those of a static program, whose data lies above its break.
static bool move_title(char *title, size_t size) {
  char text[2048];
  int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (file == -1) return false;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return false;
  text[length] = '\0';
  // The name may contain anything; the state, field 3, follows it.
  char *word = strrchr(text, ')');
  if (word == NULL) return false;
  unsigned long fields[52] = {0};
  int field = 2;
  for (word = strtok(word + 1, " \n"); word != NULL && field < 51; word = strtok(NULL, " \n"))
    fields[++field] = strtoul(word, NULL, 10);
  if (field < 51) return false;
  struct prctl_mm_map map = {
      .start_code = fields[26], .end_code = fields[27], .start_stack = fields[28],
      .start_data = fields[45], .end_data = fields[46],
      .start_brk = fields[47], .brk = (unsigned long)syscall(SYS_brk, 0UL),
      .arg_start = (unsigned long)title, .arg_end = (unsigned long)title + size,
      .env_start = (unsigned long)title + size, .env_end = (unsigned long)title + size,
      .exe_fd = (unsigned)-1,
  };
  return prctl(PR_SET_MM, PR_SET_MM_MAP, (unsigned long)&map, sizeof map, 0UL) == 0;
}

// Finds the first stack, unless a page right below the stack of children can be written to: a child that uses up its stack
// is to end by SIGSEGV there instead of overwriting anything.
static bool find_first_stack(uintptr_t child_stack, void **start, size_t *size) {
  FILE *maps = fopen("/proc/self/maps", "re");
  if (maps == NULL) return false;
  char line[512], access;
  uintptr_t from, to;
  bool is_found = false, is_guarded = true;
  while (fgets(line, sizeof line, maps) != NULL) {
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*c%c", &from, &to, &access) != 3) continue;
    if (access == 'w' && from < child_stack && to >= child_stack) is_guarded = false;
    if (strstr(line, "[stack]\n") == NULL) continue;
    is_found = true;
    *start = (void *)from;
    *size = to - from;
  }
  fclose(maps);
  return is_found && is_guarded;
}

char *platform_leave_first_stack(void *memory, size_t size, size_t room) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  if (platform_fork_memory.stack == NULL || platform_fork_memory.has_child_stack) return NULL;
  // mmap(2) would round the size up.
  if (((uintptr_t)memory | size) % page != 0 || size <= PLATFORM_THREAD_ROOM + page || room > page / 2) return NULL;
  char *thread_room = (char *)memory + size - PLATFORM_THREAD_ROOM;
  char *title = thread_room - room;
  void *first;
  size_t first_size;
  if (!find_first_stack((uintptr_t)memory, &first, &first_size) || !move_title(title, room)) return NULL;
  // The kernel shows a title in anonymous memory only.
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_FIXED;
  if (mmap(memory, size, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) return NULL;
  if (madvise(first, first_size, MADV_DONTFORK) == 0) {
    platform_fork_memory.first_stack = first;
    platform_fork_memory.first_stack_size = first_size;
  }
  platform_fork_memory.child_stack_top = title;
  platform_fork_memory.thread_room = thread_room;
  platform_fork_memory.has_child_stack = true;
  return title;
}

bool platform_is_childrens_stack(uintptr_t start, uintptr_t end) {
  uintptr_t top = (uintptr_t)platform_fork_memory.child_stack_top;
  return platform_fork_memory.has_child_stack && top >= start && top < end;
}
