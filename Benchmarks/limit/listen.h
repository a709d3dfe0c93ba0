/* Opens a non-blocking listening socket, close-on-exec, for ADDRESS PORT of the command line, and prints
   "ready ADDRESS PORT" with the port that it got.  Ends the program where it cannot. */
int listen_as_told(int argc, char **argv);
