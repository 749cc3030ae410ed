#define JQ_VERSION "1"
