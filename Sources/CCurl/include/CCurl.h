// libcurl, loaded when it is needed: what never asks a web server neither waits for its thirty libraries nor needs it
// installed.  Each function is its namesake of libcurl; those of variable arguments have one form for each type.
#pragma once

#include <curl/curl.h>

/// Loads the library, once; NULL, or why it cannot be had, in the loader's words.
const char *ccurl_load(void);

// Only after ccurl_load has returned NULL.
CURL *ccurl_easy_init(void);
void ccurl_easy_cleanup(CURL *handle);
CURLcode ccurl_easy_perform(CURL *handle);
const char *ccurl_easy_strerror(CURLcode code);
CURLcode ccurl_set_number(CURL *handle, CURLoption option, long value);
/// The library keeps a copy; NULL takes the option back.
CURLcode ccurl_set_text(CURL *handle, CURLoption option, const char *value);
/// The memory stays the caller's and must outlive its use.
CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *value);
/// For CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
CURLcode ccurl_set_receiver(CURL *handle, CURLoption option, curl_write_callback receiver);
CURLcode ccurl_set_progress(CURL *handle, curl_xferinfo_callback progress);
/// 0 where the library does not know.
long ccurl_number(CURL *handle, CURLINFO info);
/// The list with one more; NULL, and the old list as it was, without memory.
struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text);
void ccurl_slist_free_all(struct curl_slist *list);
