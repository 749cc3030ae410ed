/*
 * Sudoku: reads a puzzle of 81 characters (1-9, and 0 or . for an empty cell), solves it and narrates the search.
 * Exit code 0: solved; 1: bad input, or no solution.
 *
 * The machine that runs this adds, compares, masks and moves cheaply, and shifts, multiplies or divides dearly. So the
 * board is kept in sets of bits. Three rows are a band; a word holds one bit for each of the band's 27 cells, ten bits
 * for each of its three boxes: nine cells, column after column, and above them a guard bit. A band has
 *   - for each digit, the cells where it can still stand; its guard bits say in which boxes it is not placed yet;
 *   - four planes N0..N3 that count, in binary, how many candidates each cell has left;
 *   - OPEN, the cells that are not placed yet;
 *   - NAKED, those of them that have one candidate left (naked singles).
 * Placing a digit clears bits in three words of that digit, one a band, and counts down the planes by ripple borrow;
 * a cell whose count gets to one or zero is noticed there. A digit with one place left in a box (hidden single) or
 * none shows up as w & (w - 1) == 0, computed for three boxes at once between their guard bits.
 *
 * When no singles are left, a digit is tried in a cell that has two candidates: of all these digits the one placed least
 * often so far. The board is copied, and the trial made in the copy. A contradiction goes back to the original, with the
 * digit removed from the cell.
 */
#include "host.h"

typedef unsigned int word;

/* A band is an array of words: those of its digits, then these. A board is three bands, then PLACED: how often each
   digit is placed. */
enum { DIGITS = 9, N0 = DIGITS, N1, N2, N3, OPEN, NAKED, BAND, PLACED = 3 * BAND, BOARD = PLACED + DIGITS };

/* Cell (r, c) of box b of a band has bit 10 b + 3 c + r. */
#define BIT(b, c, r) (1u << ((b)*10 + (c)*3 + (r)))
#define BOX(b) (0x1ffu << ((b)*10))
#define GUARD(b) (0x200u << ((b)*10))
#define ONES (BIT(0, 0, 0) | BIT(1, 0, 0) | BIT(2, 0, 0))
#define CELLS (BOX(0) | BOX(1) | BOX(2))
#define GUARDS (GUARD(0) | GUARD(1) | GUARD(2))
#define COLUMN(b, c) (7u << ((b)*10 + (c)*3))
#define COLUMNS(c) (COLUMN(0, c) | COLUMN(1, c) | COLUMN(2, c))
#define BOX_ROW(b, r) (BIT(b, 0, r) | BIT(b, 1, r) | BIT(b, 2, r))
#define ROW(r) (BOX_ROW(0, r) | BOX_ROW(1, r) | BOX_ROW(2, r))

/* What a digit loses where it is placed: bits in the cell's band, and in each of the two others. */
typedef struct {
    word own, other;
} reach;

#define REACH(b, c, r) {(BOX(b) | GUARD(b) | ROW(r)) & ~BIT(b, c, r), COLUMN(b, c)}
#define REACH_COLUMN(b, c) REACH(b, c, 0), REACH(b, c, 1), REACH(b, c, 2)
#define REACH_BOX(b) REACH_COLUMN(b, 0), REACH_COLUMN(b, 1), REACH_COLUMN(b, 2)
static const reach reaches[] = {REACH_BOX(0), {0, 0}, REACH_BOX(1), {0, 0}, REACH_BOX(2)};

/* The bits of a band's cells in reading order. */
#define THREE(b, r) BIT(b, 0, r), BIT(b, 1, r), BIT(b, 2, r)
#define NINE(r) THREE(0, r), THREE(1, r), THREE(2, r)
static const word reading_order[27] = {NINE(0), NINE(1), NINE(2)};

/* offset_of[1 << i] = i * sizeof(reach), for i < 16. */
static unsigned char offset_of[0x8001];

/* A bit and its upper half. */
static volatile union {
    word all;
    unsigned short half[2];
} scratch;

INLINE const reach *reach_of(word bit) {
    if (bit <= 0x8000) return (const reach *)((const char *)reaches + offset_of[bit]);
    scratch.all = bit;
    return (const reach *)((const char *)(reaches + 16) + offset_of[scratch.half[1]]);
}

/* Boards of the search, each with the trial that was made from it. */
typedef struct {
    word board[BOARD];
    word *band, *digit;
    word bit;
} level;

static level levels[82];

/* Hidden singles that wait: `digit`, a word of `band`, has only the cell `bit` left in a box. */
typedef struct {
    word *band, *digit;
    word bit;
} hidden;

enum { WAITING = 256 };
static hidden waiting[WAITING];
static hidden *waiting_end;

/* Boxes, as guard bits, where the digit is not placed and has no more than one cell left. */
INLINE word tight_boxes(word w) {
    word two_or_more = w & ((w | GUARDS) - ONES) & CELLS;
    return (GUARDS - two_or_more) & w & GUARDS;
}

INLINE int note_box(word *band, word *digit, word box) {
    word bit = *digit & box;
    if (bit == 0) return 0;
    hidden *end = waiting_end;
    if ((bit & band[OPEN]) != 0 && end != waiting + WAITING) {
        end->band = band;
        end->digit = digit;
        end->bit = bit;
        waiting_end = end + 1;
    }
    return 1;
}

/* Notes the last cells of a digit in those boxes; false if it has none left in one. */
NOINLINE int note_hidden(word *band, word *digit, word boxes) {
    if ((boxes & GUARD(0)) != 0 && !note_box(band, digit, BOX(0))) return 0;
    if ((boxes & GUARD(1)) != 0 && !note_box(band, digit, BOX(1))) return 0;
    return (boxes & GUARD(2)) == 0 || note_box(band, digit, BOX(2));
}

/* Counts down the candidates of those cells; false if one has none left. */
INLINE int count_down(word *band, word cells) {
    word n0 = band[N0] ^ cells;
    band[N0] = n0;
    word more = band[N2] | band[N3];
    word n1 = band[N1];
    word borrow = cells & n0;
    if (borrow != 0) {
        n1 ^= borrow;
        band[N1] = n1;
        borrow &= n1;
        if (borrow != 0) {
            word n2 = band[N2] ^ borrow;
            band[N2] = n2;
            borrow &= n2;
            if (borrow != 0) band[N3] ^= borrow;
            more = band[N2] | band[N3];
        }
    }
    word few = cells & ~(n1 | more);
    if (few != 0) {
        if ((few & ~n0) != 0) return 0;
        band[NAKED] |= few;
    }
    return 1;
}

/* Takes cells away from a digit; false if that leaves a cell or a box without. */
INLINE int take_away(word *band, word *digit, word cells) {
    word w = *digit;
    cells &= w;
    if (cells == 0) return 1;
    w ^= cells;
    *digit = w;
    if (!count_down(band, cells & CELLS)) return 0;
    word tight = tight_boxes(w);
    return tight == 0 || note_hidden(band, digit, tight);
}

NOINLINE int take_away_far(word *band, word *digit, word cells) { return take_away(band, digit, cells); }

/* The next character that is neither white space nor a control character. */
NOINLINE int next_character(void) {
    int c;
    do c = host_getchar();
    while (c >= 0 && c <= ' ');
    return c;
}

/* Reads the puzzle into the first board; the number of clues, or -1. */
NOINLINE int read_puzzle(void) {
    int clues = 0;
    for (word *band = levels[0].board; band != levels[0].board + PLACED; band += BAND) {
        word given = 0;
        for (const word *bit = reading_order; bit != reading_order + 27; bit++) {
            int c = next_character();
            if (c == '.' || c == '0') continue;
            if (c < 0) {
                say_text("Bad puzzle: fewer than 81 cells.\n");
                return -1;
            }
            if (c < '1' || c > '9') {
                say_text("Bad puzzle: unexpected character.\n");
                return -1;
            }
            word *digit = (word *)((char *)band + twice(twice((word)(c - '1'))));
            *digit |= *bit;
            given |= *bit;
            clues++;
        }
        for (word *digit = band; digit != band + DIGITS; digit++) *digit |= (CELLS ^ given) | GUARDS;
        band[N0] = CELLS;
        band[N3] = CELLS ^ given;
        band[OPEN] = CELLS;
        band[NAKED] = given;
    }
    if (next_character() >= 0) {
        say_text("Bad puzzle: more than 81 cells.\n");
        return -1;
    }
    return clues;
}

NOINLINE word count_placed(const word *board) {
    word count = 81;
    for (const word *band = board; band != board + PLACED; band += BAND) {
        for (word open = band[OPEN]; open != 0; open &= opaque(open - 1)) count--;
    }
    return count;
}

static unsigned char solution[81];

NOINLINE void say_solution(const word *board) {
    unsigned char *cell = solution;
    SAY("Solved.\n");
    for (const word *band = board; band != board + PLACED; band += BAND) {
        int left = 9;
        for (const word *p = reading_order; p != reading_order + 27; p++) {
            word bit = *p;
            int c = '1';
            for (const word *digit = band; (*digit & bit) == 0; digit++) c++;
            *cell++ = (unsigned char)c;
            host_putchar(c);
            left--;
            host_putchar(left != 0 ? ' ' : '\n');
            if (left == 0) left = 9;
        }
    }
    for (cell = solution; cell != solution + 81; cell++) host_putchar(*cell);
    SAY("\n");
}

NOINLINE void say_trial(const level *now) {
    const word *band = now->band;
    word bit = now->bit;
    SAY("Trying ");
    int d = '1';
    for (const word *digit = now->digit; band != digit; digit--) d = (int)opaque((word)d + 1);
    host_putchar(d);
    SAY(" at row ");
    int row = band == now->board ? '1' : band == now->board + BAND ? '4' : '7';
    host_putchar(bit & ROW(0) ? row : bit & ROW(1) ? row + 1 : row + 2);
    SAY(", col ");
    int col = bit < GUARD(0) ? '1' : bit < GUARD(1) ? '4' : '7';
    host_putchar(bit & COLUMNS(0) ? col : bit & COLUMNS(1) ? col + 1 : col + 2);
    SAY(".\n");
}

/* Says that a trial went well; `way` goes from 0 to 3 and back to 0. */
NOINLINE word say_consistent(word way) {
    if ((way & 2) == 0) {
        if ((way & 1) == 0) {
            SAY("No immediate violations.\n");
        } else {
            SAY("Looks consistent.\n");
        }
    } else {
        if ((way & 1) == 0) {
            SAY("Still consistent.\n");
        } else {
            SAY("No violations so far.\n");
        }
    }
    return (way + 1) & 3;
}

EXPORT("main") int main(void) {
    word offset = 0;
    for (word power = 1; power <= 0x8000; power = twice(power)) {
        offset_of[power] = (unsigned char)offset;
        offset += sizeof(reach);
    }
    int clues = read_puzzle();
    if (clues < 0) return 1;
    SAY("Puzzle loaded — ");
    say_below_100((word)clues);
    SAY(" clues given.\n");

    level *now = levels;
    word *board = now->board;
    waiting_end = waiting;
    enum { CLUES, TRIAL, RETREAT } phase = CLUES;
    word way = 0;
    word *band, *digit; /* where to place: a band, and the digit's word of the first band */
    word bit;

    for (;;) {
        /* The cells of a band with one candidate left. */
#define TAKE_NAKED(i)                                                                                                  \
    bit = board[i * BAND + NAKED];                                                                                     \
    if (bit != 0) goto naked##i;
        TAKE_NAKED(0)
        TAKE_NAKED(1)
        TAKE_NAKED(2)

        /* The last cell of a digit in a box. */
        while (waiting_end != waiting) {
            hidden *last = waiting_end - 1;
            waiting_end = last;
            band = last->band;
            digit = last->digit;
            bit = last->bit;
            if ((bit & *digit) == 0) goto contradiction;
            if ((bit & band[OPEN]) != 0) goto only;
        }

        /* No singles left. */
        word open0 = board[OPEN], open1 = board[BAND + OPEN], open2 = board[2 * BAND + OPEN];
        if (phase == CLUES) {
            SAY("Propagated constraints — ");
            say_below_100(count_placed(board));
            SAY(" of 81 cells resolved so far.\n");
            if ((open0 | open1 | open2) != 0) SAY("Need to search. Starting depth-first exploration...\n");
        } else if (phase == TRIAL) {
            way = say_consistent(way);
        }
        if ((open0 | open1 | open2) == 0) {
            say_solution(board);
            return 0;
        }

        /* Choose among the cells with two candidates, or else those with three, or else all. */
#define PAIRS(i) board[i * BAND + N1] & ~(board[i * BAND + N0] | board[i * BAND + N2] | board[i * BAND + N3])
        word from0 = PAIRS(0), from1 = PAIRS(1), from2 = PAIRS(2);
        if ((from0 | from1 | from2) == 0) {
#define TRIPLES(i) board[i * BAND + N1] & board[i * BAND + N0] & ~(board[i * BAND + N2] | board[i * BAND + N3])
            from0 = TRIPLES(0), from1 = TRIPLES(1), from2 = TRIPLES(2);
            if ((from0 | from1 | from2) == 0) from0 = open0, from1 = open1, from2 = open2;
        }
        word least = 10;
        for (word *d = board + DIGITS - 1; d >= board; d--) {
            word placed = d[PLACED];
            if (placed < least && ((d[0] & from0) | (d[BAND] & from1) | (d[2 * BAND] & from2)) != 0) {
                least = placed;
                digit = d;
            }
        }
        bit = digit[2 * BAND] & from2;
        if (bit != 0) {
            band = board + 2 * BAND;
            digit += 2 * BAND;
        } else {
            bit = digit[0] & from0;
            if (bit != 0) {
                band = board;
            } else {
                bit = digit[BAND] & from1;
                band = board + BAND;
                digit += BAND;
            }
        }
        bit &= 0 - bit;
        now->band = band;
        now->digit = digit;
        now->bit = bit;
        say_trial(now);
        _Pragma("clang loop unroll(full)") for (word i = 0; i < BOARD; i++) board[sizeof(level) / 4 + i] = board[i];
        now++;
        board += sizeof(level) / 4;
        band += sizeof(level) / 4;
        digit += sizeof(level) / 4;
        phase = TRIAL;

    only: /* takes all other digits away from the cell */
        *digit ^= bit;
#define CLEAR(d)                                                                                                       \
    word w##d = band[d];                                                                                               \
    if ((w##d & bit) != 0) {                                                                                           \
        w##d ^= bit;                                                                                                   \
        band[d] = w##d;                                                                                                \
        word tight = tight_boxes(w##d);                                                                                \
        if (tight != 0 && !note_hidden(band, band + d, tight)) goto contradiction;                                     \
    }
        CLEAR(0)
        CLEAR(1)
        CLEAR(2)
        CLEAR(3)
        CLEAR(4)
        CLEAR(5)
        CLEAR(6)
        CLEAR(7)
        CLEAR(8)
        *digit ^= bit;
        band[N0] |= bit;
        band[N1] &= ~bit;
        band[N2] &= ~bit;
        band[N3] &= ~bit;
        if (band == board) goto place0;
        digit -= BAND;
        if (band == board + BAND) goto place1;
        digit -= BAND;
        goto place2;

        /* Places the digit of a cell with one candidate. */
#define DIGIT(i, d)                                                                                                    \
    if ((board[i * BAND + d] & bit) != 0) {                                                                            \
        digit = board + d;                                                                                             \
        goto place##i;                                                                                                 \
    }
#define PLACE(i, j, k)                                                                                                 \
    naked##i : bit &= 0 - bit;                                                                                         \
    board[i * BAND + NAKED] ^= bit;                                                                                    \
    DIGIT(i, 0) DIGIT(i, 1) DIGIT(i, 2) DIGIT(i, 3) DIGIT(i, 4) DIGIT(i, 5) DIGIT(i, 6) DIGIT(i, 7)                    \
    digit = board + 8;                                                                                                 \
    place##i : {                                                                                                       \
        const reach *reach = reach_of(bit);                                                                            \
        board[i * BAND + OPEN] ^= bit;                                                                                 \
        digit[PLACED]++;                                                                                               \
        if (!take_away(board + i * BAND, digit + i * BAND, reach->own)) goto contradiction;                            \
        word cells = reach->other;                                                                                     \
        if (!take_away(board + j * BAND, digit + j * BAND, cells)) goto contradiction;                                 \
        if (!take_away(board + k * BAND, digit + k * BAND, cells)) goto contradiction;                                 \
        continue;                                                                                                      \
    }
        PLACE(0, 1, 2)
        PLACE(1, 2, 0)
        PLACE(2, 0, 1)

    contradiction:
        if (phase == CLUES) {
            say_text("Contradiction — the clues exclude each other. No solution exists.\n");
            return 1;
        }
        if (phase == TRIAL) SAY("Contradiction — that doesn't work.\n");
        do {
            if (phase == RETREAT) SAY("Dead end — backing up.\n");
            if (now == levels) {
                say_text("Every possibility is refuted. No solution exists.\n");
                return 1;
            }
            phase = RETREAT;
            waiting_end = waiting;
            now--;
            board = now->board;
        } while (!take_away_far(now->band, now->digit, now->bit));
    }
}
