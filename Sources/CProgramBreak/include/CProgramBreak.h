// The heap of a static program beside its variables; linking it is enough.
#pragma once
#include <stddef.h>

/// The pages of the first thread's variables, and nothing else; their size in bytes is 0 where they lie elsewhere.
void *program_break_thread(size_t *size);

/// Memory for the stack of children, above pages that cannot be written to.
void *program_break_stack(size_t *size);
