// What Swift cannot call on Linux to take rights away from a process: prctl(2) options, capabilities by number, Landlock
// and the loading of a seccomp filter.  Each function returns -1 and sets errno if it fails.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Capabilities
/// Clears the ambient set, which would reach every program that is executed.
int confinement_clear_ambient_capabilities(void);
/// Whether the calling process may empty its bounding set: CAP_SETPCAP is effective.
bool confinement_may_empty_bounding_set(void);
int confinement_empty_bounding_set(void);
/// Clears the effective, the permitted and the inheritable set.
int confinement_clear_capabilities(void);
/// The sets that are not empty: a bit for each of these, -1 if they cannot be read.
enum {
  CONFINEMENT_EFFECTIVE = 1, CONFINEMENT_PERMITTED = 2, CONFINEMENT_INHERITABLE = 4, CONFINEMENT_BOUNDING = 8,
  CONFINEMENT_AMBIENT = 16,
};
int confinement_capability_sets(void);
/// The effective set, a bit for each capability's number; 0 if it cannot be read.
uint64_t confinement_effective_capabilities(void);

// The process
int confinement_set_no_new_privileges(void);
int confinement_has_no_new_privileges(void);
/// Forbids core files, ptrace(2) by its own user and the files of /proc/PID to it.
int confinement_clear_dumpable(void);
int confinement_is_dumpable(void);

// Landlock
/// The version of Landlock's interface, or -1: ENOSYS without it, EOPNOTSUPP where it is off, EPERM under a filter.
int confinement_landlock_version(void);
/// What a ruleset handles, which is what it forbids but for its rules: all that a version of Landlock knows.
struct confinement_rights { uint64_t files, network, scopes; };
struct confinement_rights confinement_all_rights(int version);
/// The rights to read a file, and to remove one in a directory.
uint64_t confinement_reading_rights(void);
uint64_t confinement_removing_rights(void);
/// The rights to read, execute and list.
uint64_t confinement_using_rights(void);
/// The rights that can be given at a file that is no directory.
uint64_t confinement_rights_of_files(void);
/// A descriptor, close-on-exec.
int confinement_create_ruleset(struct confinement_rights rights, int version);
/// Permits rights at an open file and, if it is a directory, at all below it.
int confinement_permit(int ruleset, int place, uint64_t rights);
int confinement_restrict_self(int ruleset);

// seccomp
/// Whether the kernel takes filters of system calls from the calling process.
bool confinement_takes_filters(void);
/// Loads a filter: instructions as struct sock_filter.  Needs no_new_privs.
int confinement_load_filter(const void *instructions, unsigned count);
