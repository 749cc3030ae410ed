// jq itself.
#include "src/main.c"
