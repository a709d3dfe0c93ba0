#include "CProgramImage.h"
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// A static program gets these functions instead of the C library's: malloc(3) then takes its memory from here, and so do
// the variables of its first thread.  The kernel's own break is far from all other memory of such a program, and each
// process that is forked would need three tables of pages, and a mapping, for it alone.  When the room is used up,
// malloc(3) maps memory.
//
// Source: sbrk(2).

// A dynamic program must not export them: its C library would use some of them, and its own for the rest.
#pragma GCC visibility push(hidden)

enum { size = 1 << 20, page = 4096 };

static _Alignas(page) char room[size];
static size_t used;

// The C library asks for the variables of the first thread before anything else.  The linker puts these pages at the end
// of the program's memory (layout.ld): children lack them, and what they have must not be divided in two mappings.
static _Alignas(page) __attribute__((section(".bss.thread"))) char thread[PROGRAM_IMAGE_THREAD_SIZE];
static size_t thread_size;

void *program_image_thread(size_t *size) {
  *size = thread_size;
  return thread + sizeof thread - thread_size;
}

// The C library's start asks the kernel itself while this is NULL.
void *__curbrk = room;

void *__sbrk(intptr_t increment) {
  if (used == 0 && thread_size == 0 && increment > 0 && increment <= (intptr_t)sizeof thread) {
    thread_size = ((size_t)increment + page - 1) & ~(size_t)(page - 1);
    return thread + sizeof thread - thread_size;
  }
  if (increment > (intptr_t)(size - used) || -increment > (intptr_t)used) {
    errno = ENOMEM;
    return (void *)-1;
  }
  char *end = room + used;
  used += (size_t)increment;
  // Memory that is taken again must be zero, as from the kernel, and children need not see what was given back.
  if (increment < 0) memset(room + used, 0, (size_t)-increment);
  __curbrk = room + used;
  return end;
}

int __brk(void *end) {
  char *wanted = end;
  if (wanted < room || wanted > room + size) {
    errno = ENOMEM;
    return -1;
  }
  return __sbrk(wanted - (room + used)) == (void *)-1 ? -1 : 0;
}

void *sbrk(intptr_t increment) __attribute__((weak, alias("__sbrk")));
int brk(void *end) __attribute__((weak, alias("__brk")));

#pragma GCC visibility pop
