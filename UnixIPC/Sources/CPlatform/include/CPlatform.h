// What Swift cannot call on Linux: GNU extensions hidden from its importer, variadic calls, C macros, and the code
// that runs between fork and exec.  Each function is its namesake of section 2, returning -1 and setting errno.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <signal.h>
#include <termios.h>

// Descriptors
int platform_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int platform_pipe2(int fds[2], int flags);
int platform_close_range(unsigned first, unsigned last, unsigned flags);
/// By its own system call, which names no path: a filter of system calls may permit that alone.
int platform_fstat(int fd, struct stat *status);
int platform_fcntl(int fd, int command, int argument);
int platform_open(const char *path, int flags, mode_t mode);
/// write(2) whose EPIPE comes without SIGPIPE, whatever the signal's disposition, on a socket, a pipe or any other file.
ssize_t platform_write_without_signal(int fd, const void *bytes, size_t size);
int platform_memfd_create(const char *name, unsigned flags);
int platform_set_pipe_size(int fd, int size);
/// splice(2) at the files' own offsets, without waiting for a pipe.
ssize_t platform_splice(int from, int to, size_t size);
/// sendfile(2) from the file's own offset.
ssize_t platform_sendfile(int to, int from, size_t size);
/// The same two, whose EPIPE comes without SIGPIPE.
ssize_t platform_splice_without_signal(int from, int to, size_t size);
ssize_t platform_sendfile_without_signal(int to, int from, size_t size);
/// copy_file_range(2) at the files' own offsets.
ssize_t platform_copy_file_range(int from, int to, size_t size);

// Untrusted names
/// openat2(2) that leaves the directory in no way and follows no symbolic link.
int platform_open_beneath(int directory, const char *path, int flags, mode_t mode);

// Processes
pid_t platform_fork(int exit_signal);
/// Runs a function on a stack that children do not inherit; -1 if there is none.
int platform_run_apart(size_t size, void (*body)(void *), void *argument);
/// Whether children inherit the stack of platform_run_apart, and the first one if it was left, from now on.
void platform_inherit_stack(bool is_inherited);
/// Gives children of platform_fork_to a stack in that memory instead of the first one, which must contain nothing that
/// they need, and lets the kernel show the process's title near its top, where room is; NULL if that cannot be done.  The
/// memory is whole pages, which are mapped anew; the page below them must not be writable.
char *platform_leave_first_stack(void *memory, size_t size, size_t room);
bool platform_is_childrens_stack(uintptr_t start, uintptr_t end);
/// Gives children of platform_fork_to a copy of the thread's variables, as they are now, instead of these whole pages, on
/// which nothing else lies; false if that cannot be done.
bool platform_leave_thread_variables(void *start, size_t size);
enum { PLATFORM_MOST_PASSED_BYTES = 256 };
/// As platform_fork, but the child runs the function, with a copy of the argument, and ends with its status.  It does not
/// have the stack of platform_run_apart, and begins on the first one, or on that of platform_leave_first_stack.
pid_t platform_fork_to(int exit_signal, int (*body)(void *), const void *argument, size_t size);
/// Ends the thread's restartable sequences: the kernel then writes to none of its pages when a copy of it first runs.
/// Returns whether none are left.
bool platform_leave_rseq(void);
char **platform_environment(void);
void platform_set_environment(char **environment);
pid_t platform_getppid(void);
/// A child that has ended and is not reaped yet, of any kind; 0 when there is none.
pid_t platform_peek_child(void);
/// Close-on-exec.
int platform_pidfd_open(pid_t pid);
int platform_pidfd_send_signal(int fd, int signal);
/// Of the calling thread.
int platform_set_signal_mask(const sigset_t *mask);
int platform_prctl(int option, unsigned long argument);
int platform_replace(int fd, int other);
int platform_setresuid(uid_t uid);
int platform_setresgid(gid_t gid);
int platform_getresuid(uid_t *real, uid_t *effective, uid_t *saved);
int platform_getresgid(gid_t *real, gid_t *effective, gid_t *saved);
/// Empties the calling thread's inheritable and ambient sets of capabilities, and all others but the bounding set unless
/// root's are kept.
int platform_drop_capabilities(bool keeps_roots);
/// Whether the calling process has these supplementary groups and no others; the primary group may be among them or not.
bool platform_has_groups(const gid_t *groups, size_t count, gid_t primary);
int platform_getrlimit(int resource, uint64_t *soft, uint64_t *hard);
int platform_setrlimit(int resource, uint64_t soft, uint64_t hard);

struct platform_limit { int resource; uint64_t soft; uint64_t hard; };
struct platform_identity { uid_t user; gid_t group; const gid_t *groups; size_t group_count; };

/// A program to start.  Everything is prepared by the caller: the child shares its memory until it executes.
struct platform_spawn {
  /// The program's file, opened with O_PATH, which is executed whatever the path leads to; -1 for the file at the path.
  int file;
  const char *path;
  char *const *arguments;
  char *const *environment;
  /// Descriptor i of the program is descriptors[i] of the caller.
  const int *descriptors;
  int descriptor_count;
  const char *directory;
  /// Where the program finds its own number: ten digits of room and a NUL; NULL if the program does not need it.
  char *process_digits;
  const struct platform_limit *limits;
  int limit_count;
  /// The identity that the program runs as; NULL for the caller's.
  const struct platform_identity *identity;
  /// -1 leaves it as it is.
  int file_mode_mask;
  /// Added to the caller's own.
  int nice;
  /// Sent to the program when the calling thread ends; 0 for none.
  int death_signal;
  /// Those that get their default disposition back, as platform_changed_signals tells them, and those that are ignored.
  /// A handler that was installed after that call may run in the child, which shares the caller's memory.
  uint64_t changed_signals, ignored_signals;
  bool new_session;
  bool new_group;
  /// Whether it is a grandchild whose parent is gone: the caller need not reap it.
  bool orphan;
  /// Whether descriptor 0 of the program is its session's terminal; for a new session only.
  bool controlling_terminal;
};
/// vfork(2) and execve(2), or with an identity clone(2), so that no other user's process shares the caller's memory.  An
/// error of any step in the child comes back as errno here, its name in *failed_step.
pid_t platform_spawn(const struct platform_spawn *program, const char **failed_step);

/// execve(2), or execveat(2) where `file` is not -1.
int platform_execute(int file, const char *path, char *const *arguments, char *const *environment);

/// getauxval(3) AT_EXECFN: the path by which the process executed its program, or NULL.
const char *platform_executed_file(void);

/// Whether no other thread was ever started, or is there any more.
bool platform_has_one_thread(void);

// Time
/// clock_gettime(2) without vdso(7), in nanoseconds.
int64_t platform_clock(clockid_t clock);
/// Waits for something to read, and takes the time that passes off `left`: ppoll(2), which does that unlike the C library's.
int platform_wait_for_input(int fd, struct timespec *left);

// Time limits
/// Interrupts the calling thread's system calls from `instant` of CLOCK_MONOTONIC on, until it is ended.
struct platform_interrupter { void *timer; sigset_t mask; int64_t outer; };
int platform_start_interrupting(struct platform_interrupter *interrupter, int64_t instant);
void platform_end_interrupting(struct platform_interrupter *interrupter);
/// The instant, in nanoseconds of CLOCK_MONOTONIC, after which the calling thread's system calls are interrupted.
int64_t platform_thread_deadline(void);
/// Sends the calling process a signal once, after a time above 0; the timer is never deleted.
int platform_signal_after(int signal, int64_t nanoseconds);
/// For a forked process, which has no timers.
void platform_forget_deadline(void);

// Signals
/// siginfo_t, as far as it is told: `process` is the sender, or the child that ended.
struct platform_arrival { int signal; int code; pid_t process; uid_t user; int value; };
/// sigtimedwait(2): the signal number, or -1 with EAGAIN after the time.  Less than 0 nanoseconds wait forever.
int platform_take_signal(const sigset_t *set, int64_t nanoseconds, struct platform_arrival *arrival);
int platform_queue_signal(pid_t process, int signal, int value);
int platform_sigrtmin(void);
int platform_sigrtmax(void);
void platform_restore_disposition(int signal);
void platform_ignore_signal(int signal);
/// Gives every signal that the calling process handles its default action, but for those that report a crash.
void platform_reset_handlers(void);
/// The signals that the calling process ignores or handles, any of the kernel's 64; signal 1 in the lowest bit.
uint64_t platform_changed_signals(void);
bool platform_exited(int status);
int platform_exit_code(int status);
bool platform_signaled(int status);
int platform_termination_signal(int status);
bool platform_dumped_core(int status);
const char *platform_signal_name(int signal);
const char *platform_signal_text(int signal);

typedef void (*platform_signal_handler)(int);
enum { PLATFORM_DEFAULT, PLATFORM_IGNORED, PLATFORM_COUNTED, PLATFORM_HANDLED };
/// Which of those it is, or -1.
int platform_disposition(int signal, platform_signal_handler *handler);
int platform_set_disposition(int signal, platform_signal_handler handler, bool restarts);
/// The kernel's own struct sigaction, to be put back bit by bit: a foreign handler's flags, mask and return path too.
struct platform_disposition { unsigned long words[4]; };
int platform_save_disposition(int signal, struct platform_disposition *saved);
int platform_put_back_disposition(int signal, const struct platform_disposition *saved);
/// A handler that counts, and what it has counted in this process.
void platform_count_signal(int signal);
uint64_t platform_signal_count(int signal);
/// Writes each of the signals, signal 1 in the lowest bit, into a non-blocking pipe as a struct platform_arrival when it
/// arrives.  EBUSY if one has a pipe already; *refused is the signal that failed, or 0.
int platform_receive_signals(uint64_t signals, int writer, int *refused);
/// Restores the former dispositions.  Then the pipe may be closed.
void platform_stop_receiving_signals(uint64_t signals);
/// One of the signals that did not fit into the pipe, which then got an arrival with signal 0; or 0.
int platform_take_lost_signal(uint64_t signals);

// Sockets
struct platform_credentials { pid_t pid; uid_t uid; gid_t gid; };
int platform_peer_credentials(int fd, struct platform_credentials *credentials);
/// recvmsg(2) that also tells the local address a datagram was sent to, for platform_send_datagram to answer from.
struct platform_datagram {
  struct sockaddr_storage peer;
  socklen_t peer_length;
  /// Read as struct cmsghdr, which is aligned as size_t.
  _Alignas(size_t) unsigned char control[64];
  size_t control_length;
  /// Whether it was sent to a broadcast or multicast address.
  bool to_many;
};
ssize_t platform_receive_datagram(int fd, void *buffer, size_t size, struct platform_datagram *datagram);
ssize_t platform_send_datagram(int fd, const void *buffer, size_t size, struct platform_datagram *datagram);
int platform_ask_for_local_address(int fd, int family);
enum { PLATFORM_MOST_DATAGRAMS = 64 };
/// Receives up to `count` datagrams without waiting, with recvmmsg(2), each into its part, whose length it sets: returns how
/// many came, or -1 if none did.
int platform_receive_datagrams(int fd, struct iovec *parts, struct platform_datagram *datagrams, unsigned count);
/// Sends up to `count` datagrams without waiting, with sendmmsg(2): returns how many were sent, or -1 if the first was not.
/// Each answers one of the received `datagrams`, by its number in `answered`; both are NULL on a connected socket.
int platform_send_datagrams(
  int fd, struct iovec *parts, struct platform_datagram *datagrams, const unsigned char *answered, unsigned count);

// Descriptors that are passed over Unix sockets
/// SCM_MAX_FD: what the kernel takes in one message.
enum { PLATFORM_MOST_PASSED = 253 };
struct platform_passed {
  /// Room for PLATFORM_MOST_PASSED, filled in.
  int *numbers;
  /// How many are wanted; more may come.
  int most;
  int count;
  bool bytes_cut;
  bool control_cut;
};
ssize_t platform_send_passing(int fd, const void *buffer, size_t size, const int *numbers, size_t count, int flags);
/// Close-on-exec.
ssize_t platform_receive_passed(int fd, void *buffer, size_t size, int flags, struct platform_passed *passed);

// Memory
/// malloc_trim(3): gives free heap memory back, so that forked processes need not tidy it up.
void platform_trim_heap(void);
struct platform_region {
  uintptr_t start, end;
  int protection;
};
/// Memory that lies in a file now.
struct platform_memory {
  struct platform_region regions[16];
  int count;
};
/// Puts the contents of the process's private memory into a file in memory and maps that privately in the same place;
/// not those of its stack and of anonymous mappings.  For a single thread.  -1: the step has failed.
int platform_move_memory_to_file(struct platform_memory *memory, const char **failed_step);
/// Takes pages that are still those of the file out of the page tables; the next access finds them in the file.
/// `pagemap` is /proc/self/pagemap, open for reading.
void platform_leave_clean_pages(const struct platform_memory *memory, int pagemap);
/// mremap(2) to exactly this place, which need not be free: -1 on failure.
int platform_move_mapping(void *from, size_t size, void *to);
/// Writes to a page what it has already, so that it is the process's own, and children have it without a page fault.
void platform_own_page(void *place);
/// A place on the page of the variables that each fork needs.
void *platform_hot_data(void);

// Errors
const char *platform_error_text(int error);
const char *platform_error_name(int error);

// Logins
struct platform_login { char user[33]; char line[33]; char host[257]; int64_t since; };
/// The next login of utmp(5), false at the end.  Start with platform_rewind_logins.
void platform_rewind_logins(void);
bool platform_next_login(struct platform_login *login);

// System V objects
/// semctl(2) with a command that takes a number or nothing.
int platform_semctl(int set, int index, int command, int value);
/// GETALL and SETALL.
int platform_semctl_all(int set, int command, unsigned short *values);
/// IPC_STAT.
int platform_semctl_facts(int set, struct semid_ds *facts);
/// SEM_INFO: the highest place that is used.
int platform_highest_semaphore_set(void);
/// SEM_STAT_ANY: the identifier of the set in this place.
int platform_semaphore_set_at(int place, struct semid_ds *facts);
/// No limit where it is NULL.
int platform_semtimedop(int set, struct sembuf *operations, size_t count, const struct timespec *limit);

// FIFOs
/// ioctl(2), FIONREAD: what a pipe holds; -1 on failure.
int platform_unread_count(int fd);
int platform_renameat2(int old_directory, const char *old, int new_directory, const char *new, unsigned flags);
/// fanotify_init(2): counts who opens and closes files; -1 where the kernel or a sandbox has none.
int platform_opening_counter(void);
int platform_count_openings(int counter, const char *path, int begins);
/// name_to_handle_at(2): how the counter's events name a file; the number of bytes, -1 on failure.
int platform_file_handle(const char *path, unsigned char *bytes, size_t size);
/// kcmp(2), KCMP_FILE: whether two descriptors share one opening; -1 where one may not know.
int platform_is_same_open_file(pid_t process, int fd, pid_t other, int other_fd);
/// Whether a call number of /proc/PID/syscall is read(2) or readv(2).
int platform_is_read_call(long number);

// Terminals
/// Opens a new pseudo-terminal's controlling side, close-on-exec, unlocked, with the other side's path.
int platform_open_pseudo_terminal(char *path, size_t size, const char **failed_step);
/// ioctl(2) TIOCGPTPEER: the terminal side, close-on-exec, and the controlling terminal of no process.
int platform_open_terminal_side(int controlling);
int platform_window_size(int fd, uint16_t *columns, uint16_t *rows);
int platform_set_window_size(int fd, uint16_t columns, uint16_t rows);
/// memmem(3): the offset of the first occurrence, -1 when there is none.
ssize_t platform_find_bytes(const void *bytes, size_t count, const void *wanted, size_t wanted_count);
/// Makes the terminal raw until platform_release_raw; whatever ends or stops the process meanwhile gives it back as it
/// was.  EBUSY when the process holds one already.
///
/// output: of a program that fills the screen, a descriptor that does not block, else -1.  enter is written to it whenever
/// the terminal has become raw, leave before it is given back; EINVAL if one of them has more than 63 bytes.
int platform_hold_raw(int fd, int output, const char *enter, const char *leave);
void platform_release_raw(void);
