#include <sys/socket.h>

/* Opens a non-blocking socket of that type, close-on-exec, for ADDRESS PORT of the command line, listens if it is of
   SOCK_STREAM, and prints "ready ADDRESS PORT" with the port that it got.  Ends the program where it cannot. */
int bind_as_told(int argc, char **argv, int type);

/* The same for SOCK_STREAM. */
int listen_as_told(int argc, char **argv);

/* Reads a numeric address and port, and returns the address's length.  Ends the program where they are none. */
socklen_t read_address(const char *host, const char *port, struct sockaddr_storage *address);
