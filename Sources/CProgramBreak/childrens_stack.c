#include "CProgramBreak.h"

// The linker puts it between the constants, which cannot be written to, and the variables: the stack of children then
// needs neither a mapping nor a table of pages of its own.
static _Alignas(4096) __attribute__((section(".data.stack"))) char stack[(512 << 10) + 8192];

void *program_break_stack(size_t *size) {
  *size = sizeof stack;
  return stack;
}
