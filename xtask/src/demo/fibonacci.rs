//! A C function compiled into weights: its instructions, its neurons, its trace.

use std::fs;

use anyhow::{Context, Result, ensure};
use clap::Args;
use weightware::{Computer, Profile, Rom, rom_model};

use super::{EngineArgument, exit_code};
use crate::live::{Show, watch};
use crate::thousands::thousands;
use crate::workspace::{self, shown};

/// Tokens of the trace that are shown.
const SHOWN: usize = 12;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The number of the Fibonacci number
    #[arg(default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=47))]
    n: u32,
    #[command(flatten)]
    engine: EngineArgument,
}

impl Arguments {
    pub(super) fn run(self) -> Result<()> {
        let EngineArgument { engine } = self.engine;
        let text = fs::read_to_string(workspace::path("programs/fibonacci.c"))?;
        let function = text
            .split("\n\n")
            .find(|part| part.contains("unsigned fibonacci("));
        println!("{}\n", function.context("the function")?);

        let source = workspace::program("fibonacci.wasm")?;
        let universal = source.program(self.n.to_string().as_bytes());
        let program = universal.clone().specialised(1);
        let rom = Rom::of(&program);
        let model = rom_model(Profile::STOCK, rom)?;
        let folder = workspace::target().join("weightware-fibonacci");
        model.save(&folder)?;
        let count = model.weights.count();
        let neurons: Vec<String> = (model.weights.layers.iter())
            .map(|layer| layer.neurons().to_string())
            .collect();
        println!(
            "The program is in the weights: {} instructions. Neurons by layer: {}.\n\
             {} weights, of which {} are not zero: {}",
            program.code.len(),
            neurons.join(", "),
            thousands(count.weights),
            thousands(count.nonzero),
            shown(&folder)
        );
        let prompt: Vec<String> = program.prompt().map(|token| token.to_string()).collect();
        println!(
            "The prompt after the machine's preamble of {} tokens, which is the same for every program:\n  {}",
            thousands(program.preamble_len() as u64),
            prompt.join(" ")
        );

        let computer = Computer::new(model)?;
        let read = computer.rom().map_or(&[][..], |rom| &rom.program);
        println!(
            "\nThe first instructions, read back from the weights, and the first lines of the trace:"
        );
        let code = program.leading_sections();
        for (instruction, number) in read.iter().zip(0..).skip(code).take(SHOWN) {
            println!(
                "  {number:3} {} {}",
                instruction.op,
                instruction.immediate()
            );
        }
        println!();
        let mut lines = computer.run(&program, engine, None)?;
        let mut left = SHOWN;
        while left > 0
            && let Some((_, line)) = lines.step()
        {
            if let Some(line) = line {
                println!("  {line}");
                left -= 1;
            }
        }
        let mut run = computer.run(&program, engine, None)?;
        println!("\nfibonacci({}):", self.n);
        let figures = watch(&mut run, engine, Show::Output, None)?;
        let code = exit_code(&run.end())?;
        ensure!(code == 0, "the program exited with code {code}");
        println!("{figures}");
        let output = String::from_utf8_lossy(run.reader().output())
            .trim_end()
            .to_owned();
        ensure!(
            output == fibonacci(self.n).to_string(),
            "wrong: it is {}",
            fibonacci(self.n)
        );

        let default = Computer::default();
        let mut with_prompt = default.run(&universal, engine, None)?;
        let mut specialised = computer.run(&program, engine, None)?;
        let mut compared = 0_u64;
        loop {
            let tokens =
                [specialised.step(), with_prompt.step()].map(|step| step.map(|(token, _)| token));
            ensure!(
                tokens[0] == tokens[1],
                "wrong: token {compared} of the traces differs"
            );
            if tokens[0].is_none() {
                break;
            }
            compared += 1;
        }
        println!(
            "Checked: the number is right, and all {} tokens of the trace are those of the machine that has the program in its prompt.",
            thousands(compared)
        );
        Ok(())
    }
}

fn fibonacci(n: u32) -> u32 {
    let step = |(a, b): (u32, u32), _| (b, a.wrapping_add(b));
    (0..n).fold((0, 1), step).0
}

#[cfg(test)]
mod tests {
    #[test]
    fn fibonacci_numbers() {
        assert_eq!(
            [0, 1, 2, 10, 47].map(super::fibonacci),
            [0, 1, 1, 55, 2_971_215_073]
        );
    }
}
