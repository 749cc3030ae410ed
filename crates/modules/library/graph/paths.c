/* Shortest paths and spanning forests. */
#include "graph.h"

/* A binary heap of vertices by their keys; each vertex in it knows its place. */
typedef struct {
    uint32_t count;
    uint32_t *vertices, *places;
    const uint32_t *keys;
} heap;

/* Moves a vertex up from a free place of the heap. */
static void rise(heap *h, uint32_t at, uint32_t vertex) {
    uint32_t key = h->keys[vertex];
    while (at > 0) {
        uint32_t above = h->vertices[(at - 1) / 2];
        if (h->keys[above] <= key) break;
        h->vertices[at] = above;
        h->places[above] = at;
        at = (at - 1) / 2;
    }
    h->vertices[at] = vertex;
    h->places[vertex] = at;
}

static uint32_t pop(heap *h) {
    uint32_t least = h->vertices[0], last = h->vertices[--h->count], at = 0, child;
    /* The hole sinks to a leaf, where the last vertex likely belongs. */
    while ((child = 2 * at + 1) < h->count) {
        uint32_t lower = h->vertices[child];
        if (child + 1 < h->count && h->keys[h->vertices[child + 1]] < h->keys[lower]) lower = h->vertices[++child];
        h->vertices[at] = lower;
        h->places[lower] = at;
        at = child;
    }
    if (h->count > 0) rise(h, at, last);
    return least;
}

/* Places of vertices that are not in the heap: not yet, and no longer. */
enum { OUTSIDE = -1, DONE = -2 };

/* A key decreased: the vertex rises, or enters. */
static void decrease(heap *h, uint32_t vertex) {
    uint32_t place = h->places[vertex];
    rise(h, place == (uint32_t)OUTSIDE ? h->count++ : place, vertex);
}

static heap heap_in(uint32_t vertices, uint32_t *keys, uint32_t *parents, uint32_t *scratch) {
    heap h = {0, scratch, scratch + vertices, keys};
    for (uint32_t i = 0; i < vertices; i++) {
        keys[i] = parents[i] = GRAPH_NONE;
        h.places[i] = (uint32_t)OUTSIDE;
    }
    return h;
}

uint32_t graph_dijkstra(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets, const uint32_t *weights,
                        uint32_t source, uint32_t *distances, uint32_t *parents, uint32_t *scratch) {
    heap h = heap_in(vertices, distances, parents, scratch);
    uint32_t reached = 0;
    distances[source] = 0;
    decrease(&h, source);
    while (h.count > 0) {
        uint32_t vertex = pop(&h), distance = distances[vertex], end = offsets[vertex + 1];
        h.places[vertex] = (uint32_t)DONE;
        reached++;
        for (uint32_t arc = offsets[vertex]; arc < end; arc++) {
            uint32_t target = targets[arc], sum = distance + weights[arc];
            /* A vertex that is done has no greater distance. A sum that wraps is none. */
            if (sum < distance || sum >= distances[target]) continue;
            distances[target] = sum;
            parents[target] = vertex;
            decrease(&h, target);
        }
    }
    return reached;
}

uint64_t graph_spanning_forest(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets,
                               const uint32_t *weights, uint32_t *parents, uint32_t *scratch) {
    uint32_t *keys = scratch + 2 * vertices;
    heap h = heap_in(vertices, keys, parents, scratch);
    uint64_t sum = 0;
    for (uint32_t root = 0; root < vertices; root++) {
        if (h.places[root] != (uint32_t)OUTSIDE) continue;
        keys[root] = 0;
        decrease(&h, root);
        while (h.count > 0) {
            uint32_t vertex = pop(&h), end = offsets[vertex + 1];
            h.places[vertex] = (uint32_t)DONE;
            sum += keys[vertex];
            for (uint32_t arc = offsets[vertex]; arc < end; arc++) {
                uint32_t target = targets[arc];
                if (h.places[target] == (uint32_t)DONE || weights[arc] >= keys[target]) continue;
                keys[target] = weights[arc];
                parents[target] = vertex;
                decrease(&h, target);
            }
        }
    }
    return sum;
}

int32_t graph_bellman_ford(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets, const int32_t *weights,
                           uint32_t source, int32_t *distances, uint32_t *parents) {
    for (uint32_t i = 0; i < vertices; i++) {
        distances[i] = GRAPH_FAR;
        parents[i] = GRAPH_NONE;
    }
    distances[source] = 0;
    /* After as many rounds as there are vertices, distances fall only along a negative cycle. */
    for (uint32_t round = 0; round < vertices; round++) {
        bool falls = false;
        for (uint32_t vertex = 0; vertex < vertices; vertex++) {
            int32_t distance = distances[vertex];
            if (distance == GRAPH_FAR) continue;
            for (uint32_t arc = offsets[vertex]; arc < offsets[vertex + 1]; arc++) {
                if (distance + weights[arc] >= distances[targets[arc]]) continue;
                distances[targets[arc]] = distance + weights[arc];
                parents[targets[arc]] = vertex;
                falls = true;
                if (targets[arc] == vertex) distance += weights[arc];
            }
        }
        if (!falls) return 1;
    }
    return 0;
}
