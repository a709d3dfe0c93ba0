#define _GNU_SOURCE
#include "CConfinement.h"
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

// linux/landlock.h of the machine that builds may be older than the kernel that runs: numbers and layouts are here.
enum { call_create_ruleset = 444, call_add_rule = 445, call_restrict_self = 446 };
enum { create_ruleset_version = 1, rule_path_beneath = 1 };

static const uint64_t execute = 1, write_file = 1 << 1, read_file = 1 << 2, read_directory = 1 << 3, remove_file = 1 << 5;
// Version 1 knows 13 rights; refer came with 2, truncate with 3, ioctl on devices with 5.
static const uint64_t first_files = (1 << 13) - 1, refer = 1 << 13, truncation = 1 << 14, device_ioctl = 1 << 15;
static const uint64_t bind_tcp = 1, connect_tcp = 2;
static const uint64_t abstract_sockets = 1, signals = 2;
uint64_t confinement_abstract_socket_scope(void) { return abstract_sockets; }
uint64_t confinement_signal_scope(void) { return signals; }

int confinement_landlock_version(void) {
  return (int)syscall(call_create_ruleset, NULL, 0UL, create_ruleset_version);
}

struct confinement_rights confinement_all_rights(int version) {
  struct confinement_rights rights = {0};
  if (version >= 1) rights.files = first_files;
  if (version >= 2) rights.files |= refer;
  if (version >= 3) rights.files |= truncation;
  if (version >= 4) rights.network = bind_tcp | connect_tcp;
  if (version >= 5) rights.files |= device_ioctl;
  if (version >= 6) rights.scopes = abstract_sockets | signals;
  return rights;
}

uint64_t confinement_reading_rights(void) { return read_file; }
uint64_t confinement_removing_rights(void) { return remove_file; }
uint64_t confinement_using_rights(void) { return execute | read_file | read_directory; }
uint64_t confinement_rights_of_files(void) { return execute | write_file | read_file | truncation | device_ioctl; }

int confinement_create_ruleset(struct confinement_rights rights, int version) {
  // A kernel refuses a structure that is larger than its own.
  unsigned long size = version >= 6 ? sizeof rights : version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
  return (int)syscall(call_create_ruleset, &rights, size, 0U);
}

int confinement_permit(int ruleset, int place, uint64_t rights) {
  struct { uint64_t rights; int32_t place; } __attribute__((packed)) rule = {rights, place};
  return (int)syscall(call_add_rule, ruleset, rule_path_beneath, &rule, 0U);
}

int confinement_restrict_self(int ruleset) { return (int)syscall(call_restrict_self, ruleset, 0U); }
