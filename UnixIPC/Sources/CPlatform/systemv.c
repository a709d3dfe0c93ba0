#define _GNU_SOURCE
#include "CPlatform.h"

// semctl(2) is variadic, and leaves this union to its caller.
union semun {
  int value;
  struct semid_ds *facts;
  unsigned short *values;
};

int platform_semctl(int set, int index, int command, int value) {
  return semctl(set, index, command, (union semun){.value = value});
}

int platform_semctl_all(int set, int command, unsigned short *values) {
  return semctl(set, 0, command, (union semun){.values = values});
}

int platform_semctl_facts(int set, struct semid_ds *facts) {
  return semctl(set, 0, IPC_STAT, (union semun){.facts = facts});
}

int platform_highest_semaphore_set(void) {
  struct seminfo limits;
  return semctl(0, 0, SEM_INFO, &limits);
}

int platform_semaphore_set_at(int place, struct semid_ds *facts) {
  return semctl(place, 0, SEM_STAT_ANY, (union semun){.facts = facts});
}

int platform_semtimedop(int set, struct sembuf *operations, size_t count, const struct timespec *limit) {
  return semtimedop(set, operations, count, limit);
}
