//! Random programs, and a plain scalar forward pass to run weights with.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

use weightware_isa::{Instruction, Op, Program};
use weightware_model::Model;

/// A reproducible stream of pseudo-random numbers (xorshift64*).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % u64::from(bound)) as u32
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }

    /// A word, often one at which something changes.
    pub fn word(&mut self) -> u32 {
        let edges = [
            0,
            1,
            2,
            127,
            128,
            255,
            256,
            0x7fff,
            0x8000,
            0xffff,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_fffe,
            u32::MAX,
        ];
        match self.below(3) {
            0 => self.pick(&edges),
            1 => self.below(300),
            _ => self.below(u32::MAX),
        }
    }
}

const BINARY: [Op; 22] = [
    Op::I32Shl,
    Op::I32ShrS,
    Op::I32ShrU,
    Op::I32Rotl,
    Op::I32Rotr,
    Op::I32Mul,
    Op::I32Mul,
    Op::I32Add,
    Op::I32Sub,
    Op::I32And,
    Op::I32Or,
    Op::I32Xor,
    Op::I32Eq,
    Op::I32Ne,
    Op::I32LtS,
    Op::I32LtU,
    Op::I32GtS,
    Op::I32GtU,
    Op::I32LeS,
    Op::I32LeU,
    Op::I32GeS,
    Op::I32GeU,
];
const LOADS: [Op; 5] = [
    Op::I32Load,
    Op::I32Load8S,
    Op::I32Load8U,
    Op::I32Load16S,
    Op::I32Load16U,
];
const STORES: [Op; 3] = [Op::I32Store, Op::I32Store8, Op::I32Store16];

/// Globals are words 0 to 3, the frame of the outermost code words 4 to 7.
const GLOBALS: u32 = 4;
const LOCALS: u32 = 4;

/// A random program that touches every instruction: two functions, one of which calls itself, forward branches,
/// a data section, and accesses all over the memory, a few of them out of bounds.
pub fn random_program(seed: u64, length: u32) -> Program {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let base = random.pick(&[0, 100, 65530, 131_000]);
    let section: Vec<u8> = (0..random.below(40))
        .map(|_| random.below(256) as u8)
        .collect();
    let mut code = vec![Instruction::with_byte(Op::Section, base, 255)];
    for word in 0..GLOBALS + LOCALS {
        code.push(Instruction::new(Op::I32Const, random.word()));
        code.push(Instruction::new(
            if word < GLOBALS {
                Op::GlobalSet
            } else {
                Op::LocalSet
            },
            word,
        ));
    }
    // Functions come behind the main code; calls are patched when their place is known.
    let mut calls = vec![];
    body(&mut random, &mut code, length, &mut calls, 2, base);
    if random.below(2) == 0 {
        code.push(Instruction::new(Op::I32Const, random.word()));
        code.push(Instruction::new(Op::Exit, 0));
    } else {
        code.push(Instruction::new(Op::Br, 0)); // to the end, patched
    }
    let to_end = code.len() - 1;
    let mut starts = vec![];
    for callees in [1, 0] {
        starts.push(code.len() as u32);
        // One argument; a function that calls has a counter to stop at.
        code.push(Instruction::new(Op::LocalSet, 4));
        for word in 5..8 {
            code.push(Instruction::new(Op::I32Const, random.word()));
            code.push(Instruction::new(Op::LocalSet, word));
        }
        body(
            &mut random,
            &mut code,
            length / 3,
            &mut calls,
            callees,
            base,
        );
        code.push(Instruction::new(Op::LocalGet, random.below(4) + 4));
        code.push(Instruction::new(Op::Return, 0));
    }
    for (at, callee) in calls {
        let frame = random.below(12) + 8;
        code[at] = Instruction::with_byte(Op::Call, starts[2 - callee as usize], frame as u8);
        code[at + 1] = Instruction::new(Op::Resume, at as u32 + 2);
    }
    if code[to_end].op == Op::Br {
        code[to_end] = Instruction::new(Op::Br, code.len() as u32);
    }
    Program {
        code,
        sections: vec![section],
    }
}

/// Instructions that leave the stack as it was. `callees`: 2 may call both functions, 1 the second one, 0 none.
fn body(
    random: &mut Random,
    code: &mut Vec<Instruction>,
    length: u32,
    calls: &mut Vec<(usize, u32)>,
    callees: u32,
    base: u32,
) {
    let mut depth = 0_u32;
    let begin = code.len();
    while code.len() - begin < length as usize || depth > 0 {
        let winding_down = code.len() - begin >= length as usize;
        let choice = if winding_down {
            random.below(4) + 100
        } else {
            random.below(18)
        };
        match choice {
            0..=2 => push(code, Op::I32Const, random.word(), &mut depth),
            3 | 4 => push(code, Op::LocalGet, 4 + random.below(LOCALS), &mut depth),
            5 => push(code, Op::GlobalGet, random.below(GLOBALS), &mut depth),
            6 if depth >= 1 => {
                let address = if random.below(40) == 0 {
                    random.word()
                } else {
                    base + random.below(50)
                };
                code.push(Instruction::new(Op::Drop, 0));
                code.push(Instruction::new(Op::I32Const, address));
                code.push(Instruction::with_byte(
                    random.pick(&LOADS),
                    random.below(3),
                    3,
                ));
            }
            7 | 8 if depth >= 1 => {
                code.push(Instruction::new(Op::LocalSet, 4));
                code.push(Instruction::new(Op::I32Const, base + random.below(50)));
                code.push(Instruction::new(Op::LocalGet, 4));
                code.push(Instruction::with_byte(
                    random.pick(&STORES),
                    random.below(3),
                    3,
                ));
                depth -= 1;
            }
            9 if depth >= 3 => {
                code.push(Instruction::new(Op::Select, 0));
                depth -= 2;
            }
            10 if depth >= 1 => {
                let op =
                    random.pick(&[Op::I32Eqz, Op::I32Extend8S, Op::I32Extend16S, Op::I32Bswap]);
                code.push(Instruction::new(op, 0));
            }
            11 if depth >= 1 => code.push(Instruction::new(Op::LocalTee, 4 + random.below(LOCALS))),
            12 if depth >= 1 => {
                // A branch over one instruction that keeps the depth.
                let target = code.len() as u32 + 3;
                code.push(Instruction::new(
                    random.pick(&[Op::BrIf, Op::BrUnless]),
                    target - 1,
                ));
                code.push(Instruction::new(Op::Br, target + 1));
                code.push(Instruction::new(Op::I32Const, random.word()));
                code.push(Instruction::new(Op::Output, 0));
                depth -= 1;
            }
            13 if callees > 0 && depth >= 1 => {
                let callee = if callees == 2 { 1 + random.below(2) } else { 1 };
                calls.push((code.len(), if callees == 2 { callee } else { 1 }));
                code.push(Instruction::new(Op::Call, 0));
                code.push(Instruction::new(Op::Resume, 0));
            }
            14 if depth >= 2 => {
                // A division, by zero once in a while; or a remainder.
                if random.below(30) > 0 {
                    code.push(Instruction::new(Op::I32Const, 1 << random.below(32)));
                    code.push(Instruction::new(Op::I32Or, 0));
                }
                code.push(Instruction::new(Op::DivDigits, 0));
                if random.below(2) == 0 {
                    code.push(Instruction::new(Op::DivResult, 0));
                } else {
                    code.extend(
                        [Op::I32Bswap, Op::I32Mul, Op::I32Sub].map(|op| Instruction::new(op, 0)),
                    );
                }
                depth -= 1;
            }
            _ if depth >= 2 => {
                code.push(Instruction::new(random.pick(&BINARY), 0));
                depth -= 1;
            }
            _ if depth == 1 => {
                let op = random.pick(&[Op::Output, Op::LocalSet, Op::GlobalSet, Op::Drop]);
                let word = if op == Op::GlobalSet {
                    random.below(GLOBALS)
                } else {
                    4 + random.below(LOCALS)
                };
                code.push(Instruction::new(op, word));
                depth -= 1;
            }
            _ => {}
        }
    }
}

fn push(code: &mut Vec<Instruction>, op: Op, immediate: u32, depth: &mut u32) {
    code.push(Instruction::new(op, immediate));
    *depth += 1;
}

/// A plain forward pass in f64, one token at a time: stock softmax attention over all keys so far.
pub struct Forward<'m> {
    model: &'m Model,
    /// By layer and head: keys and values.
    cache: Vec<Vec<([f64; 2], [f64; 2])>>,
    position: u64,
    /// The residual stream of the latest token: the embedding, then behind every half-layer.
    pub stages: Vec<Vec<f64>>,
}

impl<'m> Forward<'m> {
    pub fn new(model: &'m Model) -> Self {
        let shape = model.config.shape;
        Self {
            model,
            cache: vec![vec![]; shape.layers * shape.heads],
            position: 0,
            stages: vec![],
        }
    }

    /// The residual stream behind the last layer.
    pub fn push(&mut self, token: u32) -> Vec<f64> {
        let shape = self.model.config.shape;
        let mut x = self.model.weights.tok.row(token as usize).to_vec();
        for (slot, feature) in
            weightware_model::position_embedding(&self.model.config, self.position)
                .iter()
                .enumerate()
        {
            x[slot] += feature;
        }
        self.stages = vec![x.clone()];
        for (index, layer) in self.model.weights.layers.iter().enumerate() {
            let qkv = times(&layer.in_proj, &x);
            let mut y = vec![0.0; shape.d_model];
            for head in 0..shape.heads {
                let pair =
                    |third: usize| [0, 1].map(|part| qkv[third * shape.d_model + 2 * head + part]);
                if pair(2) == [0.0; 2]
                    && layer
                        .in_proj
                        .row(2 * shape.d_model + 2 * head)
                        .iter()
                        .all(|&w| w == 0.0)
                {
                    continue; // a head without values
                }
                let query = pair(0).map(|q| q * 0.5_f64.sqrt());
                let cache = &mut self.cache[index * shape.heads + head];
                cache.push((pair(1), pair(2)));
                let scores: Vec<f64> = cache
                    .iter()
                    .map(|(key, _)| query[0] * key[0] + query[1] * key[1])
                    .collect();
                let top = scores.iter().copied().fold(f64::MIN, f64::max);
                let weights: Vec<f64> = scores.iter().map(|score| (score - top).exp()).collect();
                let total: f64 = weights.iter().sum();
                for (weight, (_, value)) in weights.iter().zip(cache.iter()) {
                    y[2 * head] += weight / total * value[0];
                    y[2 * head + 1] += weight / total * value[1];
                }
            }
            add(&mut x, &times(&layer.out_proj, &y));
            self.stages.push(x.clone());
            let hidden = times(&layer.ff_in, &x);
            let (gates, values) = hidden.split_at(shape.d_ffn);
            let hidden: Vec<f64> = gates
                .iter()
                .zip(values)
                .map(|(gate, value)| gate.max(0.0) * value)
                .collect();
            add(&mut x, &times(&layer.ff_out, &hidden));
            self.stages.push(x.clone());
        }
        self.position += 1;
        x
    }

    /// The id of the greatest logit.
    pub fn argmax(&self, x: &[f64]) -> u32 {
        let logits = times(&self.model.weights.head, x);
        let best = logits
            .iter()
            .zip(0..)
            .max_by(|a, b| a.0.total_cmp(b.0).then(b.1.cmp(&a.1)));
        best.expect("a vocabulary is not empty").1
    }
}

fn times(matrix: &weightware_model::Matrix, x: &[f64]) -> Vec<f64> {
    (0..matrix.rows)
        .map(|row| matrix.row(row).iter().zip(x).map(|(w, x)| w * x).sum())
        .collect()
}

fn add(x: &mut [f64], y: &[f64]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}
