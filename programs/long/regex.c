/* Regular expressions three ways: by backtracking, by simulating an automaton, by derivatives; on every text all must agree. */
#include "common.h"

enum kind { EMPTY, CHARS, CAT, ALT, STAR, NEVER };

/* Nodes are unique: equal expressions have the same number, so that derivatives do not grow without end. */
struct node {
  enum kind kind;
  short a, b;
  /* Of CHARS: the set of characters from ' ' to DEL. */
  uint32_t set[3];
};

enum { NODES = 700 };

static struct node nodes[NODES];
static int count;

static bool same_set(const uint32_t *a, const uint32_t *b) { return a[0] == b[0] && a[1] == b[1] && a[2] == b[2]; }

static int make(enum kind kind, int a, int b, const uint32_t *set) {
  static const uint32_t NONE[3];
  struct node node = {kind, (short)a, (short)b, {0}};
  memcpy(node.set, set ? set : NONE, sizeof node.set);
  for (int i = count; i-- > 0;)
    if (nodes[i].kind == kind && nodes[i].a == a && nodes[i].b == b && same_set(nodes[i].set, node.set)) return i;
  if (count == NODES) {
    fprintf(stderr, "too many nodes\n");
    exit(1);
  }
  nodes[count] = node;
  return count++;
}

static int cat(int a, int b) {
  if (nodes[a].kind == NEVER || nodes[b].kind == EMPTY) return a;
  if (nodes[b].kind == NEVER || nodes[a].kind == EMPTY) return b;
  /* To the right. */
  if (nodes[a].kind == CAT) return cat(nodes[a].a, cat(nodes[a].b, b));
  return make(CAT, a, b, NULL);
}

static int alt(int a, int b) {
  if (a == b || nodes[b].kind == NEVER) return a;
  if (nodes[a].kind == NEVER) return b;
  /* To the right, each alternative once. */
  if (nodes[a].kind == ALT) return alt(nodes[a].a, alt(nodes[a].b, b));
  for (int rest = b; nodes[rest].kind == ALT; rest = nodes[rest].b)
    if (nodes[rest].a == a || nodes[rest].b == a) return b;
  return make(ALT, a, b, NULL);
}

static int star(int a) { return nodes[a].kind == STAR || nodes[a].kind == EMPTY ? a : make(STAR, a, 0, NULL); }

static bool has(const uint32_t *set, unsigned char c) { return c >= ' ' && c < 128 && set[(c - ' ') / 32] >> (c - ' ') % 32 & 1; }

static void put(uint32_t *set, int c) { set[(c - ' ') / 32] |= 1u << (c - ' ') % 32; }

/* The parser: alternatives of sequences of repeated atoms. */
static const char *at;
static int parse_alternatives(void);

static void parse_escape(uint32_t *set, char c) {
  for (int i = ' '; i < 127; i++) {
    bool digit = i >= '0' && i <= '9', letter = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') || i == '_';
    if (c == 'd' ? digit : c == 'w' ? digit || letter : c == 's' ? i == ' ' : i == c) put(set, i);
  }
}

static int parse_atom(void) {
  uint32_t set[3] = {0};
  char c = *at++;
  if (c == '(') {
    int inner = parse_alternatives();
    at++;
    return inner;
  }
  if (c == '.') {
    memset(set, -1, sizeof set);
  } else if (c == '\\') {
    parse_escape(set, *at++);
  } else if (c == '[') {
    bool negated = *at == '^';
    at += negated;
    do {
      if (*at == '\\') {
        parse_escape(set, at[1]);
        at += 2;
      } else if (at[1] == '-' && at[2] != ']') {
        for (int i = at[0]; i <= at[2]; i++) put(set, i);
        at += 3;
      } else {
        put(set, *at++);
      }
    } while (*at != ']');
    at++;
    if (negated)
      for (int i = 0; i < 3; i++) set[i] = ~set[i];
  } else {
    put(set, c);
  }
  return make(CHARS, 0, 0, set);
}

static int parse_repeated(void) {
  int atom = parse_atom();
  for (;; at++) switch (*at) {
      case '*': atom = star(atom); break;
      case '+': atom = cat(atom, star(atom)); break;
      case '?': atom = alt(atom, make(EMPTY, 0, 0, NULL)); break;
      case '{': {
        char *end;
        long least = strtol(at + 1, &end, 10), most = *end == ',' ? strtol(end + 1, &end, 10) : least;
        int empty = make(EMPTY, 0, 0, NULL), all = empty;
        for (long i = most; i > 0; i--) all = i > least ? alt(cat(atom, all), empty) : cat(atom, all);
        atom = all;
        at = end;
        break;
      }
      default: return atom;
    }
}

static int parse_alternatives(void) {
  int all = -1;
  do {
    int sequence = make(EMPTY, 0, 0, NULL);
    while (*at && *at != '|' && *at != ')') sequence = cat(sequence, parse_repeated());
    all = all < 0 ? sequence : alt(all, sequence);
  } while (*at == '|' && at++);
  return all;
}

/* Backtracking: what is left to match is a list of nodes. */
struct rest {
  int node;
  const struct rest *next;
};

static unsigned steps;

static bool backtrack(int node, const char *text, const struct rest *rest) {
  for (;;) {
    const struct node *n = &nodes[node];
    steps++;
    switch (n->kind) {
      case NEVER: return false;
      case CHARS:
        if (!has(n->set, (unsigned char)*text)) return false;
        text++;
        break;
      case CAT: return backtrack(n->a, text, &(struct rest){n->b, rest});
      case ALT:
        if (backtrack(n->a, text, rest)) return true;
        node = n->b;
        continue;
      case STAR: {
        /* No pattern repeats what may be empty: this ends. */
        if (nodes[n->a].kind == CHARS) {
          if (has(nodes[n->a].set, (unsigned char)*text) && backtrack(node, text + 1, rest)) return true;
        } else if (*text && backtrack(n->a, text, &(struct rest){node, rest})) {
          return true;
        }
        break;
      }
      case EMPTY: break;
    }
    if (!rest) return *text == '\0';
    node = rest->node;
    rest = rest->next;
  }
}

/* The automaton of Glushkov: its states are the places of CHARS in the expression. */
enum { PLACES = 64 };

typedef uint64_t places;

static struct {
  int count;
  const uint32_t *set[PLACES];
  places follow[PLACES];
} automaton;

struct fragment {
  places first, last;
  bool empty;
};

static struct fragment build(int node) {
  const struct node *n = &nodes[node];
  struct fragment a, b;
  switch (n->kind) {
    case CHARS: {
      places place = 1ull << automaton.count;
      automaton.set[automaton.count] = n->set;
      automaton.follow[automaton.count++] = 0;
      return (struct fragment){place, place, false};
    }
    case CAT:
      a = build(n->a);
      b = build(n->b);
      for (int i = 0; i < automaton.count; i++)
        if (a.last >> i & 1) automaton.follow[i] |= b.first;
      return (struct fragment){a.first | (a.empty ? b.first : 0), b.last | (b.empty ? a.last : 0), a.empty && b.empty};
    case ALT:
      a = build(n->a);
      b = build(n->b);
      return (struct fragment){a.first | b.first, a.last | b.last, a.empty || b.empty};
    case STAR:
      a = build(n->a);
      for (int i = 0; i < automaton.count; i++)
        if (a.last >> i & 1) automaton.follow[i] |= a.first;
      a.empty = true;
      return a;
    default: return (struct fragment){0, 0, n->kind == EMPTY};
  }
}

static bool simulate(struct fragment whole, const char *text) {
  places next = whole.first, now = 0;
  bool any = false;
  for (; *text; text++, any = true) {
    now = 0;
    for (places open = next; open; open &= open - 1) {
      int place = __builtin_ctzll(open);
      if (has(automaton.set[place], (unsigned char)*text)) now |= 1ull << place;
    }
    next = 0;
    for (places here = now; here; here &= here - 1) next |= automaton.follow[__builtin_ctzll(here)];
  }
  return any ? (now & whole.last) != 0 : whole.empty;
}

/* Derivatives of Brzozowski. */
static bool nullable(int node) {
  const struct node *n = &nodes[node];
  switch (n->kind) {
    case EMPTY:
    case STAR: return true;
    case CAT: return nullable(n->a) && nullable(n->b);
    case ALT: return nullable(n->a) || nullable(n->b);
    default: return false;
  }
}

static int derive(int node, char c) {
  struct node n = nodes[node];
  int never = make(NEVER, 0, 0, NULL);
  switch (n.kind) {
    case CHARS: return has(n.set, (unsigned char)c) ? make(EMPTY, 0, 0, NULL) : never;
    case CAT: {
      int first = derive(n.a, c);
      first = nodes[first].kind == NEVER ? never : cat(first, n.b);
      return nullable(n.a) ? alt(first, derive(n.b, c)) : first;
    }
    case ALT: return alt(derive(n.a, c), derive(n.b, c));
    case STAR: {
      int first = derive(n.a, c);
      return nodes[first].kind == NEVER ? never : cat(first, node);
    }
    default: return never;
  }
}

static const struct {
  const char *pattern, *texts[7];
} TESTS[] = {
    {"(ab|a)(c|bcd)(d*)", {"abcd", "abc", "ac", "abcdd", "acd", "ab", ""}},
    {"\\d{4}-[01]\\d", {"2012-03", "99-12", "2012-23"}},
    {"(a*)*b", {"aaaaaab", "b", "aaaaaaa", "ab", "abb"}},
    {"(a?){5}a{5}", {"aaaaa", "aaaaaaaaaa", "aaaa", "aaaaaaaaaaa"}},
    {"[^@ ]+@\\w+(\\.\\w+)*\\.[a-z]{2,3}", {"me@example.org", "a@c.d.com", "@x.org", "a@b"}},
    {"(0|1(01*0)*1)*", {"0", "110", "1001", "1010", "1110"}},
    {"-?(0|[1-9]\\d*)(\\.\\d+)?([eE][-+]?\\d+)?", {"0", "-12.5", "01", "3.", "6E+3", "-"}},
    {"(x+x+)+y", {"xxxxxxy", "xxxxxx", "xy", "xxy"}},
    {"\"([^\"\\\\]|\\\\.)*\"", {"\"plain\"", "\"a \\\" b\"", "\"open", "\"\"", "\"\\\""}},
};

int main(void) {
  int matched = 0, tried = 0;
  for (size_t t = 0; t < LENGTH(TESTS); t++) {
    count = automaton.count = 0;
    at = TESTS[t].pattern;
    int whole = parse_alternatives();
    check(*at == '\0', "the whole pattern is read");
    int parsed = count;
    struct fragment fragment = build(whole);
    check(automaton.count <= PLACES, "places");
    printf("%s: %d nodes, %d places\n", TESTS[t].pattern, parsed, automaton.count);
    for (int i = 0; i < 7 && TESTS[t].texts[i]; i++) {
      const char *text = TESTS[t].texts[i];
      steps = 0;
      bool by_backtracking = backtrack(whole, text, NULL), by_places = simulate(fragment, text);
      int left = whole;
      for (const char *c = text; *c; c++) left = derive(left, *c);
      bool by_derivatives = nullable(left);
      check(by_backtracking == by_places && by_places == by_derivatives, text);
      printf("  %-20s %-3s %u steps\n", text, by_places ? "yes" : "no", steps);
      matched += by_places;
      tried++;
    }
    fprintf(stderr, "%d nodes with all derivatives\n", count);
  }
  printf("%d of %d match\n", matched, tried);
  return verdict();
}
