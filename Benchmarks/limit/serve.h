/* Serves one client in a process of its own and ends the connection so that the reply arrives whole even if the client
   has sent bytes that the server never reads.  The reply is that of RFC 868, or with is_asked, a greeting, after which
   the client sends a line first. */
void serve(int connection, int is_asked);

/* Whether the word behind ADDRESS and PORT asks for a line of the client first; takes it off the command line. */
int read_is_asked(int *argc, char **argv);
