// OpenSSL's libssl, loaded when it is needed: a command without TLS neither waits for it nor needs it installed.  Its headers
// are not needed either: the functions and numbers used here are the same in versions 1.1 and 3.
#pragma once

#include <stdbool.h>
#include <stddef.h>

/// The outcomes of a call on a connection that are no number of bytes.
enum {
  CTLS_ENDED = 0,
  CTLS_AWAITS_READING = -1,
  CTLS_AWAITS_WRITING = -2,
  /// The peer has closed the connection without the end that TLS has: what came may be cut off.
  CTLS_CUT_OFF = -3,
  CTLS_FAILED = -4
};

typedef struct ctls_session ctls_session;

/// Loads the library, once; NULL, or why it cannot be had, in the loader's words.
const char *ctls_load(void);

/// A client's session over a connected socket, which stays the caller's; NULL without memory, and where the file of
/// certificates cannot be read.  Only after ctls_load has returned NULL.
///
/// `name`: the owner of the certificate; NULL for any.  `is_address`: whether that is an IP address.
/// `authorities`: a file of certificates to trust; NULL for the machine's.  `verifies`: whether a certificate counts.
ctls_session *ctls_open(int socket, const char *name, bool is_address, const char *authorities, bool verifies);
void ctls_close(ctls_session *session);

/// Shakes hands with the server; 1 when that is done.
long ctls_handshake(ctls_session *session);
long ctls_read(ctls_session *session, void *bytes, size_t size);
long ctls_write(ctls_session *session, const void *bytes, size_t size);
/// Sends the end of TLS, after which nothing more is sent; greater than 0 when it is sent, else as ctls_write.
long ctls_end(ctls_session *session);
/// Why the last call of this thread failed.
void ctls_reason(ctls_session *session, char *room, size_t size);
