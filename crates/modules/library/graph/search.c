/* Breadth-first search, components, topological order, disjoint sets. */
#include "graph.h"

static void fill(uint32_t *words, uint32_t count, uint32_t word) {
    for (uint32_t i = 0; i < count; i++) words[i] = word;
}

uint32_t graph_bfs(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets, uint32_t source,
                   uint32_t *distances, uint32_t *parents, uint32_t *queue) {
    uint32_t reached = 1;
    fill(distances, vertices, GRAPH_NONE);
    fill(parents, vertices, GRAPH_NONE);
    distances[source] = 0;
    queue[0] = source;
    for (uint32_t next = 0; next < reached; next++) {
        uint32_t vertex = queue[next], distance = distances[vertex] + 1, end = offsets[vertex + 1];
        for (uint32_t arc = offsets[vertex]; arc < end; arc++) {
            uint32_t target = targets[arc];
            if (distances[target] != GRAPH_NONE) continue;
            distances[target] = distance;
            parents[target] = vertex;
            queue[reached++] = target;
        }
    }
    return reached;
}

uint32_t graph_components(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets, uint32_t *labels,
                          uint32_t *queue) {
    uint32_t count = 0;
    fill(labels, vertices, GRAPH_NONE);
    for (uint32_t root = 0; root < vertices; root++) {
        if (labels[root] != GRAPH_NONE) continue;
        uint32_t waiting = 1;
        labels[root] = count;
        queue[0] = root;
        while (waiting > 0) {
            uint32_t vertex = queue[--waiting], end = offsets[vertex + 1];
            for (uint32_t arc = offsets[vertex]; arc < end; arc++) {
                uint32_t target = targets[arc];
                if (labels[target] != GRAPH_NONE) continue;
                labels[target] = count;
                queue[waiting++] = target;
            }
        }
        count++;
    }
    return count;
}

/* Pearce's variant of Tarjan's algorithm, without recursion. `low` has a vertex's number, then the least one that it
 * reaches; `arcs` its next arc. On the path, a label is the vertex before. Vertices that were left wait in `stack` for
 * a root. */
uint32_t graph_strong_components(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets, uint32_t *labels,
                                 uint32_t *scratch) {
    uint32_t *low = scratch, *arcs = scratch + vertices, *stack = scratch + 2 * vertices;
    uint32_t count = 0, number = 0, waiting = 0;
    /* low: 0 of vertices not seen, and from 1 on; GRAPH_NONE of those whose component is known. */
    fill(low, vertices, 0);
    for (uint32_t root = 0; root < vertices; root++) {
        if (low[root] != 0) continue;
        uint32_t vertex = root;
        labels[root] = GRAPH_NONE;
        low[root] = ++number;
        arcs[root] = offsets[root];
        for (;;) {
            if (arcs[vertex] < offsets[vertex + 1]) {
                uint32_t target = targets[arcs[vertex]++];
                if (low[target] == 0) {
                    labels[target] = vertex;
                    low[target] = ++number;
                    arcs[target] = offsets[target];
                    vertex = target;
                }
                continue;
            }
            /* All arcs are followed: the least number among its targets'. */
            uint32_t parent = labels[vertex], least = low[vertex];
            bool is_root = true;
            for (uint32_t arc = offsets[vertex]; arc < offsets[vertex + 1]; arc++) {
                if (low[targets[arc]] < least) {
                    least = low[targets[arc]];
                    is_root = false;
                }
            }
            if (is_root) {
                /* Vertices of its component were left after it was entered, and have greater numbers. */
                while (waiting > 0 && low[stack[waiting - 1]] >= least) {
                    labels[stack[--waiting]] = count;
                    low[stack[waiting]] = GRAPH_NONE;
                }
                labels[vertex] = count++;
                low[vertex] = GRAPH_NONE;
            } else {
                low[vertex] = least;
                stack[waiting++] = vertex;
            }
            if (vertex == root) break;
            vertex = parent;
        }
    }
    return count;
}

uint32_t graph_topological_order(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets, uint32_t *order,
                                 uint32_t *degrees) {
    uint32_t count = 0, arcs = offsets[vertices];
    fill(degrees, vertices, 0);
    for (uint32_t arc = offsets[0]; arc < arcs; arc++) degrees[targets[arc]]++;
    for (uint32_t vertex = 0; vertex < vertices; vertex++) {
        if (degrees[vertex] == 0) order[count++] = vertex;
    }
    for (uint32_t next = 0; next < count; next++) {
        uint32_t vertex = order[next], end = offsets[vertex + 1];
        for (uint32_t arc = offsets[vertex]; arc < end; arc++) {
            if (--degrees[targets[arc]] == 0) order[count++] = targets[arc];
        }
    }
    return count;
}

/* A member has the one above it; a representative has the size of its set, negated. */
void graph_union_begin(int32_t *sets, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) sets[i] = -1;
}

uint32_t graph_union_find(int32_t *sets, uint32_t member) {
    for (;;) {
        int32_t above = sets[member];
        if (above < 0) return member;
        int32_t next = sets[above];
        if (next < 0) return (uint32_t)above;
        /* Path halving. */
        sets[member] = next;
        member = (uint32_t)next;
    }
}

int32_t graph_union_join(int32_t *sets, uint32_t a, uint32_t b) {
    a = graph_union_find(sets, a);
    b = graph_union_find(sets, b);
    if (a == b) return 0;
    if (sets[a] > sets[b]) {
        uint32_t greater = b;
        b = a;
        a = greater;
    }
    sets[a] += sets[b];
    sets[b] = (int32_t)a;
    return 1;
}

uint32_t graph_union_size(int32_t *sets, uint32_t member) { return (uint32_t)-sets[graph_union_find(sets, member)]; }
