#include "CProgramStart.h"
#include <string.h>
#include <unistd.h>

// Without /proc Swift's run-time library knows no command line, and a program would run with its defaults, whatever it
// was told; the static one ends with SIGABRT while it is initialised.  So this runs before all initialisers.
//
// Source: proc_pid_cmdline(5); DT_PREINIT_ARRAY in elf(5).

static void say(const char *text) {
  ssize_t written = write(STDERR_FILENO, text, strlen(text));
  (void)written;
}

static void need_proc(int count, char **arguments, char **environment) {
  (void)environment;
  if (access("/proc/self/cmdline", R_OK) == 0) return;
  const char *name = count > 0 && arguments[0] != NULL ? arguments[0] : "begat";
  const char *slash = strrchr(name, '/');
  say(slash != NULL ? slash + 1 : name);
  say(": /proc is not mounted, and the command line cannot be read without it; use mount -t proc proc /proc\n");
  _exit(1);
}

__attribute__((section(".preinit_array"), used)) static void (*needs_proc)(int, char **, char **) = need_proc;
