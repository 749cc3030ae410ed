// The driver of zlib: miniz defines its names.
#include "miniz.h"
#include "../zlib/main.c"
