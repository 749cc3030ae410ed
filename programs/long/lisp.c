/* A Lisp with a collector that marks and sweeps, and programs in it: lists, primes, closures, symbolic derivatives. */
#include "common.h"

enum type { FREE, NIL, NUMBER, SYMBOL, PAIR, PRIMITIVE, CLOSURE };

typedef uint16_t ref;

struct cell {
  uint8_t type, marked;
  union {
    int32_t number;
    char name[8];
    /* Of a pair; of a closure: what it evaluates, and its environment. */
    struct {
      ref first, rest;
    };
    struct {
      ref code, environment;
    };
  };
};

enum { CELLS = 960, ROOTS = 600 };

static struct cell heap[CELLS];
/* By symbol: what it is bound to everywhere. */
static ref global[CELLS];
static ref free_cells, nil, symbols, truth;
static ref roots[ROOTS];
static int rooted, collections, allocated;

static void mark(ref at) {
  for (struct cell *cell = &heap[at]; !cell->marked; cell = &heap[at]) {
    cell->marked = 1;
    if (cell->type != PAIR && cell->type != CLOSURE) return;
    mark(cell->first);
    at = cell->rest;
  }
}

static void collect(void) {
  collections++;
  mark(nil);
  mark(symbols);
  for (ref list = symbols; list != nil; list = heap[list].rest) mark(global[heap[list].first]);
  for (int i = 0; i < rooted; i++) mark(roots[i]);
  free_cells = 0;
  for (ref at = CELLS - 1; at > 0; at--) {
    if (!heap[at].marked) {
      heap[at].type = FREE;
      heap[at].rest = free_cells;
      free_cells = at;
    }
    heap[at].marked = 0;
  }
}

static ref keep(ref at) {
  if (rooted == ROOTS) {
    printf("too deep\n");
    exit(1);
  }
  return roots[rooted++] = at;
}

static ref take(enum type type) {
  if (!free_cells) collect();
  if (!free_cells) {
    printf("no cell is left\n");
    exit(1);
  }
  ref at = free_cells;
  free_cells = heap[at].rest;
  heap[at].type = (uint8_t)type;
  allocated++;
  return at;
}

/* Whoever calls these has kept what it needs behind the call; the arguments are kept here. */
static ref pair(ref first, ref rest) {
  keep(first);
  keep(rest);
  ref at = take(PAIR);
  heap[at].first = first;
  heap[at].rest = rest;
  rooted -= 2;
  return at;
}

static ref number(int32_t value) {
  ref at = take(NUMBER);
  heap[at].number = value;
  return at;
}

static ref first(ref at) { return heap[at].type == PAIR ? heap[at].first : nil; }
static ref rest(ref at) { return heap[at].type == PAIR ? heap[at].rest : nil; }

static ref symbol(const char *name, size_t length) {
  for (ref list = symbols; list != nil; list = rest(list)) {
    const char *known = heap[first(list)].name;
    if (strlen(known) == length && memcmp(known, name, length) == 0) return first(list);
  }
  ref at = take(SYMBOL);
  snprintf(heap[at].name, sizeof heap[at].name, "%.*s", (int)length, name);
  global[at] = nil;
  symbols = pair(at, symbols);
  return at;
}

/* The reader. */
static const char *text;

static ref read_list(void);

static ref read_value(void) {
  text += strspn(text, " \n");
  if (*text == '(') {
    text++;
    return read_list();
  }
  if (*text == '\'') {
    text++;
    ref quoted = keep(pair(read_value(), nil));
    ref list = pair(symbol("quote", 5), quoted);
    rooted--;
    return list;
  }
  size_t length = strcspn(text, " \n()");
  char *end;
  long value = strtol(text, &end, 10);
  ref at = end == text + length ? number((int32_t)value) : symbol(text, length);
  text += length;
  return at;
}

static ref read_list(void) {
  text += strspn(text, " \n");
  if (*text == ')') {
    text++;
    return nil;
  }
  ref value = keep(read_value());
  ref list = pair(value, read_list());
  rooted--;
  return list;
}

static void print(ref at) {
  switch (heap[at].type) {
    case NIL: printf("()"); break;
    case NUMBER: printf("%d", (int)heap[at].number); break;
    case SYMBOL: printf("%s", heap[at].name); break;
    case PAIR:
      for (char open = '('; heap[at].type == PAIR; at = heap[at].rest, open = ' ') {
        putchar(open);
        print(heap[at].first);
      }
      if (at != nil) {
        printf(" . ");
        print(at);
      }
      putchar(')');
      break;
    default: printf("<function>");
  }
}

static uint32_t checksum(ref at, uint32_t sum) {
  for (; heap[at].type == PAIR; at = heap[at].rest) sum = mix(checksum(heap[at].first, sum), '.');
  if (heap[at].type == NUMBER) return mix(sum, (uint32_t)heap[at].number);
  return heap[at].type == SYMBOL ? mix_bytes(sum, heap[at].name, strlen(heap[at].name)) : mix(sum, heap[at].type);
}

/* Primitives. */
static int32_t value(ref at) { return heap[at].type == NUMBER ? heap[at].number : 0; }
static ref from_bool(bool holds) { return holds ? truth : nil; }

static ref do_add(ref a, ref b) { return number(value(a) + value(b)); }
static ref do_sub(ref a, ref b) { return number(value(a) - value(b)); }
static ref do_mul(ref a, ref b) { return number(value(a) * value(b)); }
static ref do_div(ref a, ref b) { return number(value(b) ? value(a) / value(b) : 0); }
static ref do_mod(ref a, ref b) { return number(value(b) ? value(a) % value(b) : 0); }
static ref do_less(ref a, ref b) { return from_bool(value(a) < value(b)); }
static ref do_first(ref a, ref b) { return (void)b, first(a); }
static ref do_rest(ref a, ref b) { return (void)b, rest(a); }
static ref do_pairp(ref a, ref b) { return (void)b, from_bool(heap[a].type == PAIR); }
static ref do_numberp(ref a, ref b) { return (void)b, from_bool(heap[a].type == NUMBER); }
static ref do_equal(ref a, ref b) { return from_bool(a == b || (heap[a].type == NUMBER && heap[b].type == NUMBER && value(a) == value(b))); }

static const struct {
  const char *name;
  ref (*function)(ref, ref);
} PRIMITIVES[] = {
    {"+", do_add},     {"-", do_sub},    {"*", do_mul},   {"/", do_div},       {"%", do_mod},       {"<", do_less},
    {"cons", pair},    {"car", do_first}, {"cdr", do_rest}, {"pair?", do_pairp}, {"num?", do_numberp}, {"=", do_equal},
};

static ref find(ref name, ref environment) {
  for (; environment != nil; environment = heap[environment].rest) {
    const struct cell *bound = &heap[heap[environment].first];
    if (bound->first == name) return bound->rest;
  }
  return global[name];
}

static ref QUOTE, IF, LAMBDA, DEFINE;

static ref evaluate(ref expression, ref environment) {
  int before = rooted;
  keep(expression);
  keep(environment);
  for (;;) {
    ref result = expression;
    if (heap[expression].type == SYMBOL) {
      result = find(expression, environment);
    } else if (heap[expression].type == PAIR) {
      ref head = first(expression), operands = rest(expression);
      if (head == IF) {
        bool holds = evaluate(first(operands), environment) != nil;
        roots[before] = expression = first(holds ? rest(operands) : rest(rest(operands)));
        continue;
      }
      if (head == QUOTE) {
        result = first(operands);
      } else if (head == LAMBDA) {
        result = take(CLOSURE);
        heap[result].code = operands;
        heap[result].environment = environment;
      } else if (head == DEFINE) {
        global[first(operands)] = evaluate(first(rest(operands)), environment);
        result = first(operands);
      } else {
        ref function = keep(evaluate(head, environment));
        if (heap[function].type == PRIMITIVE) {
          ref a = keep(evaluate(first(operands), environment));
          ref b = keep(evaluate(first(rest(operands)), environment));
          result = PRIMITIVES[heap[function].number].function(a, b);
        } else if (heap[function].type == CLOSURE) {
          ref names = first(heap[function].code);
          ref inner = keep(heap[function].environment);
          for (; names != nil; names = rest(names), operands = rest(operands)) {
            ref bound = keep(pair(first(names), evaluate(first(operands), environment)));
            inner = pair(bound, inner);
            roots[--rooted - 1] = inner;
          }
          /* A call in the last place takes no room. */
          roots[before] = expression = first(rest(heap[function].code));
          roots[before + 1] = environment = inner;
          rooted = before + 2;
          continue;
        } else {
          printf("no function: ");
          print(head);
          putchar('\n');
          exit(1);
        }
      }
    }
    rooted = before;
    return result;
  }
}

static void start(void) {
  memset(heap, 0, sizeof heap);
  for (ref at = CELLS - 1; at > 0; at--) {
    heap[at].rest = free_cells;
    free_cells = at;
  }
  nil = take(NIL);
  symbols = nil;
  truth = symbol("t", 1);
  global[truth] = truth;
  for (size_t i = 0; i < LENGTH(PRIMITIVES); i++) {
    ref name = symbol(PRIMITIVES[i].name, strlen(PRIMITIVES[i].name));
    global[name] = take(PRIMITIVE);
    heap[global[name]].number = (int32_t)i;
  }
  QUOTE = symbol("quote", 5);
  IF = symbol("if", 2);
  LAMBDA = symbol("lambda", 6);
  DEFINE = symbol("define", 6);
}

static const char *const PROGRAM[] = {
    "(define fib (lambda (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))))",
    "(fib 9)",
    "(define upto (lambda (a b) (if (< b a) () (cons a (upto (+ a 1) b)))))",
    "(define map (lambda (f l) (if (pair? l) (cons (f (car l)) (map f (cdr l))) ())))",
    "(define fold (lambda (f a l) (if (pair? l) (fold f (f a (car l)) (cdr l)) a)))",
    "(define keep (lambda (f l) (if (pair? l) (if (f (car l)) (cons (car l) (keep f (cdr l))) (keep f (cdr l))) ())))",
    "(fold + 0 (map (lambda (x) (* x x)) (upto 1 20)))",
    "(define sieve (lambda (l) (if (pair? l) (cons (car l) (sieve (keep (lambda (x) (< 0 (% x (car l)))) (cdr l)))) ())))",
    "(sieve (upto 2 30))",
    "(define adder (lambda (n) (lambda (x) (+ x n))))",
    "((adder 5) ((adder 30) 7))",
    "(define sort (lambda (l) (if (pair? l) (join (sort (keep (lambda (x) (< x (car l))) (cdr l))) (cons (car l) (sort (keep (lambda (x) (if (< x (car l)) () t)) (cdr l))))) ())))",
    "(define join (lambda (a b) (if (pair? a) (cons (car a) (join (cdr a) b)) b)))",
    "(sort '(31 41 59 26 53 58 97 93 23 84))",
    "(define deriv (lambda (e x) (if (num? e) 0 (if (pair? e) (if (= (car e) '+) (cons '+ (map (lambda (a) (deriv a x)) (cdr e)))"
    " (cons '+ (cons (cons '* (cons (deriv (car (cdr e)) x) (cdr (cdr e)))) (cons (cons '* (cons (car (cdr e)) (cons (deriv (car (cdr (cdr e))) x) ()))) ()))))"
    " (if (= e x) 1 0)))))",
    "(deriv '(+ (* 3 (* x x)) (* x y)) 'x)",
    "(define loop (lambda (n sum) (if (= n 0) sum (loop (- n 1) (+ sum (/ 1000 n))))))",
    "(loop 150 0)",
};

int main(void) {
  start();
  uint32_t sum = SUM;
  for (size_t i = 0; i < LENGTH(PROGRAM); i++) {
    text = PROGRAM[i];
    int before = allocated;
    ref expression = keep(read_value());
    ref result = keep(evaluate(expression, nil));
    print(result);
    printf("   %d cells\n", allocated - before);
    sum = checksum(result, sum);
    if (i == 1) check(value(result) == 34, "Fibonacci");
    if (i == 6) check(value(result) == 2870, "the sum of squares");
    if (i == 8) check(value(first(rest(rest(result)))) == 5, "primes");
    if (i == 10) check(value(result) == 42, "closures");
    if (i == 17) check(value(result) == 5520, "a long loop");
    rooted -= 2;
    check(rooted == 0, "roots");
  }
  fprintf(stderr, "%d collections\n", collections);
  printf("%d collections, %d cells taken, checksum %08x\n", collections, allocated, (unsigned)sum);
  check(collections > 3, "collections");
  return verdict();
}
