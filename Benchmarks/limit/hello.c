/* What the servers that execute a program run for each connection: the least that can be seen by a client. */

#include <unistd.h>

int main(void) { return write(1, "hello\n", 6) == 6 ? 0 : 1; }
