//! Dimensions that take over the slots of others.

use crate::common;
use weightware_compiler::{
    Blueprint, Budget, Dim, Evaluator, Graph, Schedule, ScheduleErrorKind, TokenRow, solve,
};

/// A number, the one before it added threefold, and twice the sum's excess over 10: one slot.
struct Chain {
    graph: Graph,
    dims: [Dim; 3],
}

fn chain() -> Chain {
    let mut graph = Graph::new();
    let (one, time) = (graph.one(), graph.time());
    let number = graph.input("number");
    let positions = graph.positions();
    let [before] = graph.lookup("before", time - one, &positions, [number.into()]);
    let sum = graph.continued("sum", number);
    graph.add(sum, 3, before);
    let over = graph.relu("over", sum - one * 10);
    let end = graph.continued("end", sum);
    graph.add(end, 2, over);
    graph.output(end);
    Chain {
        graph,
        dims: [number, sum, end],
    }
}

const NARROW: Budget = Budget {
    layers: 1,
    d_model: 4,
    d_ffn: 1,
};

#[test]
fn one_slot_holds_what_the_evaluator_computes() {
    let Chain { graph, dims } = chain();
    let [number, sum, end] = dims;
    let schedule = solve(&graph, NARROW, 1, 100).expect("four slots are enough");
    assert_eq!(schedule.wiping(), (0, 0));
    let tokens = (0..10).map(|n| TokenRow {
        string: n.to_string(),
        embedding: vec![(graph.one(), 1), (number, n)],
        logit: end * n,
    });
    let blueprint = Blueprint {
        graph: &graph,
        schedule: &schedule,
        tokens: tokens.collect(),
        end_tokens: vec![],
        profile: None,
        modules: None,
        context: None,
        last_position: 100,
        bounds: &[],
    };
    let model = blueprint.assemble().expect("a schedule that fits");
    let slot = |half_layer| {
        let readable = schedule.readable(&graph, half_layer);
        let mut here = readable.iter().filter(|(_, dim)| dims.contains(dim));
        here.next().expect("one of the chain").0
    };
    let slot = [-1, 0, 1].map(slot);
    assert_eq!(slot, [slot[0]; 3]);

    let (mut evaluator, mut forward) = (Evaluator::new(&graph), common::Forward::new(&model));
    let mut last = 0;
    for (n, position) in [0, 9, 1, 4, 4, 0, 7].into_iter().zip(0..) {
        evaluator.push(&[(graph.one(), 1), (number, n)]);
        forward.push(u32::try_from(n).expect("a digit"));
        // The query of the first token is below all positions, and finds the first.
        let before = if position == 0 { n } else { last };
        let total = n + 3 * before;
        let expected = [n, total, total + 2 * (total - 10).max(0)];
        let computed = [number, sum, end].map(|dim| evaluator.value(dim));
        assert_eq!(computed, expected.map(i128::from), "position {position}");
        let held: Vec<f64> = forward.half_layers.iter().map(|x| x[slot[0]]).collect();
        assert_eq!(held, expected.map(|value| value as f64), "{position}");
        last = n;
    }
}

#[test]
fn a_schedule_that_breaks_the_chain_is_refused() {
    let mut graph = chain().graph;
    let text = solve(&graph, NARROW, 1, 100).expect("it fits");
    let text = text.to_text(&graph);
    assert!(Schedule::parse(&graph, &text).is_ok());
    let wide = text.replace("layers=1 d_model=4", "layers=2 d_model=6");
    let line = |text: &str, name: &str| {
        let mut lines = text.lines();
        let found = lines.find(|line| line.starts_with("slot") && line.contains(name));
        found.expect("a line for each dimension").to_owned()
    };
    let moved = wide.replace(&line(&wide, " sum "), "slot 5 sum");
    let wiped = format!("{wide}wipe 1.attn number\n");
    for text in [moved, wiped] {
        let error = Schedule::parse(&graph, &text).expect_err("it breaks the chain");
        let ScheduleErrorKind::TakenOver { dims, half_layer } = error.kind() else {
            panic!("{error}");
        };
        assert_eq!(dims, &["number".to_owned(), "sum".to_owned()]);
        assert_eq!(*half_layer, 0);
        assert!(error.to_string().contains("sum"), "{error}");
    }

    // A head of the second layer that reads the number, which has become the sum by then.
    let number = graph.dims().find(|&dim| graph.name(dim) == "number");
    let number = number.expect("the chain's first");
    let positions = graph.positions();
    let (one, time) = (graph.one(), graph.time());
    let [late] = graph.lookup("late", time - one, &positions, [number.into()]);
    let copy = graph.hold("copy", late);
    graph.output(copy);
    let first = format!("{wide}slot 5 copy\nhead 1.attn late\n");
    assert!(Schedule::parse(&graph, &first).is_ok());
    let second = first.replace("head 1.attn late", "head 2.attn late");
    let error = Schedule::parse(&graph, &second).expect_err("the number is gone");
    assert!(
        matches!(error.kind(), ScheduleErrorKind::TakenOver { .. }),
        "{error}"
    );
    // The search puts it into the first layer.
    let budget = Budget {
        layers: 2,
        d_model: 6,
        ..NARROW
    };
    for seed in 1..20 {
        let schedule = solve(&graph, budget, seed, 200).expect("there is room");
        assert!(schedule.check(&graph).is_ok());
    }
}

#[test]
#[should_panic(expected = "has been taken over")]
fn nothing_is_added_to_a_dimension_that_is_taken_over() {
    let mut graph = Graph::new();
    let number = graph.input("number");
    let output = graph.relu("over", number);
    graph.continued("next", number);
    graph.add(number, 1, output);
}
