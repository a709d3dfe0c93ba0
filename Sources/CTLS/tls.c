#include "CTLS.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
  const void *(*client_method)(void);
  void *(*context_new)(const void *);
  void (*context_free)(void *);
  int (*set_default_paths)(void *);
  int (*load_locations)(void *, const char *, const char *);
  void (*set_verify)(void *, int, void *);
  void *(*session_new)(void *);
  void (*session_free)(void *);
  int (*set_fd)(void *, int);
  long (*ctrl)(void *, int, long, void *);
  int (*set_host)(void *, const char *);
  void *(*parameters)(void *);
  int (*connect)(void *);
  int (*read)(void *, void *, int);
  int (*write)(void *, const void *, int);
  int (*shutdown)(void *);
  int (*error)(const void *, int);
  long (*verify_result)(const void *);
  int (*set_address)(void *, const char *);
  const char *(*verify_words)(long);
  unsigned long (*next_error)(void);
  unsigned long (*waiting_error)(void);
  void (*clear_errors)(void);
  const char *(*reason_words)(unsigned long);
} library;

static const struct {
  const char *name;
  void *function;
} functions[] = {
  {"TLS_client_method", &library.client_method}, {"SSL_CTX_new", &library.context_new},
  {"SSL_CTX_free", &library.context_free}, {"SSL_CTX_set_default_verify_paths", &library.set_default_paths},
  {"SSL_CTX_load_verify_locations", &library.load_locations}, {"SSL_CTX_set_verify", &library.set_verify},
  {"SSL_new", &library.session_new}, {"SSL_free", &library.session_free}, {"SSL_set_fd", &library.set_fd},
  {"SSL_ctrl", &library.ctrl}, {"SSL_set1_host", &library.set_host}, {"SSL_get0_param", &library.parameters},
  {"SSL_connect", &library.connect}, {"SSL_read", &library.read}, {"SSL_write", &library.write},
  {"SSL_shutdown", &library.shutdown}, {"SSL_get_error", &library.error},
  {"SSL_get_verify_result", &library.verify_result}, {"X509_VERIFY_PARAM_set1_ip_asc", &library.set_address},
  {"X509_verify_cert_error_string", &library.verify_words}, {"ERR_get_error", &library.next_error},
  {"ERR_peek_error", &library.waiting_error},
  {"ERR_clear_error", &library.clear_errors}, {"ERR_reason_error_string", &library.reason_words},
};

const char *ctls_load(void) {
  static bool is_loaded;
  if (is_loaded) return NULL;
  void *handle = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) {
    handle = dlopen("libssl.so.1.1", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) return "libssl.so.3: cannot be loaded";
  }
  for (size_t index = 0; index < sizeof functions / sizeof *functions; index++) {
    // Those of libcrypto are found through it.
    void *address = dlsym(handle, functions[index].name);
    if (address == NULL) return dlerror();
    *(void **)functions[index].function = address;
  }
  is_loaded = true;
  return NULL;
}

struct ctls_session {
  void *context, *native;
  bool verifies;
  // The last failure, as the library and the system number it.
  int error, code;
};

// ssl.h, tls1.h
enum { SET_MODE = 33, SET_SERVER_NAME = 55, SET_LEAST_VERSION = 123, VERSION_1_2 = 0x0303, VERIFY_PEER = 1 };
enum { PARTIAL_WRITES_FROM_ANYWHERE = 3, ERROR_SSL = 1, ERROR_READ = 2, ERROR_WRITE = 3, ERROR_CALL = 5, ERROR_END = 6, UNEXPECTED_END = 294 };

ctls_session *ctls_open(int socket, const char *name, bool is_address, const char *authorities, bool verifies) {
  ctls_session *session = calloc(1, sizeof *session);
  if (session == NULL) return NULL;
  library.clear_errors();
  session->verifies = verifies;
  session->context = library.context_new(library.client_method());
  if (session->context != NULL) {
    int found = authorities == NULL ? library.set_default_paths(session->context)
                                    : library.load_locations(session->context, authorities, NULL);
    library.set_verify(session->context, verifies ? VERIFY_PEER : 0, NULL);
    if (found == 1) session->native = library.session_new(session->context);
  }
  bool is_well = session->native != NULL && library.set_fd(session->native, socket) == 1;
  // With an empty name the library would ask for none, and with one that begins with a dot for any below it.
  if (name != NULL && (name[0] == 0 || name[0] == '.')) is_well = false;
  if (is_well) {
    library.ctrl(session->native, SET_LEAST_VERSION, VERSION_1_2, NULL);
    library.ctrl(session->native, SET_MODE, PARTIAL_WRITES_FROM_ANYWHERE, NULL);
    if (name != NULL && !is_address) {
      library.ctrl(session->native, SET_SERVER_NAME, 0, (void *)name);
      is_well = library.set_host(session->native, name) == 1;
    } else if (name != NULL) {
      is_well = library.set_address(library.parameters(session->native), name) == 1;
    }
  }
  if (is_well) return session;
  ctls_close(session);
  return NULL;
}

void ctls_close(ctls_session *session) {
  if (session->native != NULL) library.session_free(session->native);
  if (session->context != NULL) library.context_free(session->context);
  free(session);
}

static long outcome(ctls_session *session, int result) {
  if (result > 0) return result;
  int code = errno;
  session->error = library.error(session->native, result);
  session->code = code;
  switch (session->error) {
  case ERROR_READ: return CTLS_AWAITS_READING;
  case ERROR_WRITE: return CTLS_AWAITS_WRITING;
  case ERROR_END: return CTLS_ENDED;
  case ERROR_CALL: return code == 0 || result == 0 ? CTLS_CUT_OFF : CTLS_FAILED;
  // How version 3 says the same.
  case ERROR_SSL: return (library.waiting_error() & 0x7fffff) == UNEXPECTED_END ? CTLS_CUT_OFF : CTLS_FAILED;
  default: return CTLS_FAILED;
  }
}

static void begin(void) {
  library.clear_errors();
  errno = 0;
}

long ctls_handshake(ctls_session *session) {
  begin();
  return outcome(session, library.connect(session->native));
}

long ctls_read(ctls_session *session, void *bytes, size_t size) {
  begin();
  return outcome(session, library.read(session->native, bytes, (int)size));
}

long ctls_write(ctls_session *session, const void *bytes, size_t size) {
  begin();
  return outcome(session, library.write(session->native, bytes, (int)size));
}

long ctls_end(ctls_session *session) {
  begin();
  int result = library.shutdown(session->native);
  // 0: the peer's own end has not come yet.
  return result >= 0 ? 1 : outcome(session, result);
}

void ctls_reason(ctls_session *session, char *room, size_t size) {
  long verdict = session->verifies ? library.verify_result(session->native) : 0;
  unsigned long error = library.next_error();
  const char *words = error == 0 ? NULL : library.reason_words(error);
  if (verdict != 0) words = library.verify_words(verdict);
  if (words == NULL) words = session->code == 0 ? "the connection has ended" : strerror(session->code);
  snprintf(room, size, "%s", words);
}
