#include "CProgramImage.h"

// Connection processes need a few kilobytes.  Half a megabyte is as much as fits beside heap and variables within the two
// megabytes of one table of pages.
enum { stack_size = 512 << 10 };

// The linker puts this array between the constants, which cannot be written to, and the variables (layout.ld): the stack of
// children then needs no table of pages of its own, and no guard.
static _Alignas(4096) __attribute__((section(".data.stack"))) char stack[stack_size + PROGRAM_IMAGE_THREAD_SIZE];

void *program_image_stack(size_t *size) {
  *size = sizeof stack;
  return stack;
}
