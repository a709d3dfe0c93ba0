// Memory that a static program has in its own image: its heap, which needs no call, and two pieces that it asks for.
#pragma once
#include <stddef.h>

/// How many bytes the C library's description of a thread and the thread's variables have room in, whole pages.
enum { PROGRAM_IMAGE_THREAD_SIZE = 8192 };

/// The pages of the first thread's variables, and nothing else.  `size` gets their size in bytes, whole pages; 0 if the C
/// library put them elsewhere.
void *program_image_thread(size_t *size);

/// Memory for the stack of children, above pages that cannot be written to, with room for a copy of the thread's variables
/// at its top.  `size` gets its size in bytes, whole pages.
void *program_image_stack(size_t *size);
