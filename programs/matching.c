/*
 * Minimum-cost perfect matching of 10 rows with 10 columns by the Hungarian algorithm: row by row, the shortest
 * augmenting path is found by Dijkstra's algorithm on reduced costs cost - u[row] - v[column], which the dual variables
 * u and v keep from being negative.
 */
#include "host.h"

enum { SIZE = 10 };

typedef struct {
    int u;
    unsigned number;
    unsigned char cost[SIZE];
} row;

typedef struct column {
    int distance;            /* from the new row, in reduced costs */
    int v;
    struct column *previous; /* on the shortest path; 0: the new row itself */
    row *partner;
    int explored;
    unsigned number;
} column;

static row rows[SIZE] = {
    {0, 1, {61, 58, 35, 86, 32, 39, 41, 27, 21, 42}},  {0, 2, {59, 77, 97, 99, 78, 21, 89, 72, 35, 63}},
    {0, 3, {88, 85, 37, 57, 59, 97, 37, 29, 69, 94}},  {0, 4, {32, 82, 53, 20, 77, 96, 21, 70, 50, 61}},
    {0, 5, {15, 44, 81, 10, 64, 36, 56, 78, 20, 69}},  {0, 6, {76, 35, 87, 69, 16, 55, 26, 37, 30, 66}},
    {0, 7, {86, 32, 74, 94, 32, 14, 24, 12, 31, 70}},  {0, 8, {97, 63, 20, 64, 90, 21, 28, 49, 89, 10}},
    {0, 9, {58, 52, 27, 76, 61, 35, 17, 91, 37, 66}},  {0, 10, {42, 79, 61, 26, 55, 98, 70, 17, 26, 86}},
};

static column columns[SIZE];

enum { FAR = 1000000 };

NOINLINE void say_number(unsigned n) {
    if (n >= 100) {
        int hundreds = '0';
        while (n >= 100) {
            n = opaque(n - 100);
            hundreds++;
        }
        host_putchar(hundreds);
        if (n < 10) host_putchar('0');
    }
    say_below_100(n);
}

NOINLINE void say_assigned(const row *r, const column *c) {
    SAY("assign row ");
    say_number(r->number);
    SAY(" -> col ");
    say_number(c->number);
    SAY(".\n");
}

EXPORT("main") int main(void) {
    SAY("solving 10x10 assignment problem using the Hungarian algorithm..\n");
    unsigned number = 1;
    for (column *c = columns; c != columns + SIZE; c++) c->number = number++;

    int total = 0;
    for (row *new_row = rows; new_row != rows + SIZE; new_row++) {
        SAY("assigning row ");
        say_number(new_row->number);
        SAY(".\nrunning Dijkstra on reduced costs....\n");
        for (column *c = columns; c != columns + SIZE; c++) {
            c->distance = FAR;
            c->explored = 0;
        }
        const row *from = new_row;
        column *last = 0;
        int distance = 0;
        unsigned explored = 0;
        do {
            int base = distance - from->u;
            int least = FAR;
            column *nearest = 0;
            _Pragma("clang loop unroll(full)") for (unsigned j = 0; j < SIZE; j++) {
                column *c = &columns[j];
                if (c->explored != 0) continue;
                int best = c->distance;
                int d = base + from->cost[j] - c->v;
                if (d < best) {
                    c->distance = d;
                    c->previous = last;
                    best = d;
                }
                if (best < least) {
                    least = best;
                    nearest = c;
                }
            }
            nearest->explored = 1;
            explored++;
            last = nearest;
            distance = least;
            from = last->partner;
        } while (from != 0);
        SAY("explored ");
        say_number(explored);
        if (explored == 1) {
            SAY(" column");
        } else {
            SAY(" columns");
        }
        SAY(", found free col ");
        say_number(last->number);
        SAY(".\nupdating dual variables....\n");
        new_row->u = distance;
        for (column *c = columns; c != columns + SIZE; c++) {
            if (c->explored != 0 && c != last) {
                int rest = distance - c->distance;
                c->v -= rest;
                c->partner->u += rest;
            }
        }
        SAY("augmenting along path:\n");
        do {
            column *previous = last->previous;
            row *partner = previous != 0 ? previous->partner : new_row;
            last->partner = partner;
            say_assigned(partner, last);
            last = previous;
        } while (last != 0);
        SAY("cost: ");
        say_number((unsigned)total);
        SAY(" + ");
        say_number((unsigned)distance);
        SAY(" = ");
        total += distance;
        say_number((unsigned)total);
        SAY(" (new row adds ");
        say_number((unsigned)distance);
        SAY(" to total)\n");
    }
    SAY("optimal cost: ");
    say_number((unsigned)total);
    SAY("\n");
    return 0;
}
