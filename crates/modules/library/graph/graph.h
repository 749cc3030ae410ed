/* Module `graph`: algorithms on graphs whose vertices are numbered from 0.
 *
 * An adjacency list is compressed: the arcs of vertex v are those from offsets[v] to offsets[v + 1] of `targets`, and
 * of `weights` where there are weights; `offsets` has one number more than there are vertices. An undirected graph has
 * each edge as two arcs. Numbers are not checked: a vertex beyond the graph is an access beyond the arrays. */
#ifndef WEIGHTWARE_GRAPH_H
#define WEIGHTWARE_GRAPH_H

#include "../module.h"

/* No vertex, or an infinite distance. */
#define GRAPH_NONE 0xffffffffu

/* An infinite signed distance. */
#define GRAPH_FAR INT32_MAX

/* Breadth-first search: numbers of arcs from the source, or NONE; the vertex before each, or NONE; in `queue` the
 * reached vertices in their order. Returns how many. All three arrays have `vertices` words. O(vertices + arcs). */
WEIGHTWARE_FUNCTION("graph", bfs)
uint32_t graph_bfs(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets, uint32_t source,
                   uint32_t *distances, uint32_t *parents, uint32_t *queue);

/* Dijkstra's shortest paths from the source: distances, or NONE; the vertex before each, or NONE. A distance of 2^32 -
 * 1 or more counts as none. Returns how many vertices are reached. `scratch` has 2 * vertices words. O((vertices +
 * arcs) log vertices). */
WEIGHTWARE_FUNCTION("graph", dijkstra)
uint32_t graph_dijkstra(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets, const uint32_t *weights,
                        uint32_t source, uint32_t *distances, uint32_t *parents, uint32_t *scratch);

/* Bellman and Ford's shortest paths from the source, with weights of any sign: distances, or FAR; the vertex before
 * each, or NONE. Returns 1; or 0 if a negative cycle is reachable. Sums must stay below 2^31 - 1 in magnitude.
 * O(vertices arcs). */
WEIGHTWARE_FUNCTION("graph", bellman_ford)
int32_t graph_bellman_ford(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets, const int32_t *weights,
                           uint32_t source, int32_t *distances, uint32_t *parents);

/* Makes `count` sets of one member each, in as many words. */
WEIGHTWARE_FUNCTION("graph", union_begin)
void graph_union_begin(int32_t *sets, uint32_t count);

/* The representative of a member's set. Nearly O(1), amortised. */
WEIGHTWARE_FUNCTION("graph", union_find)
uint32_t graph_union_find(int32_t *sets, uint32_t member);

/* Unites the sets of two members. Returns 1, or 0 if they were one set. */
WEIGHTWARE_FUNCTION("graph", union_join)
int32_t graph_union_join(int32_t *sets, uint32_t a, uint32_t b);

/* The size of a member's set. */
WEIGHTWARE_FUNCTION("graph", union_size)
uint32_t graph_union_size(int32_t *sets, uint32_t member);

/* Components of an undirected graph: labels from 0 on, by their least vertices. Returns how many. `queue` has
 * `vertices` words. O(vertices + arcs). */
WEIGHTWARE_FUNCTION("graph", components)
uint32_t graph_components(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets, uint32_t *labels,
                          uint32_t *queue);

/* Strongly connected components by Pearce: labels in reverse topological order. Returns how many. `scratch` has 3 *
 * vertices words. O(vertices + arcs). */
WEIGHTWARE_FUNCTION("graph", strong_components)
uint32_t graph_strong_components(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets, uint32_t *labels,
                                 uint32_t *scratch);

/* A topological order by Kahn. Returns the number of vertices in it: all, unless there is a cycle. `degrees` is scratch
 * of `vertices` words. O(vertices + arcs). */
WEIGHTWARE_FUNCTION("graph", topological_order)
uint32_t graph_topological_order(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets, uint32_t *order,
                                 uint32_t *degrees);

/* A minimum spanning forest of an undirected graph by Prim: the vertex before each, or NONE of roots. Returns the sum
 * of the weights, each less than 2^32 - 1. `scratch` has 3 * vertices words. O((vertices + arcs) log vertices). */
WEIGHTWARE_FUNCTION("graph", spanning_forest)
uint64_t graph_spanning_forest(uint32_t vertices, const uint32_t *offsets, const uint32_t *targets,
                               const uint32_t *weights, uint32_t *parents, uint32_t *scratch);

/* A maximum matching of a bipartite graph by Hopcroft and Karp; arcs lead from the left to the right. Writes the
 * partners of both sides, or NONE. Returns how many pairs. `scratch` has 3 * left words. O(arcs sqrt(vertices)). */
WEIGHTWARE_FUNCTION("graph", matching)
uint32_t graph_matching(uint32_t left, uint32_t right, const uint32_t *offsets, const uint32_t *targets,
                        uint32_t *left_partners, uint32_t *right_partners, uint32_t *scratch);

/* An assignment of least cost (the Hungarian algorithm): row i of the n by n costs gets columns[i]. Returns the cost. A
 * cost times n must be less than 2^28 in magnitude. `scratch` has 6 (n + 1) words. O(n^3). */
WEIGHTWARE_FUNCTION("graph", assignment)
int64_t graph_assignment(uint32_t n, const int32_t *costs, uint32_t *columns, int32_t *scratch);

/* A maximum flow by Dinic: arc i leads from tails[i] to heads[i], and gets flows[i]. Returns the flow, 0 if source and
 * sink are one. `scratch` has 4 * vertices + 2 * arcs + 1 words. O(vertices^2 arcs). */
WEIGHTWARE_FUNCTION("graph", max_flow)
uint64_t graph_max_flow(uint32_t vertices, uint32_t arcs, const uint32_t *tails, const uint32_t *heads,
                        const uint32_t *capacities, uint32_t source, uint32_t sink, uint32_t *flows, uint32_t *scratch);

#endif
