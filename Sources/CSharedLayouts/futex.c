#define _GNU_SOURCE
#include "CSharedLayouts.h"
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct begat_slot) == 128, "a slot is two cache lines");
_Static_assert(sizeof(struct begat_scoreboard) <= BEGAT_SCOREBOARD_HEADER_SIZE, "slots follow the header");
_Static_assert(BEGAT_SCOREBOARD_HEADER_SIZE % sizeof(struct begat_slot) == 0, "slots lie in cache lines");
_Static_assert(sizeof(struct begat_record) == 96, "records are packed without holes");
_Static_assert(sizeof(struct begat_source) == 56, "sources are packed without holes");
_Static_assert(sizeof(struct begat_book) <= BEGAT_BOOK_HEADER_SIZE, "sources follow the header");
_Static_assert(sizeof(struct begat_ban) == 32, "no ban lies in two cache lines");
_Static_assert(sizeof(struct begat_bans) <= BEGAT_BANS_HEADER_SIZE, "bans follow the header");

int begat_futex_wait(const uint32_t *value, uint32_t expected, int64_t nanoseconds) {
  struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
  return (int)syscall(SYS_futex, value, FUTEX_WAIT, expected, &limit, NULL, 0);
}

void begat_futex_await(const uint32_t *value, uint32_t expected) {
  syscall(SYS_futex, value, FUTEX_WAIT, expected, NULL, NULL, 0);
}

void begat_futex_wake(uint32_t *value) { syscall(SYS_futex, value, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); }
