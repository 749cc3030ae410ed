/* Matchings, assignments and flows. */
#include "graph.h"

/* Hopcroft and Karp. Layers: a left vertex without a partner has layer 0. */
uint32_t graph_matching(uint32_t left, uint32_t right, const uint32_t *offsets, const uint32_t *targets,
                        uint32_t *left_partners, uint32_t *right_partners, uint32_t *scratch) {
    uint32_t *layers = scratch, *arcs = scratch + left, *path = scratch + 2 * left, pairs = 0;
    for (uint32_t i = 0; i < left; i++) left_partners[i] = GRAPH_NONE;
    for (uint32_t i = 0; i < right; i++) right_partners[i] = GRAPH_NONE;
    for (;;) {
        uint32_t waiting = 0;
        bool ends = false;
        for (uint32_t vertex = 0; vertex < left; vertex++) {
            arcs[vertex] = offsets[vertex];
            layers[vertex] = left_partners[vertex] == GRAPH_NONE ? 0 : GRAPH_NONE;
            if (layers[vertex] == 0) path[waiting++] = vertex;
        }
        for (uint32_t next = 0; next < waiting; next++) {
            uint32_t vertex = path[next];
            for (uint32_t arc = offsets[vertex]; arc < offsets[vertex + 1]; arc++) {
                uint32_t partner = right_partners[targets[arc]];
                if (partner == GRAPH_NONE) {
                    ends = true;
                } else if (layers[partner] == GRAPH_NONE) {
                    layers[partner] = layers[vertex] + 1;
                    path[waiting++] = partner;
                }
            }
        }
        if (!ends) return pairs;
        /* Disjoint paths through the layers, each vertex's arcs once. */
        for (uint32_t root = 0; root < left; root++) {
            if (left_partners[root] != GRAPH_NONE) continue;
            uint32_t depth = 0;
            path[0] = root;
            for (;;) {
                uint32_t vertex = path[depth];
                if (arcs[vertex] == offsets[vertex + 1]) {
                    if (depth-- == 0) break;
                    continue;
                }
                uint32_t target = targets[arcs[vertex]++], partner = right_partners[target];
                if (partner != GRAPH_NONE) {
                    if (layers[partner] == layers[vertex] + 1) path[++depth] = partner;
                    continue;
                }
                /* The arc that each vertex of the path took last is its new pair. */
                for (;;) {
                    vertex = path[depth];
                    target = targets[arcs[vertex] - 1];
                    right_partners[target] = vertex;
                    left_partners[vertex] = target;
                    if (depth-- == 0) break;
                }
                pairs++;
                break;
            }
        }
    }
}

/* Rows and columns count from 1; column 0 has the row that is being assigned. Potentials: cost - rows[i] - columns[j]
 * >= 0, and 0 for assigned pairs. */
int64_t graph_assignment(uint32_t n, const int32_t *costs, uint32_t *columns, int32_t *scratch) {
    int32_t *row_potentials = scratch, *column_potentials = row_potentials + n + 1, *least = column_potentials + n + 1;
    int32_t *rows = least + n + 1, *before = rows + n + 1, *used = before + n + 1;
    for (uint32_t i = 0; i <= n; i++) row_potentials[i] = column_potentials[i] = rows[i] = 0;
    for (uint32_t row = 1; row <= n; row++) {
        uint32_t column = 0;
        rows[0] = (int32_t)row;
        for (uint32_t j = 0; j <= n; j++) {
            least[j] = INT32_MAX;
            used[j] = 0;
        }
        do {
            used[column] = 1;
            uint32_t current = (uint32_t)rows[column], next = 0;
            int32_t delta = INT32_MAX;
            const int32_t *costs_of_row = costs + (current - 1) * n;
            for (uint32_t j = 1; j <= n; j++) {
                if (used[j]) continue;
                int32_t reduced = costs_of_row[j - 1] - row_potentials[current] - column_potentials[j];
                if (reduced < least[j]) {
                    least[j] = reduced;
                    before[j] = (int32_t)column;
                }
                if (least[j] < delta) {
                    delta = least[j];
                    next = j;
                }
            }
            for (uint32_t j = 0; j <= n; j++) {
                if (used[j]) {
                    row_potentials[rows[j]] += delta;
                    column_potentials[j] -= delta;
                } else if (j > 0) {
                    least[j] -= delta;
                }
            }
            column = next;
        } while (rows[column] != 0);
        /* The path back to column 0. */
        while (column != 0) {
            uint32_t previous = (uint32_t)before[column];
            rows[column] = rows[previous];
            column = previous;
        }
    }
    int64_t sum = 0;
    for (uint32_t j = 1; j <= n; j++) {
        uint32_t row = (uint32_t)rows[j] - 1;
        columns[row] = j - 1;
        sum += costs[row * n + j - 1];
    }
    return sum;
}

/* Arcs in both directions: number 2 i is arc i, 2 i + 1 its reverse. */
typedef struct {
    const uint32_t *tails, *heads, *capacities;
    uint32_t *flows, *offsets, *arcs, *levels, *next, *path;
} network;

static uint32_t residual(const network *of, uint32_t arc) {
    uint32_t flow = of->flows[arc >> 1];
    return arc & 1 ? flow : of->capacities[arc >> 1] - flow;
}

static uint32_t end_of(const network *of, uint32_t arc) { return (arc & 1 ? of->tails : of->heads)[arc >> 1]; }

static void list_arcs(network *of, uint32_t vertices, uint32_t arcs) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i <= vertices; i++) of->offsets[i] = 0;
    for (uint32_t i = 0; i < arcs; i++) {
        of->flows[i] = 0;
        of->offsets[of->tails[i]]++;
        of->offsets[of->heads[i]]++;
    }
    /* The end of each list, which then moves to its start. */
    for (uint32_t i = 0; i <= vertices; i++) of->offsets[i] = sum += of->offsets[i];
    for (uint32_t i = 0; i < arcs; i++) {
        of->arcs[--of->offsets[of->tails[i]]] = 2 * i;
        of->arcs[--of->offsets[of->heads[i]]] = 2 * i + 1;
    }
}

/* Distances from the source by arcs that are not full; whether the sink has one. */
static bool find_levels(network *of, uint32_t vertices, uint32_t source, uint32_t sink) {
    uint32_t reached = 1;
    for (uint32_t i = 0; i < vertices; i++) {
        of->levels[i] = GRAPH_NONE;
        of->next[i] = of->offsets[i];
    }
    of->levels[source] = 0;
    of->path[0] = source;
    for (uint32_t next = 0; next < reached; next++) {
        uint32_t vertex = of->path[next];
        for (uint32_t at = of->offsets[vertex]; at < of->offsets[vertex + 1]; at++) {
            uint32_t target = end_of(of, of->arcs[at]);
            if (of->levels[target] != GRAPH_NONE || residual(of, of->arcs[at]) == 0) continue;
            of->levels[target] = of->levels[vertex] + 1;
            of->path[reached++] = target;
        }
    }
    return of->levels[sink] != GRAPH_NONE;
}

/* Fills a path from the source to the sink of `depth` arcs; returns the flow, and the depth at which it is stuck. */
static uint32_t fill_path(network *of, uint32_t *depth) {
    uint32_t flow = GRAPH_NONE, count = *depth;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t left = residual(of, of->path[i]);
        if (left < flow) {
            flow = left;
            *depth = i;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t arc = of->path[i];
        of->flows[arc >> 1] += arc & 1 ? 0 - flow : flow;
    }
    return flow;
}

uint64_t graph_max_flow(uint32_t vertices, uint32_t arcs, const uint32_t *tails, const uint32_t *heads,
                        const uint32_t *capacities, uint32_t source, uint32_t sink, uint32_t *flows,
                        uint32_t *scratch) {
    uint32_t *levels = scratch + vertices + 1, *next = levels + vertices, *path = next + vertices;
    network of = {tails, heads, capacities, flows, scratch, path + vertices, levels, next, path};
    uint64_t sum = 0;
    list_arcs(&of, vertices, arcs);
    if (source == sink) return 0;
    while (find_levels(&of, vertices, source, sink)) {
        uint32_t vertex = source, depth = 0;
        for (;;) {
            if (vertex == sink) {
                sum += fill_path(&of, &depth);
                vertex = end_of(&of, path[depth] ^ 1);
                continue;
            }
            uint32_t at = next[vertex];
            if (at == of.offsets[vertex + 1]) {
                if (depth == 0) break;
                /* A dead end: back, past the arc that led here. */
                vertex = end_of(&of, path[--depth] ^ 1);
                next[vertex]++;
                continue;
            }
            uint32_t arc = of.arcs[at], target = end_of(&of, arc);
            if (levels[target] == levels[vertex] + 1 && residual(&of, arc) > 0) {
                path[depth++] = arc;
                vertex = target;
            } else {
                next[vertex]++;
            }
        }
    }
    return sum;
}
