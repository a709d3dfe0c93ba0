#define _GNU_SOURCE
#include "CPlatform.h"
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static uintptr_t hexadecimal(const char **text) {
  uintptr_t value = 0;
  for (;; (*text)++) {
    char c = **text;
    if (c >= '0' && c <= '9') value = value << 4 | (uintptr_t)(c - '0');
    else if (c >= 'a' && c <= 'f') value = value << 4 | (uintptr_t)(c - 'a' + 10);
    else return value;
  }
}

// The program's own memory, between symbols that every linker defines.
extern char __executable_start[], _end[];

// Forks may leave out anonymous memory outside of the program (MADV_DONTFORK); a mapping in its place would give it to
// each child.  Only /proc/self/smaps tells which, and takes a millisecond to read.
static bool may_be_private(const char *line, uintptr_t start) {
  bool is_program = start >= (uintptr_t)__executable_start && start < (uintptr_t)_end;
  return !is_program && strstr(line, " 00:00 0 ") != NULL && strchr(line, '[') == NULL;
}

// One line of /proc/self/maps: a region worth moving, or false.  Worth moving is private memory that can be written to,
// except the stack and anonymous mappings, and pages that the program's relocation has written and then protected.
static bool read_region(const char *line, struct platform_region *region) {
  const char *text = line;
  region->start = hexadecimal(&text);
  if (*text++ != '-') return false;
  region->end = hexadecimal(&text);
  if (*text++ != ' ') return false;
  bool writable = strncmp(text, "rw-p", 4) == 0;
  bool relocated = strncmp(text, "r--p", 4) == 0;
  region->protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  text += 5;
  uintptr_t offset = hexadecimal(&text);
  if (strstr(line, "[stack]") != NULL || strstr(line, "[vv") != NULL) return false;
  if (may_be_private(line, region->start)) return false;
  // The stack that is in use, if that is another one.
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  if (here >= region->start && here < region->end) return false;
  if (platform_is_childrens_stack(region->start, region->end)) return false;
  return writable || (relocated && offset != 0);
}

static bool is_zero(uintptr_t page, size_t size) {
  const uint64_t *words = (const uint64_t *)page;
  for (size_t i = 0; i < size / sizeof *words; i++)
    if (words[i] != 0) return false;
  return true;
}

// Nothing here may write to the memory that is being moved: only the stack is used, and system calls by number.
static bool move(const struct platform_region *region, int file, off_t offset) {
  enum { page = 4096 };
  size_t size = region->end - region->start;
  for (size_t done = 0; done < size;) {
    size_t end = done;
    while (end < size && !is_zero(region->start + end, page)) end += page;
    // A page of zeros, as most that nothing was written to, stays a hole in the file: it takes no memory.
    if (end == done) done += page;
    while (done < end) {
      long count = syscall(SYS_pwrite64, file, region->start + done, end - done, offset + (off_t)done);
      if (count <= 0) return false;
      done += (size_t)count;
    }
  }
  return syscall(SYS_mmap, region->start, size, region->protection, MAP_PRIVATE | MAP_FIXED, file, offset) != -1;
}

int platform_move_memory_to_file(struct platform_memory *memory, const char **failed_step) {
  enum { most = sizeof memory->regions / sizeof *memory->regions };
  struct platform_region *regions = memory->regions;
  int count = 0;
  off_t total = 0;
  memory->count = 0;
  *failed_step = "open";
  char maps[16384];
  int source = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
  if (source == -1) return -1;
  size_t length = 0;
  for (long n; length < sizeof maps - 1 && (n = syscall(SYS_read, source, maps + length, sizeof maps - 1 - length)) > 0;)
    length += (size_t)n;
  syscall(SYS_close, source);
  maps[length] = '\0';
  for (char *line = maps, *end; count < most && (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = '\0';
    if (read_region(line, &regions[count])) total += (off_t)(regions[count].end - regions[count].start), count++;
  }

  *failed_step = "memfd_create";
  int file = (int)syscall(SYS_memfd_create, "begat-memory", MFD_CLOEXEC);
  if (file == -1) return -1;
  *failed_step = "write";
  bool moved = syscall(SYS_ftruncate, file, total) == 0;
  off_t offset = 0;
  for (int i = 0; moved && i < count; i++) {
    moved = move(&regions[i], file, offset);
    offset += (off_t)(regions[i].end - regions[i].start);
  }
  syscall(SYS_close, file);
  if (!moved) return -1;
  memory->count = count;
  return 0;
}

int platform_move_mapping(void *from, size_t size, void *to) {
  return mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED ? -1 : 0;
}

void platform_own_page(void *place) {
  volatile unsigned char *byte = place;
  *byte = *byte;
}

void platform_leave_clean_pages(const struct platform_memory *memory, int pagemap) {
  // Documentation/admin-guide/mm/pagemap.rst
  const uint64_t is_present = (uint64_t)1 << 63, is_of_file = (uint64_t)1 << 61;
  uint64_t pages[512];
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < memory->count; i++) {
    uintptr_t page = memory->regions[i].start;
    while (page < memory->regions[i].end) {
      size_t wanted = (memory->regions[i].end - page) / size;
      if (wanted > sizeof pages / sizeof *pages) wanted = sizeof pages / sizeof *pages;
      if (lseek(pagemap, (off_t)(page / size * sizeof *pages), SEEK_SET) == -1) return;
      ssize_t length = read(pagemap, pages, wanted * sizeof *pages);
      if (length < (ssize_t)sizeof *pages) return;
      size_t count = (size_t)length / sizeof *pages;
      // A page that the process has written is no page of the file any more, and is all that has its contents.
      for (size_t n = 0, clean; n < count; n += clean + 1) {
        for (clean = 0; n + clean < count && (pages[n + clean] & is_present) && (pages[n + clean] & is_of_file);) clean++;
        if (clean > 0) madvise((void *)(page + n * size), clean * size, MADV_DONTNEED);
      }
      page += count * size;
    }
  }
}
