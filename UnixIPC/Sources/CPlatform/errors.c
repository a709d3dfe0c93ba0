#define _GNU_SOURCE
#include "CPlatform.h"
#include <string.h>

const char *platform_error_text(int error) { return strerrordesc_np(error); }
const char *platform_error_name(int error) { return strerrorname_np(error); }
