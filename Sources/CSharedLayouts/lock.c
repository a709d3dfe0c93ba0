#define _GNU_SOURCE
#include "CSharedLayouts.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct begat_claim) == 80, "claims are packed without holes");
_Static_assert(sizeof(struct begat_spares) <= BEGAT_SPARES_HEADER_SIZE, "claims follow the header");

// The word is 0, or the holder's number with this bit if others may wait.  A robust pthread mutex would do, but it takes
// the thread id that the C library remembers, and a process made by platform_fork remembers its parent's.
static const uint32_t waiters = 0x80000000;
// A waiter that was woken and died before it had the lock may have taken a wake-up with it.
static const int64_t patience = 20 * 1000 * 1000;

static uint32_t load(const uint32_t *lock) { return __atomic_load_n(lock, __ATOMIC_RELAXED); }

static bool replace(uint32_t *lock, uint32_t expected, uint32_t wanted) {
  return __atomic_compare_exchange_n(lock, &expected, wanted, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

bool begat_lock_take(uint32_t *lock, int64_t nanoseconds) {
  uint32_t own = (uint32_t)syscall(SYS_getpid);
  if (replace(lock, 0, own)) return true;
  int64_t end = now() + nanoseconds;
  while (true) {
    uint32_t word = load(lock);
    // Others may still wait, so a process that has waited sets the bit and will wake one.
    if (word == 0) {
      if (replace(lock, 0, own | waiters)) return true;
    } else if ((word & waiters) != 0 || replace(lock, word, word | waiters)) {
      int64_t left = end - now();
      if (left <= 0) return false;
      begat_futex_wait(lock, word | waiters, left < patience ? left : patience);
    }
  }
}

void begat_lock_give_back(uint32_t *lock) {
  uint32_t word = __atomic_exchange_n(lock, 0, __ATOMIC_SEQ_CST);
  if ((word & waiters) != 0) syscall(SYS_futex, lock, FUTEX_WAKE, 1, NULL, NULL, 0);
}

int32_t begat_lock_holder(const uint32_t *lock) { return (int32_t)(__atomic_load_n(lock, __ATOMIC_ACQUIRE) & ~waiters); }

bool begat_lock_take_over(uint32_t *lock, int32_t holder) {
  uint32_t own = (uint32_t)syscall(SYS_getpid) | waiters;
  while (holder > 0) {
    uint32_t word = load(lock);
    if ((word & ~waiters) != (uint32_t)holder) return false;
    if (replace(lock, word, own)) return true;
  }
  return false;
}
