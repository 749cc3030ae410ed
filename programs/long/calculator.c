/* A small language compiled to bytecode for a stack machine: variables, arrays, functions, loops; programs with known results run on it. */
#include <ctype.h>

#include "common.h"

enum op { PUSH, LOAD, STORE, AT, PUT_AT, ADD, SUB, MUL, DIV, MOD, LESS, EQUAL, NOT, NEGATE, JUMP, JUMP_IF_NOT, CALL, RETURN, PRINT, DROP, ARGUMENT, OPS };

static const char *const NAME[OPS] = {"push", "load",  "store", "at",  "put",    "add",  "sub",        "mul",  "div",    "mod",   "less",
                                      "equal", "not", "neg",   "jump", "unless", "call", "return", "print", "drop", "argument"};

enum { CODE = 400, NAMES = 24, WORDS = 256, DEEP = 300 };

static struct {
  int16_t code[CODE];
  int length;
  char name[NAMES][10];
  int names;
  /* Address of a function's first instruction, or -1; parameters. */
  int entry[NAMES], parameters[NAMES];
} program;

/* The compiler: recursive descent, one pass. */
static const char *at;
static char token[16];

static _Noreturn void stop(const char *problem) {
  printf("%s at `%s`\n", problem, token);
  fprintf(stderr, "%s\n", problem);
  exit(1);
}

static void next(void) {
  while (isspace((unsigned char)*at)) at++;
  size_t length = 0;
  if (isalnum((unsigned char)*at)) {
    while (isalnum((unsigned char)at[length]) && length + 1 < sizeof token) length++;
  } else if (*at) {
    length = at[1] == '=' && strchr("<>=!", *at) ? 2 : 1;
  }
  memcpy(token, at, length);
  token[length] = '\0';
  at += length;
}

static bool is(const char *text) { return strcmp(token, text) == 0; }

static bool accept(const char *text) {
  if (!is(text)) return false;
  next();
  return true;
}

static void expect(const char *text) {
  if (!accept(text)) stop(text);
}

static int emit(enum op op, int operand) {
  if (program.length + 2 > CODE) stop("too long");
  program.code[program.length++] = (int16_t)op;
  program.code[program.length++] = (int16_t)operand;
  return program.length - 1;
}

static int slot(const char *name) {
  for (int i = 0; i < program.names; i++)
    if (strcmp(program.name[i], name) == 0) return i;
  if (program.names == NAMES) stop("too many names");
  snprintf(program.name[program.names], sizeof program.name[0], "%s", name);
  program.entry[program.names] = -1;
  return program.names++;
}

static void expression(int level);

static void atom(void) {
  if (isdigit((unsigned char)token[0])) {
    emit(PUSH, atoi(token));
    next();
  } else if (accept("(")) {
    expression(0);
    expect(")");
  } else if (accept("-")) {
    atom();
    emit(NEGATE, 0);
  } else if (accept("!")) {
    atom();
    emit(NOT, 0);
  } else if (isalpha((unsigned char)token[0])) {
    int name = slot(token);
    next();
    if (accept("(")) {
      int given = 0;
      if (!accept(")")) do {
          expression(0);
          given++;
        } while (!accept(")") && (expect(","), true));
      if (program.entry[name] < 0 || given != program.parameters[name]) stop("no such function");
      emit(CALL, name);
    } else if (accept("[")) {
      expression(0);
      expect("]");
      emit(AT, 0);
    } else {
      emit(LOAD, name);
    }
  } else {
    stop("no expression");
  }
}

static const struct {
  const char *sign;
  int level;
  enum op op;
  bool swapped, negated;
} BINARY[] = {
    {"<", 0, LESS, false, false}, {">", 0, LESS, true, false},  {"<=", 0, LESS, true, true}, {">=", 0, LESS, false, true},
    {"==", 0, EQUAL, false, false}, {"!=", 0, EQUAL, false, true}, {"+", 1, ADD, false, false}, {"-", 1, SUB, false, false},
    {"*", 2, MUL, false, false},  {"/", 2, DIV, false, false}, {"%", 2, MOD, false, false},
};

static void expression(int level) {
  if (level == 3) {
    atom();
    return;
  }
  expression(level + 1);
  for (size_t i = 0; i < LENGTH(BINARY); i++) {
    if (BINARY[i].level != level || !is(BINARY[i].sign)) continue;
    next();
    expression(level + 1);
    emit(BINARY[i].op, BINARY[i].swapped);
    if (BINARY[i].negated) emit(NOT, 0);
    i = (size_t)-1;
  }
}

static void statement(void);

static void block(void) {
  expect("{");
  while (!accept("}")) statement();
}

static void statement(void) {
  if (accept("if")) {
    expression(0);
    int skip = emit(JUMP_IF_NOT, 0);
    block();
    if (accept("else")) {
      int end = emit(JUMP, 0);
      program.code[skip] = (int16_t)program.length;
      block();
      skip = end;
    }
    program.code[skip] = (int16_t)program.length;
  } else if (accept("while")) {
    int start = program.length;
    expression(0);
    int end = emit(JUMP_IF_NOT, 0);
    block();
    emit(JUMP, start);
    program.code[end] = (int16_t)program.length;
  } else if (accept("def")) {
    int skip = emit(JUMP, 0), name = slot(token);
    next();
    expect("(");
    program.entry[name] = program.length;
    program.parameters[name] = 0;
    while (!accept(")")) {
      /* A parameter is a variable whose value the caller keeps. */
      emit(ARGUMENT, slot(token));
      program.parameters[name]++;
      next();
      accept(",");
    }
    block();
    emit(PUSH, 0);
    emit(RETURN, program.parameters[name]);
    program.code[skip] = (int16_t)program.length;
  } else if (accept("return")) {
    expression(0);
    emit(RETURN, 0);
    expect(";");
  } else if (accept("print")) {
    do {
      expression(0);
      emit(PRINT, is(",") ? ' ' : '\n');
    } while (accept(","));
    expect(";");
  } else {
    int name = slot(token);
    next();
    if (accept("[")) {
      expression(0);
      expect("]");
      expect("=");
      expression(0);
      emit(PUT_AT, 0);
    } else if (is("(")) {
      at--;
      snprintf(token, sizeof token, "%s", program.name[name]);
      expression(0);
      emit(DROP, 0);
    } else {
      expect("=");
      expression(0);
      emit(STORE, name);
    }
    expect(";");
  }
}

static void compile(const char *source) {
  memset(&program, 0, sizeof program);
  at = source;
  next();
  while (token[0]) statement();
  emit(RETURN, 0);
}

/* The machine. A frame holds where to go on, and the caller's values of the parameters. */
static int32_t stack[DEEP], variable[NAMES], word[WORDS];

struct frame {
  int back, parameters, base;
  int8_t name[4];
  int32_t kept[4];
};

static int32_t last;
static uint32_t said, executed, histogram[OPS];

static void run(void) {
  struct frame frames[32];
  int depth = 0, top = 0;
  memset(variable, 0, sizeof variable);
  memset(word, 0, sizeof word);
  for (int pc = 0;;) {
    enum op op = (enum op)program.code[pc];
    int operand = program.code[pc + 1];
    pc += 2;
    executed++;
    histogram[op]++;
    if (top > DEEP - 4) stop("the stack is full");
    switch (op) {
      case PUSH: stack[top++] = operand; break;
      case LOAD: stack[top++] = variable[operand]; break;
      case STORE: variable[operand] = stack[--top]; break;
      case AT: stack[top - 1] = word[stack[top - 1] & (WORDS - 1)]; break;
      case PUT_AT:
        top -= 2;
        word[stack[top] & (WORDS - 1)] = stack[top + 1];
        break;
      case ADD: top--; stack[top - 1] += stack[top]; break;
      case SUB: top--; stack[top - 1] -= stack[top]; break;
      case MUL: top--; stack[top - 1] *= stack[top]; break;
      case DIV:
      case MOD:
        if (stack[--top] == 0) stop("division by zero");
        if (op == DIV) {
          stack[top - 1] /= stack[top];
        } else {
          stack[top - 1] %= stack[top];
        }
        break;
      case LESS: top--; stack[top - 1] = operand ? stack[top] < stack[top - 1] : stack[top - 1] < stack[top]; break;
      case EQUAL: top--; stack[top - 1] = stack[top - 1] == stack[top]; break;
      case NOT: stack[top - 1] = !stack[top - 1]; break;
      case NEGATE: stack[top - 1] = -stack[top - 1]; break;
      case JUMP: pc = operand; break;
      case JUMP_IF_NOT: if (!stack[--top]) pc = operand; break;
      case CALL:
        if (depth == LENGTH(frames)) stop("too deep");
        frames[depth] = (struct frame){.back = pc, .base = top - program.parameters[operand]};
        depth++;
        pc = program.entry[operand];
        break;
      case ARGUMENT: {
        struct frame *frame = &frames[depth - 1];
        int index = frame->parameters++;
        frame->name[index] = (int8_t)operand;
        frame->kept[index] = variable[operand];
        variable[operand] = stack[frame->base + index];
        break;
      }
      case RETURN: {
        if (depth == 0) return;
        struct frame *frame = &frames[--depth];
        int32_t result = stack[top - 1];
        for (int i = frame->parameters; i-- > 0;) variable[frame->name[i]] = frame->kept[i];
        top = frame->base;
        stack[top++] = result;
        pc = frame->back;
        break;
      }
      case PRINT:
        last = stack[--top];
        printf("%d%c", (int)last, operand);
        said = mix(said, (uint32_t)last);
        break;
      case DROP: top--; break;
      default: stop("no instruction");
    }
  }
}

static const struct {
  const char *name, *source;
  int32_t last;
} PROGRAMS[] = {
    {"greatest common divisors",
     "def gcd(a, b) { if b == 0 { return a; } return gcd(b, a % b); }"
     "print gcd(1071, 462), gcd(832, 1560), gcd(17711, 10946);",
     1},
    {"primes",
     "n = 2; count = 0;"
     "while count < 12 { d = 2; prime = 1; while prime * (d * d <= n) { if n % d == 0 { prime = 0; } d = d + 1; }"
     "  if prime { count = count + 1; if count % 3 == 0 { print n; } } n = n + 1; }"
     "print count, n - 1;",
     37},
    {"towers of Hanoi",
     "moves = 0;"
     "def move(n, from, to) { if n == 0 { return 0; } move(n - 1, from, 6 - from - to); moves = moves + 1;"
     "  move(n - 1, 6 - from - to, to); return 0; }"
     "move(6, 1, 3); print moves;",
     63},
    {"a sorted array",
     "i = 0; seed = 7; while i < 24 { seed = seed * 1103 % 10007; w[i] = seed; i = i + 1; }"
     "i = 1; while i < 24 { x = w[i]; j = i; while (j > 0) * (w[j - 1] > x) { w[j] = w[j - 1]; j = j - 1; } w[j] = x; i = i + 1; }"
     "print w[0], w[12], w[23]; i = 1; ordered = 0; while i < 24 { ordered = ordered + (w[i - 1] <= w[i]); i = i + 1; } print ordered;",
     23},
    {"the function of Ackermann",
     "def a(m, n) { if !m { return n + 1; } if !n { return a(m - 1, 1); } return a(m - 1, a(m, n - 1)); } print a(1, 9), a(2, 4);", 11},
    {"the longest flight of Collatz",
     "best = 0; which = 0; n = 1; while n < 20 { x = n; steps = 0;"
     "  while x != 1 { if x % 2 { x = 3 * x + 1; } else { x = x / 2; } steps = steps + 1; }"
     "  if steps > best { best = steps; which = n; } n = n + 1; }"
     "print which, best;",
     20},
};

int main(void) {
  for (size_t p = 0; p < LENGTH(PROGRAMS); p++) {
    compile(PROGRAMS[p].source);
    printf("%s: %d words of code, %d names\n", PROGRAMS[p].name, program.length, program.names);
    if (p == 0)
      for (int pc = 0; pc < program.length; pc += 2) printf("%3d %-8s %d\n", pc, NAME[program.code[pc]], program.code[pc + 1]);
    said = SUM;
    executed = 0;
    run();
    check(last == PROGRAMS[p].last, PROGRAMS[p].name);
    printf("%u instructions, checksum %08x\n", (unsigned)executed, (unsigned)said);
    fprintf(stderr, "%s done\n", PROGRAMS[p].name);
  }
  for (int op = 0; op < OPS; op++) printf("%s %u%s", NAME[op], (unsigned)histogram[op], op + 1 < OPS ? ", " : "\n");
  return verdict();
}
