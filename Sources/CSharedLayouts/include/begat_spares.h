// Memory that a listener shares with its spares: processes that were forked before their clients came.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// The states of a spare.
enum {
  /// There is no such spare.
  BEGAT_SPARE_NONE = 0,
  /// It has no client, and holds the lock only while it checks the sockets.
  BEGAT_SPARE_WAITING = 1,
  /// It holds the lock and has accepted a client.
  BEGAT_SPARE_ACCEPTED = 2,
  /// Its client was admitted.
  BEGAT_SPARE_ADMITTED = 3,
  /// It waits until the listener has decided on its client.
  BEGAT_SPARE_ASKING = 4,
  /// The listener has refused its client.
  BEGAT_SPARE_REFUSED = 5,
};

/// A spare, and the client that it has accepted.  `state` is written after the fields that it makes valid.
struct begat_claim {
  uint32_t state;
  int32_t pid;
  /// Its slot of the scoreboard.
  uint32_t slot;
  /// Not 0 once it has closed the listening sockets and uses this memory no more.
  uint32_t has_left;
  /// Not 0 once the listener's table has the connection.
  uint32_t is_taken;
  /// The client's source, and how many places it has.
  uint32_t source;
  uint32_t places;
  /// The number of the listening socket.
  int32_t socket;
  /// CLOCK_MONOTONIC, nanoseconds.
  int64_t started;
  uint16_t family;
  uint16_t port;
  uint32_t scope;
  uint8_t address[16];
  /// The credentials of the peer of a Unix socket.
  int32_t peer_pid;
  uint32_t user;
  uint32_t group;
  /// Not 0 if these are known.
  uint32_t has_credentials;
};

/// The beginning of that memory; claims follow at BEGAT_SPARES_HEADER_SIZE.
struct begat_spares {
  /// The holder of the lock for admission, as begat_lock_take writes it.
  uint32_t lock;
  /// Whether spares accept clients; otherwise the listener does.
  uint32_t is_open;
  /// How many spares have no client.
  uint32_t waiting;
  /// The listener is woken when this many or fewer are left.
  uint32_t low_water;
  /// Whether the listener waits without looking at this memory, so that any client must wake it.
  uint32_t is_asleep;
  /// Whether it was woken and has not looked yet.
  uint32_t is_rung;
  /// The source of the last client.
  uint32_t last_source;
};

enum { BEGAT_SPARES_HEADER_SIZE = 64 };

/// Waits for a lock in shared memory, zeroed before its first use, for at most this time.
///
/// A lock has no memory of the processes that wait: a waiter that is killed takes at most one waking with it, and the
/// others look again by themselves.
bool begat_lock_take(uint32_t *lock, int64_t nanoseconds);
void begat_lock_give_back(uint32_t *lock);
/// Takes the lock from a holder that has died; false if it is not its holder's any more.
bool begat_lock_take_over(uint32_t *lock, int32_t holder);
/// The holder; 0 for a free lock.
int32_t begat_lock_holder(const uint32_t *lock);

static inline uint32_t begat_add(uint32_t *value, int32_t change) { return __atomic_add_fetch(value, (uint32_t)change, __ATOMIC_SEQ_CST); }
static inline uint32_t begat_exchange(uint32_t *value, uint32_t content) { return __atomic_exchange_n(value, content, __ATOMIC_SEQ_CST); }

static inline uint32_t *begat_spares_lock(struct begat_spares *spares) { return &spares->lock; }
static inline uint32_t *begat_spares_gate(struct begat_spares *spares) { return &spares->is_open; }
static inline uint32_t *begat_spares_waiting(struct begat_spares *spares) { return &spares->waiting; }
static inline uint32_t *begat_spares_low_water(struct begat_spares *spares) { return &spares->low_water; }
static inline uint32_t *begat_spares_asleep(struct begat_spares *spares) { return &spares->is_asleep; }
static inline uint32_t *begat_spares_rung(struct begat_spares *spares) { return &spares->is_rung; }
static inline uint32_t *begat_spares_last_source(struct begat_spares *spares) { return &spares->last_source; }
static inline uint32_t *begat_claim_state(struct begat_claim *claim) { return &claim->state; }
static inline uint32_t *begat_claim_left(struct begat_claim *claim) { return &claim->has_left; }
