#define CURL_DISABLE_TYPECHECK
#include "CCurl.h"
#include <dlfcn.h>
#include <stddef.h>

// The types are those of the header that this is compiled with; the library keeps them for as long as it is number 4.
static struct {
  __typeof__(&curl_global_init) global_init;
  __typeof__(&curl_easy_init) easy_init;
  __typeof__(&curl_easy_cleanup) easy_cleanup;
  __typeof__(&curl_easy_perform) easy_perform;
  __typeof__(&curl_easy_strerror) easy_strerror;
  __typeof__(&curl_easy_setopt) easy_setopt;
  __typeof__(&curl_easy_getinfo) easy_getinfo;
  __typeof__(&curl_slist_append) slist_append;
  __typeof__(&curl_slist_free_all) slist_free_all;
} library;

static const char *find(void *handle, const char *name, void *function) {
  void *address = dlsym(handle, name);
  if (address == NULL) return dlerror();
  *(void **)function = address;
  return NULL;
}

const char *ccurl_load(void) {
  if (library.slist_free_all != NULL) return NULL;
  void *handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return dlerror();
  const char *reason = NULL;
  if ((reason = find(handle, "curl_global_init", &library.global_init)) != NULL
      || (reason = find(handle, "curl_easy_init", &library.easy_init)) != NULL
      || (reason = find(handle, "curl_easy_cleanup", &library.easy_cleanup)) != NULL
      || (reason = find(handle, "curl_easy_perform", &library.easy_perform)) != NULL
      || (reason = find(handle, "curl_easy_strerror", &library.easy_strerror)) != NULL
      || (reason = find(handle, "curl_easy_setopt", &library.easy_setopt)) != NULL
      || (reason = find(handle, "curl_easy_getinfo", &library.easy_getinfo)) != NULL
      || (reason = find(handle, "curl_slist_append", &library.slist_append)) != NULL) return reason;
  if (library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return "libcurl cannot begin";
  // The last one tells that all are there.
  return find(handle, "curl_slist_free_all", &library.slist_free_all);
}

CURL *ccurl_easy_init(void) { return library.easy_init(); }
void ccurl_easy_cleanup(CURL *handle) { library.easy_cleanup(handle); }
CURLcode ccurl_easy_perform(CURL *handle) { return library.easy_perform(handle); }
const char *ccurl_easy_strerror(CURLcode code) { return library.easy_strerror(code); }

CURLcode ccurl_set_number(CURL *handle, CURLoption option, long value) {
  return library.easy_setopt(handle, option, value);
}

CURLcode ccurl_set_text(CURL *handle, CURLoption option, const char *value) {
  return library.easy_setopt(handle, option, value);
}

CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *value) {
  return library.easy_setopt(handle, option, value);
}

CURLcode ccurl_set_receiver(CURL *handle, CURLoption option, curl_write_callback receiver) {
  return library.easy_setopt(handle, option, receiver);
}

CURLcode ccurl_set_progress(CURL *handle, curl_xferinfo_callback progress) {
  return library.easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, progress);
}

long ccurl_number(CURL *handle, CURLINFO info) {
  long value = 0;
  return library.easy_getinfo(handle, info, &value) == CURLE_OK ? value : 0;
}

struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text) {
  return library.slist_append(list, text);
}

void ccurl_slist_free_all(struct curl_slist *list) { library.slist_free_all(list); }
