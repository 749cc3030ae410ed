/* JSON read from the input into a tree, printed short and long, sorted, queried by paths, and read again; malformed texts are refused. */
#include "common.h"

enum type { NIL, FALSE, TRUE, NUMBER, STRING, ARRAY, OBJECT };

struct value {
  enum type type;
  union {
    double number;
    char *string;
    /* Of arrays and objects: their first member. */
    struct value *first;
  };
  char *key;
  struct value *next;
};

static int live;

static void *take(size_t size) {
  void *memory = malloc(size);
  if (!memory) {
    fprintf(stderr, "out of memory\n");
    exit(1);
  }
  live++;
  return memory;
}

static void give(void *memory) {
  if (memory) live--;
  free(memory);
}

static void release(struct value *value) {
  if (!value) return;
  if (value->type == STRING) give(value->string);
  if (value->type >= ARRAY)
    for (struct value *member = value->first, *next; member; member = next) {
      next = member->next;
      release(member);
    }
  give(value->key);
  give(value);
}

struct reader {
  const char *at, *start;
  const char *problem;
};

static struct value *fail(struct reader *r, const char *problem) {
  if (!r->problem) r->problem = problem;
  return NULL;
}

static void skip(struct reader *r) { r->at += strspn(r->at, " \t\r\n"); }

static bool accept(struct reader *r, char c) {
  skip(r);
  if (*r->at != c) return false;
  r->at++;
  return true;
}

static char *put_utf8(char *out, unsigned code) {
  if (code < 0x80) {
    *out++ = (char)code;
  } else if (code < 0x800) {
    *out++ = (char)(0xc0 | code >> 6);
    *out++ = (char)(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *out++ = (char)(0xe0 | code >> 12);
    *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    *out++ = (char)(0x80 | (code & 0x3f));
  } else {
    *out++ = (char)(0xf0 | code >> 18);
    *out++ = (char)(0x80 | (code >> 12 & 0x3f));
    *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    *out++ = (char)(0x80 | (code & 0x3f));
  }
  return out;
}

static int hex4(const char *at) {
  int code = 0;
  for (int i = 0; i < 4; i++) {
    char c = at[i];
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

/* Behind the opening quote. */
static char *read_string(struct reader *r) {
  const char *end = r->at;
  while (*end && *end != '"') end += end[0] == '\\' && end[1] ? 2 : 1;
  if (!*end) {
    fail(r, "a string without an end");
    return NULL;
  }
  char *string = take((size_t)(end - r->at) + 1), *out = string;
  while (r->at < end) {
    char c = *r->at++;
    if ((unsigned char)c < ' ') fail(r, "a control character");
    if (c != '\\') {
      *out++ = c;
      continue;
    }
    static const char ESCAPES[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    c = *r->at++;
    if (c == 'u') {
      int code = hex4(r->at);
      r->at += code < 0 ? 0 : 4;
      if (code >= 0xd800 && code < 0xdc00 && r->at[0] == '\\' && r->at[1] == 'u') {
        int low = hex4(r->at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          r->at += 6;
        }
      }
      if (code < 0 || (code >= 0xd800 && code < 0xe000)) {
        fail(r, "no code point");
      } else {
        out = put_utf8(out, (unsigned)code);
      }
      continue;
    }
    const char *escape = ESCAPES;
    while (*escape && *escape != c) escape += 2;
    if (*escape) {
      *out++ = escape[1];
    } else {
      fail(r, "no escape");
    }
  }
  *out = '\0';
  r->at = end + 1;
  return string;
}

static bool read_number(struct reader *r, double *number) {
  const char *at = r->at;
  at += *at == '-';
  size_t digits = strspn(at, "0123456789");
  if (digits == 0 || (digits > 1 && *at == '0')) return false;
  char *end;
  *number = strtod(r->at, &end);
  r->at = end;
  return true;
}

static struct value *read_value(struct reader *r, int depth) {
  static const char *const WORDS[] = {[NIL] = "null", [FALSE] = "false", [TRUE] = "true"};
  skip(r);
  if (depth > 20) return fail(r, "too deep");
  struct value *value = take(sizeof *value);
  *value = (struct value){.type = NIL};
  if (accept(r, '"')) {
    value->type = STRING;
    value->string = read_string(r);
  } else if (*r->at == '[' || *r->at == '{') {
    value->type = *r->at++ == '[' ? ARRAY : OBJECT;
    char close = value->type == ARRAY ? ']' : '}';
    struct value **last = &value->first;
    if (!accept(r, close)) do {
        char *key = NULL;
        if (value->type == OBJECT) {
          if (!accept(r, '"')) {
            fail(r, "a key is missing");
            break;
          }
          key = read_string(r);
          if (!accept(r, ':')) fail(r, "a colon is missing");
        }
        *last = r->problem ? NULL : read_value(r, depth + 1);
        if (!*last) {
          give(key);
          break;
        }
        (*last)->key = key;
        last = &(*last)->next;
      } while (accept(r, ',') || (!accept(r, close) && (fail(r, "a comma is missing"), false)));
  } else if (*r->at == '-' || (*r->at >= '0' && *r->at <= '9')) {
    value->type = NUMBER;
    if (!read_number(r, &value->number)) fail(r, "no number");
  } else {
    enum type word = NIL;
    while (word <= TRUE && strncmp(r->at, WORDS[word], strlen(WORDS[word])) != 0) word++;
    if (word > TRUE) {
      fail(r, "no value");
    } else {
      value->type = word;
      r->at += strlen(WORDS[word]);
    }
  }
  if (r->problem) {
    release(value);
    return NULL;
  }
  return value;
}

static struct value *read_text(const char *text, struct reader *r) {
  *r = (struct reader){text, text, NULL};
  struct value *value = read_value(r, 0);
  skip(r);
  if (value && *r->at) {
    release(value);
    return fail(r, "something behind the value");
  }
  return value;
}

struct writer {
  char *at;
  bool pretty;
};

static void write_string(struct writer *w, const char *string) {
  *w->at++ = '"';
  for (; *string; string++) {
    const char *escape = strchr("\"\\\n\t\r", *string);
    if (escape) {
      *w->at++ = '\\';
      *w->at++ = "\"\\ntr"[escape - "\"\\\n\t\r"];
    } else if ((unsigned char)*string < ' ') {
      w->at += sprintf(w->at, "\\u%04x", (unsigned)*string);
    } else {
      *w->at++ = *string;
    }
  }
  *w->at++ = '"';
}

/* Returns the end. */
static char *append(char *at, const char *text) {
  size_t length = strlen(text);
  memcpy(at, text, length + 1);
  return at + length;
}

static void new_line(struct writer *w, int depth) {
  if (w->pretty) w->at += sprintf(w->at, "\n%*s", 2 * depth, "");
}

static void write_value(struct writer *w, const struct value *value, int depth) {
  switch (value->type) {
    case NIL: w->at = append(w->at, "null"); break;
    case FALSE: w->at = append(w->at, "false"); break;
    case TRUE: w->at = append(w->at, "true"); break;
    case NUMBER: w->at += sprintf(w->at, "%.10g", value->number); break;
    case STRING: write_string(w, value->string); break;
    case ARRAY:
    case OBJECT:
      *w->at++ = value->type == ARRAY ? '[' : '{';
      for (const struct value *member = value->first; member; member = member->next) {
        new_line(w, depth + 1);
        if (value->type == OBJECT) {
          write_string(w, member->key);
          w->at = append(w->at, w->pretty ? ": " : ":");
        }
        write_value(w, member, depth + 1);
        if (member->next) *w->at++ = ',';
      }
      if (value->first) new_line(w, depth);
      *w->at++ = value->type == ARRAY ? ']' : '}';
  }
  *w->at = '\0';
}

/* Members of objects by their keys: a list sorted by merging. */
static struct value *merge(struct value *a, struct value *b) {
  struct value *first = NULL, **last = &first;
  while (a && b) {
    struct value **less = strcmp(a->key, b->key) <= 0 ? &a : &b;
    *last = *less;
    last = &(*less)->next;
    *less = (*less)->next;
  }
  *last = a ? a : b;
  return first;
}

static struct value *sort_list(struct value *list) {
  if (!list || !list->next) return list;
  struct value *middle = list;
  for (struct value *end = list->next; end && end->next; end = end->next->next) middle = middle->next;
  struct value *second = middle->next;
  middle->next = NULL;
  return merge(sort_list(list), sort_list(second));
}

static void sort_keys(struct value *value) {
  if (value->type < ARRAY) return;
  for (struct value *member = value->first; member; member = member->next) sort_keys(member);
  if (value->type == OBJECT) value->first = sort_list(value->first);
}

/* `planets.2.moons.0`: keys of objects, numbers of arrays. */
static const struct value *find(const struct value *value, const char *path) {
  char part[32];
  while (value && *path) {
    size_t length = strcspn(path, ".");
    snprintf(part, sizeof part, "%.*s", (int)length, path);
    path += length + (path[length] == '.');
    if (value->type < ARRAY) return NULL;
    int left = value->type == ARRAY ? atoi(part) : 0;
    const struct value *member = value->first;
    while (member && (value->type == ARRAY ? left-- > 0 : strcmp(member->key, part) != 0)) member = member->next;
    value = member;
  }
  return value;
}

static double total(const struct value *value) {
  if (value->type == NUMBER) return value->number;
  double sum = 0;
  if (value->type >= ARRAY)
    for (const struct value *member = value->first; member; member = member->next) sum += total(member);
  return sum;
}

static const char *const MALFORMED[] = {"[1, 2", "{\"a\" 1}", "[01]", "nul", "\"\\x\"", "[1] 2", "{1: 2}", "\"\\ud800\"", "[1 2]", "\"tail"};

int main(void) {
  static char text[4096], again[8192];
  text[fread(text, 1, sizeof text - 1, stdin)] = '\0';
  struct reader r;
  struct value *value = read_text(text, &r);
  if (!value) {
    printf("byte %d: %s\n", (int)(r.at - r.start), r.problem);
    return 1;
  }
  printf("%zu bytes, %d pieces of memory\n", strlen(text), live);
  struct writer w = {again, true};
  write_value(&w, value, 0);
  puts(again);
  static const char *const PATHS[] = {"planets.0.name", "planets.1.moons.1", "planets.2.moons.0.name", "planets.9", "units.mass", "note"};
  for (size_t i = 0; i < LENGTH(PATHS); i++) {
    const struct value *found = find(value, PATHS[i]);
    w = (struct writer){again, false};
    if (found) write_value(&w, found, 0);
    printf("%s: %s\n", PATHS[i], found ? again : "nothing");
  }
  printf("all numbers add up to %.6f\n", total(value));
  sort_keys(value);
  w = (struct writer){text, false};
  write_value(&w, value, 0);
  puts(text);
  int before = live;
  struct value *copy = read_text(text, &r);
  w = (struct writer){again, false};
  if (copy) write_value(&w, copy, 0);
  check(copy && strcmp(text, again) == 0 && live == 2 * before, "what is printed is read again");
  release(copy);
  release(value);
  for (size_t i = 0; i < LENGTH(MALFORMED); i++) {
    struct value *none = read_text(MALFORMED[i], &r);
    fprintf(stderr, "%s: byte %d: %s\n", MALFORMED[i], (int)(r.at - r.start), none ? "taken" : r.problem);
    check(!none, MALFORMED[i]);
  }
  check(live == 0, "all memory is given back");
  return verdict();
}
