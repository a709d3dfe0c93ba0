#include <sys/socket.h>

/* Opens a non-blocking listening socket, close-on-exec, for ADDRESS PORT of the command line, and prints
   "ready ADDRESS PORT" with the port that it got.  Ends the program where it cannot. */
int listen_as_told(int argc, char **argv);

/* Reads a numeric address and port, and returns the address's length.  Ends the program where they are none. */
socklen_t read_address(const char *host, const char *port, struct sockaddr_storage *address);
