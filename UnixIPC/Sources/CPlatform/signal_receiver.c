#define _GNU_SOURCE
#include "CPlatform.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// A handler that writes each signal into the pipe of its receiver, whichever thread it interrupts.

static struct {
  int writer;
  // As the kernel has it: a tool that stands between, such as a sanitizer, puts a handler of its own before this one.
  unsigned long installed;
  struct platform_disposition former;
} receivers[NSIG];

// The signals of receivers in this process, and those that found their pipe full; signal 1 in the lowest bit.
static _Atomic uint64_t claimed, lost;
// Handlers that may be writing now, in any thread: a pipe is not closed before they are done.
static _Atomic int running;
_Static_assert(__atomic_always_lock_free(sizeof claimed, 0) && __atomic_always_lock_free(sizeof lost, 0) &&
                   __atomic_always_lock_free(sizeof running, 0),
               "a lock in a handler waits for itself");
static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;
// The process whose receivers these are, on a page that is zero in a forked copy: it must not write into its parent's
// pipes.  The number tells a child of vfork(2), which shares the page.
static _Atomic(_Atomic pid_t *) owner;
_Static_assert(__atomic_always_lock_free(sizeof owner, 0) && __atomic_always_lock_free(sizeof(pid_t), 0),
               "a lock in a handler waits for itself");

static uint64_t bit(int signal) { return 1ULL << (signal - 1); }

static bool is_ours(void) {
  _Atomic pid_t *page = atomic_load(&owner);
  return page != NULL && atomic_load(page) == getpid();
}

static bool is_receiving(int signal) {
  struct platform_disposition present;
  return receivers[signal].installed != 0 && platform_save_disposition(signal, &present) == 0 &&
         present.words[0] == receivers[signal].installed;
}

static void restore(int signal) {
  if (is_receiving(signal)) platform_put_back_disposition(signal, &receivers[signal].former);
}

// A full pipe is readable; what did not fit is remembered.  The reader may have emptied it before that, and would not look
// again: hence a second message, which says nothing but that.
static void hand_over(int signal, const siginfo_t *information) {
  struct platform_arrival arrival = {
      .signal = signal,
      .code = information->si_code,
      .process = information->si_pid,
      .user = information->si_uid,
      .value = information->si_value.sival_int,
  };
  int writer = receivers[signal].writer;
  if (write(writer, &arrival, sizeof arrival) == (ssize_t)sizeof arrival) return;
  atomic_fetch_or(&lost, bit(signal));
  arrival.signal = 0;
  if (write(writer, &arrival, sizeof arrival) == -1) return;
}

// The signal is blocked here, so it comes again after the return, under the disposition that holds then.
static void send_again(int signal, siginfo_t *information) {
  syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), signal, information);
}

// All other signals are blocked meanwhile.
static void receive(int signal, siginfo_t *information, void *context) {
  (void)context;
  int error = errno;
  if (!is_ours()) {
    // A copy has the handler of its parent; without a receiver of its own the former disposition holds.
    restore(signal);
    send_again(signal, information);
  } else {
    atomic_fetch_add(&running, 1);
    // Not claimed: it came just before its receiver was closed, which has put the former disposition back.  Nothing is
    // restored here: the next receiver may be starting in another thread.
    if ((atomic_load(&claimed) & bit(signal)) != 0)
      hand_over(signal, information);
    else
      send_again(signal, information);
    atomic_fetch_sub(&running, 1);
  }
  errno = error;
}

// The first receiver of a process starts with nothing that a parent left.
static int own(void) {
  _Atomic pid_t *page = atomic_load(&owner);
  if (page == NULL) {
    void *memory = mmap(NULL, sizeof(pid_t), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return -1;
    madvise(memory, sizeof(pid_t), MADV_WIPEONFORK);
    page = memory;
    atomic_store(&owner, page);
  }
  if (atomic_load(page) != getpid()) {
    // Handlers of a parent: from now on they would take themselves for this process's own.
    for (int signal = 1; signal < NSIG; signal++) {
      restore(signal);
      receivers[signal].installed = 0;
    }
    atomic_store(&claimed, 0);
    atomic_store(&lost, 0);
    atomic_store(&running, 0);
    atomic_store(page, getpid());
  }
  return 0;
}

static void stop(uint64_t signals) {
  for (int signal = 1; signal < NSIG; signal++) {
    if ((signals & bit(signal)) == 0) continue;
    restore(signal);
    receivers[signal].installed = 0;
  }
  atomic_fetch_and(&claimed, ~signals);
  while (atomic_load(&running) != 0) sched_yield();
  atomic_fetch_and(&lost, ~signals);
}

static int start(uint64_t signals, int writer, int *refused) {
  struct sigaction action = {.sa_sigaction = receive, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  uint64_t started = 0;
  for (int signal = 1; signal < NSIG; signal++) {
    if ((signals & bit(signal)) == 0) continue;
    *refused = signal;
    // A parent's handler that a copy still has: what was there before it stays known.
    if (!is_receiving(signal) && platform_save_disposition(signal, &receivers[signal].former) == -1) break;
    receivers[signal].writer = writer;
    started |= bit(signal);
    atomic_fetch_or(&claimed, bit(signal));
    struct platform_disposition present;
    if (sigaction(signal, &action, NULL) == -1 || platform_save_disposition(signal, &present) == -1) break;
    receivers[signal].installed = present.words[0];
    *refused = 0;
  }
  if (*refused == 0) return 0;
  int error = errno;
  stop(started);
  errno = error;
  return -1;
}

int platform_receive_signals(uint64_t signals, int writer, int *refused) {
  pthread_mutex_lock(&changing);
  *refused = 0;
  int result = own();
  uint64_t taken = atomic_load(&claimed) & signals;
  if (result == 0 && taken != 0) {
    *refused = __builtin_ctzll(taken) + 1;
    errno = EBUSY;
    result = -1;
  }
  if (result == 0) result = start(signals, writer, refused);
  pthread_mutex_unlock(&changing);
  return result;
}

void platform_stop_receiving_signals(uint64_t signals) {
  if (!is_ours()) return;
  pthread_mutex_lock(&changing);
  stop(signals);
  pthread_mutex_unlock(&changing);
}

int platform_take_lost_signal(uint64_t signals) {
  while (true) {
    uint64_t missed = atomic_load(&lost) & signals;
    if (missed == 0) return 0;
    int signal = __builtin_ctzll(missed) + 1;
    if ((atomic_fetch_and(&lost, ~bit(signal)) & bit(signal)) != 0) return signal;
  }
}
