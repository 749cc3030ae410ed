// There are no users.
#pragma once
#include <stddef.h>
struct passwd { char *pw_dir; };
static struct passwd *getpwnam(const char *name) { return NULL; }
