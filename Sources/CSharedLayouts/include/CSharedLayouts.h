// Memory that two programs map, and messages between them.  Their versions may differ: an old listener meets a new
// begatd after an upgrade.  A change of any layout is a new version.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "begat_spares.h"

enum { BEGAT_REFUSAL_KINDS = 10, BEGAT_OUTCOMES = 10 };
/// Places of 10 s, and the durations that buckets end at, besides one bucket for longer connections.
enum { BEGAT_HISTORY_PLACES = 90, BEGAT_DURATION_BOUNDS = 8 };
enum { BEGAT_DRAINING = 1, BEGAT_RETIRED = 2 };
enum { BEGAT_SCOREBOARD_MAGIC = 0x62676274, BEGAT_SCOREBOARD_VERSION = 6, BEGAT_CHANNEL_VERSION = 4 };

/// What one connection process does.  Written by the process itself while it lives; nothing in it is to be trusted.
struct begat_slot {
  /// 0 when free.
  int32_t pid;
  /// What is waited for, a Waiting value: the limit that ended the process if SIGALRM did.
  uint32_t waiting;
  uint64_t bytes_received;
  uint64_t bytes_sent;
  /// CLOCK_MONOTONIC, nanoseconds.
  int64_t started;
  uint16_t family;
  uint16_t port;
  uint32_t uid;
  uint8_t address[16];
  /// When the service was done, as `started`; 0 before, and after a violent end.
  int64_t ended;
  /// The proxy that has named the client; the family is 0 if the client connected directly.
  uint16_t via_family;
  uint16_t via_port;
  uint32_t via_reserved;
  uint8_t via_address[16];
  /// So that no slot lies on two pages.
  uint64_t reserved[5];
};

/// The beginning of a scoreboard; slots follow at begat_scoreboard_slots.
struct begat_scoreboard {
  uint32_t magic;
  uint16_t version;
  uint16_t slot_size;
  uint32_t slot_count;
  int32_t listener_pid;
  uint64_t accepted;
  uint64_t ended;
  uint64_t records_dropped;
  uint64_t datagrams_answered;
  /// Of connections and of datagrams, by Refusal value.
  uint64_t refused[BEGAT_REFUSAL_KINDS];
  uint64_t datagrams_refused[BEGAT_REFUSAL_KINDS];
  /// Datagrams from ports and addresses that are never answered.
  uint64_t datagrams_ignored;
  uint32_t active;
  /// Not 0 once the listener accepts no more: BEGAT_DRAINING, then BEGAT_RETIRED when its sockets are closed as well.
  uint32_t is_draining;
  uint8_t service[64];
  /// When the listener made this, CLOCK_MONOTONIC nanoseconds.
  int64_t started;
  /// Records of connections, whether delivered or dropped.
  uint64_t records;
  /// Ended connections by Outcome value and by duration; then their nanoseconds and bytes.
  uint64_t outcomes[BEGAT_OUTCOMES];
  uint64_t durations[BEGAT_DURATION_BOUNDS + 1];
  uint64_t duration_sum;
  uint64_t bytes_received;
  uint64_t bytes_sent;
  /// Events by time: the place of a time is its number of 10 s on CLOCK_MONOTONIC, modulo the places; this is the newest.
  int64_t newest_place;
  uint32_t accepted_history[BEGAT_HISTORY_PLACES];
  uint32_t refused_history[BEGAT_HISTORY_PLACES];
  /// The newest second with an accepted client, and the counts of odd and even seconds.
  int64_t newest_second;
  uint32_t accepted_seconds[2];
  /// The addresses of a listener without begatd, one a line, after `s` for a stream or `d` for datagrams and a space.
  uint8_t addresses[1024];
  /// Ended connections that log-rate leaves without a record, and that no line has summed up yet.
  uint64_t unsummed;
  /// How much of clients' addresses may be shown, a number of LogAddress: slots have them whole.
  uint8_t address_form;
  /// How many slots are there for spares, beside those for connections, and how many spares wait for clients.
  uint8_t spare_slots;
  uint8_t spares;
  uint8_t reserved[5];
};

/// A page of its own, which connection processes need not have.
enum { BEGAT_SCOREBOARD_HEADER_SIZE = 4096 };

/// A connection that began or ended, as a listener reports it.
struct begat_record {
  int32_t pid;
  uint16_t family;
  uint16_t port;
  uint8_t address[16];
  uint32_t scope;
  uint32_t uid;
  /// Nanoseconds.
  int64_t duration;
  uint64_t bytes_received;
  uint64_t bytes_sent;
  /// An Outcome value, and the exit code or the signal that belongs to it.
  uint16_t outcome;
  uint16_t detail;
  /// The socket at which the client was accepted, by its number in the listener; -1 if that is not known.
  int32_t socket;
  /// A ConnectionRecord.Event value.
  uint8_t event;
  /// An Ender value.
  uint8_t ender;
  /// How much of the addresses is there, a number of LogAddress.
  uint8_t address_form;
  uint8_t reserved;
  /// The proxy that has named the client; the family is 0 if the client connected directly.
  uint16_t via_family;
  uint16_t via_port;
  uint8_t via_address[16];
  uint32_t via_scope;
};

/// Begins every message on a listener's channel, in all versions: see ListenerChannel.Kind.
struct begat_message {
  uint16_t version;
  uint16_t kind;
  /// For records, how many follow; for a log line, its severity and, from bit 8 on, its kind; for a question, an order and their answers, its number.
  /// For a beginning and a clearing, a bit for each column; for a scoreboard, its number.
  uint32_t value;
};

// These three never change; a later version may append to them.
/// Follows the header of the message that retires a listener.
struct begat_retirement {
  /// How long open connections may go on.
  uint64_t drain_milliseconds;
  /// 0 leaves the sockets to a successor; 1 empties and closes them.
  uint32_t closes_sockets;
  /// Bit 0 ends open connections now, as a second stop signal does; bit 1 ends within a second the programs that have the
  /// listening sockets.
  uint32_t hurries;
};

/// Follows the header of an order to end connections.
struct begat_end_order {
  /// CLOCK_MONOTONIC, nanoseconds.
  int64_t started;
  int32_t pid;
  uint32_t slot;
  /// Which connections: an EndOrder.Selection.
  uint32_t selection;
  uint32_t reserved;
  /// A network as text, padded with zeros.
  uint8_t network[64];
};

/// Follows the header of the answer to such an order.
struct begat_end_report {
  uint64_t count;
};

/// One host's name in the cache that the resolver writes and connection processes read.
struct begat_name {
  /// Odd while it is being written; also what readers wait on.
  uint32_t sequence;
  uint32_t length;
  uint8_t address[16];
  /// CLOCK_MONOTONIC, nanoseconds; 0 when never filled.
  int64_t expires;
  uint8_t name[256];
};

enum { BEGAT_BOOK_MAGIC = 0x6267626b, BEGAT_BOOK_VERSION = 2, BEGAT_COLUMNS = 4 };

/// One source of an admission book, free when there is nothing to remember.  The listener that admits writes it, except
/// for the columns of others.
struct begat_source {
  uint64_t high;
  uint64_t low;
  /// When its bucket of tokens is full again: CLOCK_MONOTONIC, nanoseconds.
  int64_t full_at;
  /// Until when it is denied, and when none of its refusals counts any more: CLOCK_MONOTONIC, nanoseconds.
  int64_t denied_until;
  int64_t forgiven_at;
  /// Open connections by column: one generation of listeners writes each.
  uint32_t active[BEGAT_COLUMNS];
};

/// The beginning of a part of an admission book; sources follow at BEGAT_BOOK_HEADER_SIZE.
struct begat_book {
  uint32_t magic;
  uint16_t version;
  uint16_t source_size;
  /// The bits of addresses by which sources were made; 0 before the first.
  uint16_t ipv4_prefix;
  uint16_t ipv6_prefix;
  /// Sources from here on were never used.
  uint32_t untouched;
  /// As in a source, but of the whole service.
  int64_t full_at;
  uint32_t active[BEGAT_COLUMNS];
};

enum { BEGAT_BOOK_HEADER_SIZE = 128 };

enum { BEGAT_BANS_MAGIC = 0x6267626e, BEGAT_BANS_VERSION = 1, BEGAT_BAN_SLOTS = 32768, BEGAT_BAN_LENGTH_WORDS = 3 };

/// One network that may not connect.
struct begat_ban {
  /// The network's bits; an IPv4 address stands at the beginning.
  uint64_t high;
  uint64_t low;
  /// CLOCK_MONOTONIC, nanoseconds; the largest number for no end.
  int64_t expires;
  /// The service's number; 0 for all.
  uint32_t service;
  /// 0 in a free slot; 1 to 33 for an IPv4 prefix of 0 to 32 bits, 34 to 162 for an IPv6 prefix of 0 to 128 bits.
  uint32_t kind;
};

/// The table of bans, which begatd alone writes: slots follow at BEGAT_BANS_HEADER_SIZE.
struct begat_bans {
  uint32_t magic;
  uint16_t version;
  uint16_t slot_size;
  /// Odd while the table is being written.
  uint32_t sequence;
  uint32_t count;
  /// The key of the hash by which a slot is found: a client must not choose addresses that share one.
  uint64_t secret[2];
  /// The kinds in use, a bit each: of bans from all services, then of bans from one.
  uint64_t kinds[2][BEGAT_BAN_LENGTH_WORDS];
};

enum { BEGAT_BANS_HEADER_SIZE = 128 };

/// One column of a count.  Each has one writer; others read it at any time.
static inline uint32_t begat_column(const uint32_t *columns, unsigned column) { return __atomic_load_n(&columns[column % BEGAT_COLUMNS], __ATOMIC_RELAXED); }
static inline void begat_set_column(uint32_t *columns, unsigned column, uint32_t count) { __atomic_store_n(&columns[column % BEGAT_COLUMNS], count, __ATOMIC_RELAXED); }
static inline uint64_t begat_sum(const uint32_t *columns) {
  return (uint64_t)begat_column(columns, 0) + begat_column(columns, 1) + begat_column(columns, 2) + begat_column(columns, 3);
}
static inline uint32_t *begat_source_active(struct begat_source *source) { return source->active; }
static inline uint32_t *begat_book_active(struct begat_book *book) { return book->active; }

/// Copies a ban, each field read once: begatd may change it meanwhile.
static inline struct begat_ban begat_copy_ban(const struct begat_ban *slot) {
  struct begat_ban copy = *(const volatile struct begat_ban *)slot;
  return copy;
}

/// Writes a ban so that a slot that is half written is a free one.
static inline void begat_put_ban(struct begat_ban *slot, struct begat_ban ban) {
  __atomic_store_n(&slot->kind, 0, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_RELEASE);
  *(volatile uint64_t *)&slot->high = ban.high;
  *(volatile uint64_t *)&slot->low = ban.low;
  *(volatile int64_t *)&slot->expires = ban.expires;
  *(volatile uint32_t *)&slot->service = ban.service;
  __atomic_store_n(&slot->kind, ban.kind, __ATOMIC_RELEASE);
}

static inline uint32_t begat_ban_count(const struct begat_bans *bans) { return __atomic_load_n(&bans->count, __ATOMIC_RELAXED); }
static inline uint64_t begat_ban_kinds(const struct begat_bans *bans, unsigned scope, unsigned word) {
  return __atomic_load_n(&bans->kinds[scope % 2][word % BEGAT_BAN_LENGTH_WORDS], __ATOMIC_RELAXED);
}
static inline void begat_set_ban_kinds(struct begat_bans *bans, unsigned scope, unsigned word, uint64_t kinds) {
  __atomic_store_n(&bans->kinds[scope % 2][word % BEGAT_BAN_LENGTH_WORDS], kinds, __ATOMIC_RELAXED);
}

/// Begins and ends a change of memory that others read meanwhile.
static inline void begat_begin_writing(uint32_t *sequence) {
  __atomic_store_n(sequence, *sequence + 1, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_RELEASE);
}
static inline void begat_end_writing(uint32_t *sequence) { __atomic_store_n(sequence, *sequence + 1, __ATOMIC_RELEASE); }

/// The sequence before such memory is read, and whether it is the same afterwards.
static inline uint32_t begat_sequence(const uint32_t *sequence) { return __atomic_load_n(sequence, __ATOMIC_ACQUIRE); }
static inline bool begat_was_still(const uint32_t *sequence, uint32_t before) {
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  return (before & 1) == 0 && __atomic_load_n(sequence, __ATOMIC_RELAXED) == before;
}

/// Begins a change of the table of bans, and ends it.
static inline void begat_begin_change(struct begat_bans *bans) { begat_begin_writing(&bans->sequence); }
static inline void begat_end_change(struct begat_bans *bans) { begat_end_writing(&bans->sequence); }

/// The state of the table before it is read, and whether it is the same afterwards.
static inline uint32_t begat_ban_sequence(const struct begat_bans *bans) { return begat_sequence(&bans->sequence); }
static inline bool begat_is_unchanged(const struct begat_bans *bans, uint32_t sequence) { return begat_was_still(&bans->sequence, sequence); }

/// The beginning of the page on which begatd shows its state: a text in the form of StateCoder follows at
/// BEGAT_STATE_HEADER_SIZE.
struct begat_state {
  uint32_t magic;
  /// That of the form of the text.
  uint32_t version;
  /// Odd while the page is being written.
  uint32_t sequence;
  uint32_t length;
};

enum { BEGAT_STATE_MAGIC = 0x62676273, BEGAT_STATE_VERSION = 2, BEGAT_STATE_HEADER_SIZE = 64 };

static inline void begat_begin_state(struct begat_state *state) { begat_begin_writing(&state->sequence); }
static inline void begat_end_state(struct begat_state *state) { begat_end_writing(&state->sequence); }
static inline uint32_t begat_state_sequence(const struct begat_state *state) { return begat_sequence(&state->sequence); }
static inline bool begat_is_same_state(const struct begat_state *state, uint32_t sequence) { return begat_was_still(&state->sequence, sequence); }
static inline uint32_t begat_state_length(const struct begat_state *state) { return __atomic_load_n(&state->length, __ATOMIC_RELAXED); }

/// Copies a slot, each field read once: its process may change it between two looks.
static inline struct begat_slot begat_copy_slot(const struct begat_slot *slot) {
  struct begat_slot copy = *(const volatile struct begat_slot *)slot;
  return copy;
}

/// The addresses of a slot's counts, for code that writes them one by one.
static inline uint64_t *begat_slot_received(struct begat_slot *slot) { return &slot->bytes_received; }
static inline uint64_t *begat_slot_sent(struct begat_slot *slot) { return &slot->bytes_sent; }
static inline uint32_t *begat_slot_waiting(struct begat_slot *slot) { return &slot->waiting; }

static inline uint8_t *begat_name_bytes(struct begat_name *name) { return name->name; }

/// The counters one by one.
static inline uint64_t *begat_refused(struct begat_scoreboard *board, unsigned kind) { return &board->refused[kind % BEGAT_REFUSAL_KINDS]; }
static inline uint64_t *begat_datagrams_refused(struct begat_scoreboard *board, unsigned kind) { return &board->datagrams_refused[kind % BEGAT_REFUSAL_KINDS]; }

static inline uint64_t *begat_outcome(struct begat_scoreboard *board, unsigned outcome) { return &board->outcomes[outcome % BEGAT_OUTCOMES]; }
static inline uint64_t *begat_durations(struct begat_scoreboard *board) { return board->durations; }
static inline uint32_t *begat_accepted_history(struct begat_scoreboard *board) { return board->accepted_history; }
static inline uint32_t *begat_refused_history(struct begat_scoreboard *board) { return board->refused_history; }
static inline uint32_t *begat_accepted_seconds(struct begat_scoreboard *board) { return board->accepted_seconds; }

/// Makes the place of this time the newest one; places that nothing was written to since are zeroed.  `second` may be null.
static inline void begat_advance(int64_t *newest, int64_t place, uint32_t *first, uint32_t *second, int64_t places) {
  int64_t next = place - *newest > places ? place - places + 1 : *newest + 1;
  for (; next <= place; next++) {
    first[next % places] = 0;
    if (second) second[next % places] = 0;
  }
  if (place > *newest) __atomic_store_n(newest, place, __ATOMIC_RELEASE);
}

/// The one writer's counts.  Times are CLOCK_MONOTONIC, nanoseconds.
static inline void begat_count_accepted(struct begat_scoreboard *board, int64_t now) {
  int64_t second = now / 1000000000, place = second / 10;
  board->accepted++;
  begat_advance(&board->newest_place, place, board->accepted_history, board->refused_history, BEGAT_HISTORY_PLACES);
  board->accepted_history[place % BEGAT_HISTORY_PLACES]++;
  begat_advance(&board->newest_second, second, board->accepted_seconds, NULL, 2);
  board->accepted_seconds[second % 2]++;
}
static inline void begat_count_refused(struct begat_scoreboard *board, unsigned kind, int64_t now) {
  int64_t place = now / 10000000000;
  board->refused[kind % BEGAT_REFUSAL_KINDS]++;
  begat_advance(&board->newest_place, place, board->accepted_history, board->refused_history, BEGAT_HISTORY_PLACES);
  board->refused_history[place % BEGAT_HISTORY_PLACES]++;
}

static inline uint8_t *begat_addresses(struct begat_scoreboard *board) { return board->addresses; }

/// The upper end of a bucket of durations, in nanoseconds.
static inline int64_t begat_duration_bound(unsigned bucket) {
  static const int64_t bounds[BEGAT_DURATION_BOUNDS] = {1000000, 10000000, 100000000, 1000000000, 10000000000, 60000000000, 600000000000, 3600000000000};
  return bounds[bucket % BEGAT_DURATION_BOUNDS];
}

/// A process's claim about its bytes, if it is possible: a kilobyte a nanosecond is not.
static inline uint64_t begat_possible_bytes(uint64_t bytes, int64_t duration) {
  return bytes <= (1 << 20) + ((uint64_t)duration << 10) ? bytes : 0;
}
static inline void begat_count_ended(struct begat_scoreboard *board, unsigned outcome, int64_t duration, uint64_t received, uint64_t sent) {
  unsigned bucket = 0;
  while (bucket < BEGAT_DURATION_BOUNDS && duration > begat_duration_bound(bucket)) bucket++;
  board->ended++;
  board->outcomes[outcome % BEGAT_OUTCOMES]++;
  board->durations[bucket]++;
  board->duration_sum += (uint64_t)duration;
  board->bytes_received += begat_possible_bytes(received, duration);
  board->bytes_sent += begat_possible_bytes(sent, duration);
}

/// Loads that see whatever was written before the matching store.
static inline uint32_t begat_load(const uint32_t *value) { return __atomic_load_n(value, __ATOMIC_ACQUIRE); }
static inline void begat_store(uint32_t *value, uint32_t content) { __atomic_store_n(value, content, __ATOMIC_RELEASE); }
static inline void begat_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

/// futex(2) on memory that processes share: wait while *value is `expected`, wake all waiters.
int begat_futex_wait(const uint32_t *value, uint32_t expected, int64_t nanoseconds);
/// The same without a limit of time; a signal ends it as well.
void begat_futex_await(const uint32_t *value, uint32_t expected);
void begat_futex_wake(uint32_t *value);
