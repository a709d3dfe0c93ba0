/* A program for servers that execute one: greets, waits for a line of the client and ends.  A client that sends none
   holds it. */

#include <string.h>
#include <unistd.h>

int main(void) {
  char line[256];
  if (write(1, "hello\n", 6) != 6) return 1;
  for (;;) {
    ssize_t length = read(0, line, sizeof line);
    if (length <= 0) return 1;
    if (memchr(line, '\n', (size_t)length) != NULL) return 0;
  }
}
