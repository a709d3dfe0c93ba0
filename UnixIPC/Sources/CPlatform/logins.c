#define _GNU_SOURCE
#include "CPlatform.h"
#include <string.h>
#include <utmpx.h>

void platform_rewind_logins(void) { setutxent(); }

// utmp's strings need not end in NUL.
static void copy(char *to, size_t size, const char *from, size_t length) {
  size_t count = strnlen(from, length < size - 1 ? length : size - 1);
  memcpy(to, from, count);
  to[count] = '\0';
}

bool platform_next_login(struct platform_login *login) {
  for (struct utmpx *entry; (entry = getutxent()) != NULL;) {
    if (entry->ut_type != USER_PROCESS) continue;
    copy(login->user, sizeof login->user, entry->ut_user, sizeof entry->ut_user);
    copy(login->line, sizeof login->line, entry->ut_line, sizeof entry->ut_line);
    copy(login->host, sizeof login->host, entry->ut_host, sizeof entry->ut_host);
    login->since = entry->ut_tv.tv_sec;
    return true;
  }
  endutxent();
  return false;
}
