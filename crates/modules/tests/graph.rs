//! `graph` against petgraph, and properties of paths, matchings and flows.

use petgraph::algo::{
    bellman_ford, connected_components, dijkstra, ford_fulkerson, is_cyclic_directed, kosaraju_scc,
    maximum_matching, min_spanning_tree,
};
use petgraph::data::Element;
use petgraph::graph::{DiGraph, NodeIndex, UnGraph};

use crate::driver::{Called, Calls, Target, native_and_machine};
use crate::random::Random;
use crate::{args, bytes};

const OFFSETS: u32 = 0;
const TARGETS: u32 = 4 << 10;
const WEIGHTS: u32 = 12 << 10;
const FIRST: u32 = 20 << 10;
const SECOND: u32 = 24 << 10;
const THIRD: u32 = 28 << 10;
const SCRATCH: u32 = 32 << 10;

const NONE: u32 = u32::MAX;

/// A random graph: its vertices, and arcs with weights.
#[derive(Clone)]
struct Network {
    vertices: usize,
    arcs: Vec<(u32, u32, i32)>,
}

impl Network {
    /// Arcs with weights from 0 on; loops and parallel arcs among them.
    fn random(random: &mut Random, vertices: usize, most: usize) -> Self {
        let count = random.below(most + 1);
        let limit = [3, 20, 1000][random.below(3)];
        let mut vertex = || random.below(vertices) as u32;
        let ends: Vec<(u32, u32)> = (0..count).map(|_| (vertex(), vertex())).collect();
        let arcs = ends
            .into_iter()
            .map(|(from, to)| (from, to, random.below(limit) as i32));
        Self {
            vertices,
            arcs: arcs.collect(),
        }
    }

    /// Each arc in both directions.
    fn undirected(&self) -> Self {
        let back = self
            .arcs
            .iter()
            .map(|&(from, to, weight)| (to, from, weight));
        let arcs = self.arcs.iter().copied().chain(back).collect();
        Self { arcs, ..*self }
    }

    /// Writes the compressed adjacency list.
    fn write(&self, calls: &mut Calls) {
        let mut arcs = self.arcs.clone();
        arcs.sort_by_key(|arc| arc.0);
        let before = |vertex| arcs.partition_point(|arc| arc.0 < vertex) as u32;
        let offsets: Vec<u32> = (0..=self.vertices as u32).map(before).collect();
        let targets: Vec<u32> = arcs.iter().map(|arc| arc.1).collect();
        let weights: Vec<i32> = arcs.iter().map(|arc| arc.2).collect();
        calls.write(OFFSETS, &bytes!(offsets));
        calls.write(TARGETS, &bytes!(targets));
        calls.write(WEIGHTS, &bytes!(weights));
    }

    fn graph(&self, weight: impl Fn(i32) -> f64) -> DiGraph<(), f64> {
        let mut graph = DiGraph::new();
        (0..self.vertices).for_each(|_| _ = graph.add_node(()));
        for &(from, to, w) in &self.arcs {
            graph.add_edge(from.into(), to.into(), weight(w));
        }
        graph
    }

    fn undirected_graph(&self) -> UnGraph<(), u32> {
        let mut graph = UnGraph::new_undirected();
        (0..self.vertices).for_each(|_| _ = graph.add_node(()));
        for &(from, to, w) in &self.arcs {
            graph.add_edge(from.into(), to.into(), w as u32);
        }
        graph
    }

    fn count(&self) -> u32 {
        self.vertices as u32
    }
}

fn words(bytes: &[u8]) -> Vec<u32> {
    let words = bytes.chunks_exact(4);
    words
        .map(|word| u32::from_le_bytes(word.try_into().expect("four bytes")))
        .collect()
}

/// Parents must be one arc before, on a shortest path.
fn check_parents(
    calls: &mut Calls,
    network: &Network,
    offset: u32,
    source: u32,
    distances: Vec<i64>,
    unit: bool,
) {
    let network = network.clone();
    calls.reads_with(offset, 4 * network.vertices, move |found| {
        for (vertex, parent) in (0u32..).zip(words(found)) {
            let distance = distances[vertex as usize];
            let is_root = vertex == source || distance == i64::MAX;
            let is_right = match parent {
                NONE => is_root,
                parent => {
                    !is_root
                        && network.arcs.iter().any(|&(from, to, w)| {
                            let weight = if unit { 1 } else { i64::from(w) };
                            from == parent
                                && to == vertex
                                && distances[from as usize] + weight == distance
                        })
                }
            };
            if !is_right {
                return Err(format!("the parent of {vertex} is {parent}"));
            }
        }
        Ok(())
    });
}

fn paths(calls: &mut Calls, random: &mut Random, network: &Network) {
    network.write(calls);
    let (n, source) = (network.count(), random.below(network.vertices) as u32);
    let start = NodeIndex::from(source);
    for unit in [true, false] {
        let found = dijkstra(
            &network.graph(|w| if unit { 1.0 } else { w.into() }),
            start,
            None,
            |e| *e.weight(),
        );
        let distance = |vertex: u32| {
            found
                .get(&NodeIndex::from(vertex))
                .map(|&distance| distance as i64)
        };
        let distances: Vec<u32> = (0..n)
            .map(|v| distance(v).map_or(NONE, |d| d as u32))
            .collect();
        let (name, arguments) = match unit {
            true => (
                "bfs",
                args![n, OFFSETS, TARGETS, source, FIRST, SECOND, THIRD].to_vec(),
            ),
            false => (
                "dijkstra",
                args![n, OFFSETS, TARGETS, WEIGHTS, source, FIRST, SECOND, SCRATCH].to_vec(),
            ),
        };
        calls.returns(name, &arguments, found.len() as u32);
        calls.reads(FIRST, &bytes!(distances));
        let distances: Vec<i64> = (0..n).map(|v| distance(v).unwrap_or(i64::MAX)).collect();
        check_parents(calls, network, SECOND, source, distances.clone(), unit);
        if unit {
            calls.reads_with(THIRD, 4 * found.len(), move |found| {
                let order = words(found);
                let ascends = order.is_sorted_by_key(|&vertex| distances[vertex as usize]);
                ascends
                    .then_some(())
                    .ok_or("the queue is no order of the search".into())
            });
        }
    }
}

fn signed_paths(calls: &mut Calls, random: &mut Random, network: &Network) {
    // Weights of differences of potentials have no negative cycle; lowered ones often have one.
    let mut network = network.clone();
    let potentials: Vec<i32> = (0..network.vertices)
        .map(|_| random.below(50) as i32)
        .collect();
    let lower = random.below(2) as i32;
    for (from, to, weight) in &mut network.arcs {
        *weight += potentials[*to as usize] - potentials[*from as usize] - lower;
    }
    network.write(calls);
    let (n, source) = (network.count(), random.below(network.vertices) as u32);
    // petgraph also looks at cycles that are unreachable.
    let reached = dijkstra(&network.graph(|_| 1.0), source.into(), None, |e| {
        *e.weight()
    });
    let mut reachable = network.clone();
    reachable
        .arcs
        .retain(|arc| reached.contains_key(&NodeIndex::from(arc.0)));
    let found = bellman_ford(&reachable.graph(f64::from), source.into());
    let arguments = args![n, OFFSETS, TARGETS, WEIGHTS, source, FIRST, SECOND];
    calls.returns("bellman_ford", arguments, i32::from(found.is_ok()));
    if let Ok(found) = found {
        let distance = |d: &f64| if d.is_finite() { *d as i32 } else { i32::MAX };
        let distances: Vec<i32> = found.distances.iter().map(distance).collect();
        calls.reads(FIRST, &bytes!(distances));
        let wide = distances
            .iter()
            .map(|&d| if d == i32::MAX { i64::MAX } else { d.into() });
        check_parents(calls, &network, SECOND, source, wide.collect(), false);
    }
}

fn components(calls: &mut Calls, random: &mut Random, network: &Network) {
    let n = network.count();
    let graph = network.undirected_graph();
    network.undirected().write(calls);
    let count = connected_components(&graph);
    calls.returns(
        "components",
        args![n, OFFSETS, TARGETS, FIRST, SECOND],
        count as u32,
    );
    // Labels by least vertices, which is what joined sets must say, too.
    calls.call("union_begin", args![FIRST + 2048, n]);
    let mut labels: Vec<u32> = (0..n).collect();
    for &(a, b, _) in &network.arcs {
        let [kept, gone] = [a, b].map(|vertex| labels[vertex as usize]);
        calls.returns(
            "union_join",
            args![FIRST + 2048, a, b],
            i32::from(kept != gone),
        );
        labels
            .iter_mut()
            .filter(|label| **label == gone)
            .for_each(|label| *label = kept);
    }
    let [a, b] = [(); 2].map(|()| random.below(network.vertices));
    let size = labels.iter().filter(|&&label| label == labels[a]).count();
    calls.returns("union_size", args![FIRST + 2048, a as u32], size as u32);
    let expected = labels.clone();
    calls.returns_u64("union_find", args![FIRST + 2048, b as u32], move |found| {
        let is_member = expected.get(found as usize) == Some(&expected[b]);
        is_member
            .then_some(())
            .ok_or(format!("{found} is no member"))
    });
    let mut firsts: Vec<u32> = vec![];
    let numbered: Vec<u32> = labels
        .iter()
        .map(|label| {
            let known = firsts.iter().position(|first| first == label);
            known.unwrap_or_else(|| {
                firsts.push(*label);
                firsts.len() - 1
            }) as u32
        })
        .collect();
    calls.reads(FIRST, &bytes!(numbered));
}

fn directed(calls: &mut Calls, random: &mut Random, network: &Network) {
    let mut network = network.clone();
    if random.below(2) == 0 {
        network.arcs.retain(|arc| arc.0 != arc.1);
        let rank: Vec<u64> = (0..network.vertices).map(|_| random.next()).collect();
        for (from, to, _) in &mut network.arcs {
            if rank[*from as usize] > rank[*to as usize] {
                std::mem::swap(from, to);
            }
        }
    }
    network.write(calls);
    let (n, graph) = (network.count(), network.graph(f64::from));
    let arcs = network.arcs.clone();
    let cyclic = is_cyclic_directed(&graph);
    calls.returns_u64(
        "topological_order",
        args![n, OFFSETS, TARGETS, FIRST, SECOND],
        move |found| {
            let is_right = (found < n.into()) == cyclic;
            is_right
                .then_some(())
                .ok_or(format!("{found} of {n} vertices"))
        },
    );
    if !cyclic {
        let arcs = arcs.clone();
        calls.reads_with(FIRST, 4 * network.vertices, move |found| {
            let order = words(found);
            let place = |vertex| order.iter().position(|&v| v == vertex);
            let ascends = arcs.iter().all(|arc| place(arc.0) < place(arc.1));
            ascends.then_some(()).ok_or("no topological order".into())
        });
    }
    let components = kosaraju_scc(&graph);
    let arguments = args![n, OFFSETS, TARGETS, FIRST, SCRATCH];
    calls.returns("strong_components", arguments, components.len() as u32);
    calls.reads_with(FIRST, 4 * network.vertices, move |found| {
        let labels = words(found);
        let label = |vertex: &NodeIndex| labels[vertex.index()];
        let alike = components.iter().all(|members| {
            members
                .iter()
                .all(|vertex| label(vertex) == label(&members[0]))
        });
        let distinct = components
            .iter()
            .map(|members| label(&members[0]))
            .collect::<std::collections::BTreeSet<_>>();
        let ordered = arcs
            .iter()
            .all(|&(from, to, _)| labels[from as usize] >= labels[to as usize]);
        let is_right = alike && ordered && distinct.len() == components.len();
        is_right.then_some(()).ok_or("other components".into())
    });
}

fn forest(calls: &mut Calls, _: &mut Random, network: &Network) {
    let (n, graph) = (network.count(), network.undirected_graph());
    network.undirected().write(calls);
    let edges = min_spanning_tree(&graph).filter_map(|element| match element {
        Element::Edge { weight, .. } => Some(u64::from(weight)),
        Element::Node { .. } => None,
    });
    let weights: Vec<u64> = edges.collect();
    let arguments = args![n, OFFSETS, TARGETS, WEIGHTS, FIRST, SCRATCH];
    calls.returns("spanning_forest", arguments, weights.iter().sum::<u64>());
    let roots = network.vertices - weights.len();
    calls.reads_with(FIRST, 4 * network.vertices, move |found| {
        let found = words(found)
            .iter()
            .filter(|&&parent| parent == NONE)
            .count();
        (found == roots)
            .then_some(())
            .ok_or(format!("{found} roots, not {roots}"))
    });
}

fn matching(calls: &mut Calls, _: &mut Random, network: &Network) {
    // Left vertices with even numbers, right ones with odd.
    let n = network.vertices;
    let sides = network.arcs.iter().map(|&(from, to, w)| (from, to, w));
    let bipartite = Network {
        vertices: n,
        arcs: sides.collect(),
    };
    bipartite.write(calls);
    let mut graph: UnGraph<(), ()> = UnGraph::new_undirected();
    (0..2 * n).for_each(|_| _ = graph.add_node(()));
    for &(from, to, _) in &network.arcs {
        graph.add_edge(from.into(), (to + n as u32).into(), ());
    }
    let pairs = maximum_matching(&graph).edges().count();
    let arguments = args![
        n as u32,
        n as u32,
        OFFSETS,
        TARGETS,
        FIRST,
        FIRST + 2048,
        SCRATCH
    ];
    calls.returns("matching", arguments, pairs as u32);
    let arcs = network.arcs.clone();
    calls.reads_with(FIRST, 2048 + 4 * n, move |found| {
        let found = words(found);
        let (left, right) = (&found[..n], &found[512..]);
        for (vertex, &partner) in (0u32..).zip(left) {
            let is_arc = arcs.iter().any(|arc| (arc.0, arc.1) == (vertex, partner));
            if partner != NONE && !(is_arc && right[partner as usize] == vertex) {
                return Err(format!("{vertex} is paired with {partner}"));
            }
        }
        let counts =
            [left, right].map(|side| side.iter().filter(|&&partner| partner != NONE).count());
        (counts == [pairs; 2])
            .then_some(())
            .ok_or(format!("{counts:?} partners"))
    });
}

fn flow(calls: &mut Calls, random: &mut Random, network: &Network) {
    let n = network.count();
    let [source, sink] = [(); 2].map(|()| random.below(network.vertices) as u32);
    let column =
        |of: fn(&(u32, u32, i32)) -> u32| network.arcs.iter().map(of).collect::<Vec<u32>>();
    calls.write(OFFSETS, &bytes!(column(|arc| arc.0)));
    calls.write(TARGETS, &bytes!(column(|arc| arc.1)));
    calls.write(WEIGHTS, &bytes!(column(|arc| arc.2 as u32)));
    let mut graph = DiGraph::<(), u32>::new();
    (0..n).for_each(|_| _ = graph.add_node(()));
    for &(from, to, capacity) in &network.arcs {
        graph.add_edge(from.into(), to.into(), capacity as u32);
    }
    let most = if source == sink {
        0
    } else {
        ford_fulkerson(&graph, source.into(), sink.into()).0
    };
    let count = network.arcs.len() as u32;
    let arguments = args![
        n, count, OFFSETS, TARGETS, WEIGHTS, source, sink, FIRST, SCRATCH
    ];
    calls.returns("max_flow", arguments, u64::from(most));
    let network = network.clone();
    calls.reads_with(FIRST, 4 * network.arcs.len(), move |found| {
        let mut balance = vec![0i64; network.vertices];
        for (flow, &(from, to, capacity)) in words(found).into_iter().zip(&network.arcs) {
            if flow > capacity as u32 {
                return Err(format!("a flow of {flow} by a capacity of {capacity}"));
            }
            balance[from as usize] -= i64::from(flow);
            balance[to as usize] += i64::from(flow);
        }
        let is_kept = (0u32..).zip(&balance).all(|(vertex, &sum)| {
            let expected = i64::from(vertex == sink) - i64::from(vertex == source);
            sum == expected * i64::from(most)
        });
        is_kept.then_some(()).ok_or(format!("balances {balance:?}"))
    });
}

/// The least cost, over all sets of columns for the first rows.
fn least_cost(n: usize, costs: &[i32]) -> i64 {
    let mut least = vec![i64::MAX; 1 << n];
    least[0] = 0;
    for set in 0..1usize << n {
        let row = set.count_ones() as usize;
        for column in (0..n).filter(|column| row < n && set >> column & 1 == 0) {
            let cost = least[set] + i64::from(costs[row * n + column]);
            let next = &mut least[set | 1 << column];
            *next = cost.min(*next);
        }
    }
    least[(1 << n) - 1]
}

fn assignment(calls: &mut Calls, random: &mut Random, network: &Network) {
    let n = network.vertices.min(9);
    let limit = [3, 100, 1 << 25][random.below(3)];
    let costs: Vec<i32> = (0..n * n)
        .map(|_| random.below(2 * limit) as i32 - limit as i32)
        .collect();
    calls.write(WEIGHTS, &bytes!(costs));
    let least = least_cost(n, &costs);
    calls.returns(
        "assignment",
        args![n as u32, WEIGHTS, FIRST, SCRATCH],
        least,
    );
    calls.reads_with(FIRST, 4 * n, move |found| {
        let mut columns = words(found);
        let chosen = columns
            .iter()
            .enumerate()
            .map(|(row, &column)| i64::from(costs[row * n + column as usize]));
        let sum: i64 = chosen.sum();
        columns.sort_unstable();
        let is_right = sum == least && columns == (0..n as u32).collect::<Vec<_>>();
        is_right
            .then_some(())
            .ok_or(format!("columns {columns:?} at {sum}"))
    });
}

pub(crate) fn all(target: Target) -> Called {
    let mut random = Random::new(12);
    let mut calls = Calls::new("graph", target);
    let algorithms = [
        paths,
        signed_paths,
        components,
        directed,
        forest,
        matching,
        flow,
        assignment,
    ];
    for round in 0..target.cases(300, 4) {
        let vertices = 1 + random.below(target.cases([6, 30, 120][round % 3], 8));
        let network = Network::random(&mut random, vertices, (4 * vertices).min(900));
        for algorithm in algorithms {
            calls.note(&format!("{} vertices {:?}", network.vertices, network.arcs));
            algorithm(&mut calls, &mut random, &network);
        }
    }
    calls.run()
}

native_and_machine!(all);

/// Distances that do not fit a word count as none.
#[test]
fn long_paths_are_none() {
    let mut calls = Calls::new("graph", Target::Native);
    let arcs = vec![(0, 1, i32::MAX), (1, 2, i32::MAX), (2, 3, 1), (2, 4, 5)];
    let network = Network { vertices: 5, arcs };
    network.write(&mut calls);
    let arguments = args![5, OFFSETS, TARGETS, WEIGHTS, 0, FIRST, SECOND, SCRATCH];
    calls.returns("dijkstra", arguments, 3);
    let most = i32::MAX as u32;
    calls.reads(FIRST, &bytes!([0, most, 2 * most, NONE, NONE]));
    calls.run();
}
