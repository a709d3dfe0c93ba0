#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// A robust pthread mutex would do, but it takes the thread id that the C library remembers, and a process made by
// platform_fork remembers its parent's.  This is the same kernel interface (set_robust_list(2)) without that memory.
// The list stays empty: the one lock that is held stands where the kernel looks for one that is just being taken.
static _Thread_local struct robust_list_head held;

// A waiter that was woken and died before it had the lock took the wakeup with it: the others look again by themselves.
static const struct timespec patience = {.tv_nsec = 50 * 1000 * 1000};

static uint32_t load(struct platform_lock *lock) { return __atomic_load_n(&lock->word, __ATOMIC_RELAXED); }

static bool replace(struct platform_lock *lock, uint32_t expected, uint32_t wanted) {
  return __atomic_compare_exchange_n(&lock->word, &expected, wanted, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

// Set in a forked process as well, whose parent holds the lock.
static bool holds_one(uint32_t own) {
  struct platform_lock *other = (struct platform_lock *)held.list_op_pending;
  return other != NULL && (load(other) & FUTEX_TID_MASK) == own;
}

int platform_lock_take(struct platform_lock *lock) {
  uint32_t own = (uint32_t)syscall(SYS_gettid);
  if (holds_one(own)) return -1;
  // Each time: a forked process has no list, and nothing tells that it was forked, not even its number, which an
  // ancestor may have had.
  held.list.next = &held.list;
  held.futex_offset = offsetof(struct platform_lock, word) - offsetof(struct platform_lock, node);
  held.list_op_pending = NULL;
  syscall(SYS_set_robust_list, &held, sizeof held);
  __atomic_store_n(&held.list_op_pending, (struct robust_list *)&lock->node, __ATOMIC_SEQ_CST);
  uint32_t wanted = own;
  while (true) {
    uint32_t word = load(lock);
    if ((word & FUTEX_TID_MASK) == 0) {
      if (replace(lock, word, wanted | (word & FUTEX_WAITERS))) return (word & FUTEX_OWNER_DIED) != 0;
    } else if ((word & FUTEX_WAITERS) != 0 || replace(lock, word, word | FUTEX_WAITERS)) {
      syscall(SYS_futex, &lock->word, FUTEX_WAIT, word | FUTEX_WAITERS, &patience, NULL, 0);
      // Others may be waiting still: a thread that has waited wakes another one.
      wanted |= FUTEX_WAITERS;
    }
  }
}

void platform_lock_give_back(struct platform_lock *lock) {
  uint32_t word = __atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE);
  if ((word & FUTEX_WAITERS) != 0) syscall(SYS_futex, &lock->word, FUTEX_WAKE, 1, NULL, NULL, 0);
  __atomic_store_n(&held.list_op_pending, NULL, __ATOMIC_SEQ_CST);
}
