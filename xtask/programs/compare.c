/* Calls what the examples of the public reference implementation begin with: `compute`, with all of the input as a string. */
__attribute__((import_module("env"), import_name("getchar"))) int getchar(void);

void compute(const char *input);

static char input[4096];

__attribute__((export_name("_start"))) void start(void) {
  int length = 0, byte;
  while (length < (int)sizeof input - 1 && (byte = getchar()) >= 0) input[length++] = (char)byte;
  compute(input);
}
