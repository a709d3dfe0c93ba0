// Functions that Swift cannot call on Linux, to take rights away from a process: prctl(2) options, capabilities by
// number, Landlock and the loading of a seccomp filter.  Each function returns -1 and sets errno if it fails.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Capabilities
/// Clears the ambient set, which would reach every program that is executed.
int confinement_clear_ambient_capabilities(void);
/// Adds capabilities to the ambient set, which need to be permitted and inheritable.
int confinement_raise_ambient_capabilities(uint64_t capabilities);
/// Takes all but these out of the bounding set; needs CAP_SETPCAP.
int confinement_cut_bounding_set(uint64_t kept);
/// The sets of the calling process, a bit for each capability's number.
struct confinement_capability_sets { uint64_t effective, permitted, inheritable, bounding, ambient; };
/// Reads all of them, which takes two system calls for each capability.
int confinement_read_capabilities(struct confinement_capability_sets *sets);
int confinement_read_effective_capabilities(uint64_t *effective);
/// Sets three of them; nothing can be added to the permitted set.
int confinement_write_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable);

// The process
int confinement_set_no_new_privileges(void);
int confinement_has_no_new_privileges(void);
/// Forbids core files, ptrace(2) by its own user and the files of /proc/PID to it.
int confinement_clear_dumpable(void);
int confinement_is_dumpable(void);
/// Whether programs that the calling process executes may change their nice value: a filter of system calls may forbid
/// it, or even kill what tries it, so a child tries it.
bool confinement_may_change_nice(void);

// Landlock
/// The version of Landlock's interface, or -1: ENOSYS without it, EOPNOTSUPP where it is off, EPERM under a filter.
int confinement_landlock_version(void);
/// The rights that a ruleset forbids unless a rule permits them; confinement_all_rights: all that a version knows.
struct confinement_rights { uint64_t files, network, scopes; };
struct confinement_rights confinement_all_rights(int version);
/// The scopes among a version's rights, one by one.
uint64_t confinement_abstract_socket_scope(void);
uint64_t confinement_signal_scope(void);
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
