//! Reading back what a model has in its weights: the tables of its neurons, as instructions and
//! memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use weightware_isa::{Instruction, LIBRARY_AT, Op, Program};
use weightware_model::{LayerWeights, Model};

use super::{LINE, MEMORY_END, Rom, is_shown};
use crate::assemble::TablePlace;
use crate::machine::{Machine, Profile};
use crate::schedule::Schedule;
use crate::table::{Bend, Table};

impl Rom {
    /// Reads the instructions and the memory in a model's weights. `None` if it is no machine that
    /// may have some. Immediates that no circuit reads are zero.
    ///
    /// ```
    /// use weightware_compiler::machine::{Profile, Rom};
    /// use weightware_compiler::{default_model, rom_model};
    /// use weightware_isa::Program;
    ///
    /// let program: Program = "{ i32.const 48 00 00 00 output 00 00 00 00 }".parse()?;
    /// let rom = Rom::of(&program.specialised(0));
    /// let model = rom_model(Profile::STOCK, rom.clone())?;
    /// assert_eq!(Rom::read(&model), Some(rom));
    /// assert_eq!(Rom::read(&default_model()), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn read(model: &Model) -> Option<Self> {
        let specialised = specialised(model)?;
        let profile = Profile::named(model.config.profile.as_deref()?)?;
        let machine = Machine::with_rom(profile, Self::blank(specialised));
        let schedule = profile.rom_schedule(specialised);
        let schedule = Schedule::parse(&machine.graph, schedule).ok()?;
        if !has_shape(model, &schedule) {
            return None;
        }
        let table = |name| table(&machine, &schedule, model, name);
        let [places, immediates, bytes] = [
            table("rom.code")?,
            table("rom.immediate")?,
            table("rom.bytes")?,
        ];
        let read = |number: i64| -> Option<Instruction> {
            let row = places.at(number);
            let entry = row[0] + i128::from(Self::ORIGIN + 5 * number + 1);
            let op = operation(entry)?;
            let [low, high] = immediates.at(number)[..] else {
                return None;
            };
            let immediate = match op {
                _ if is_shown(op) => [0, 1, 2, 3].map(|at| bytes.at(LINE * number + at)[0] as u8),
                Op::I64ConstHigh => {
                    let before = LINE * (number - 1);
                    [4, 5, 6, 7].map(|at| bytes.at(before + at)[0] as u8)
                }
                Op::Resume => (number as u32 + 1).to_le_bytes(),
                _ => {
                    let [b0, b1, ..] = (low as u16).to_le_bytes();
                    [b0, b1, high as u8, row[1] as u8]
                }
            };
            Some(Instruction { op, immediate })
        };
        let until = i64::from(LIBRARY_AT);
        let program = (0..until).map_while(read).collect();
        let mut library: Vec<(u32, Arc<[Instruction]>)> = vec![];
        let mut next = until;
        for bend in places.bends() {
            // The first instruction of a block is after a bend.
            if bend.at + 1 < next {
                continue;
            }
            let block: Arc<[Instruction]> = (bend.at + 1..LIBRARY_END).map_while(read).collect();
            if !block.is_empty() {
                next = bend.at + 1 + block.len() as i64;
                library.push(((bend.at + 1) as u32, block));
            }
        }
        let handler = match specialised {
            true => [0, 1, 2, 3].map(|at| bytes.at(LINE * (Program::INTERRUPT + 1) + at)[0] as u8),
            false => [0; 4],
        };
        Some(Self {
            program,
            handler: u32::from_le_bytes(handler),
            memory: memory(&table("rom.memory")?),
            library,
        })
    }
}

/// Whether a model's program is in its weights; `None` if it is no machine that may have some.
pub(super) fn specialised(model: &Model) -> Option<bool> {
    let modules = model.config.modules.as_ref()?;
    let has = |name: &str| modules.iter().any(|module| module == name);
    match (has(Rom::NAME), has(Rom::SPECIALISED)) {
        (true, specialised) => Some(specialised),
        (false, _) => None,
    }
}

/// The operation whose entry in the table of the preamble is at a position.
fn operation(position: i128) -> Option<Op> {
    let past = usize::try_from(position).ok()?;
    let past = past.checked_sub(Program::OPERATIONS_AT)?;
    let op = Op::ALL.get(past / 5)?;
    past.is_multiple_of(5).then_some(*op)
}

/// The number after the greatest one that a call can name.
const LIBRARY_END: i64 = 1 << 24;

/// The memory.
fn memory(table: &Table) -> Vec<(u32, Vec<u8>)> {
    let ends = table.bends().iter().skip(1).map(|bend| bend.at);
    let lines = table.bends().iter().zip(ends.chain([MEMORY_END]));
    // Where a line is 0, it has no byte.
    let lines = lines.filter(|(bend, _)| bend.values[0] != 0 || bend.slopes[0] != 0);
    let bytes = lines.flat_map(|(bend, end)| {
        let addresses = bend.at.max(0)..end.min(MEMORY_END);
        addresses.map(|address| (address as u32, table.at(address)[0] as u8))
    });
    super::runs(bytes)
}

/// Whether a model has the layers and slots of a schedule.
pub(super) fn has_shape(model: &Model, schedule: &Schedule) -> bool {
    let (shape, budget) = (model.config.shape, schedule.budget);
    (shape.layers, shape.d_model) == (budget.layers, budget.d_model)
}

/// The place of a table of a machine.
pub(super) fn place<'m>(
    machine: &'m Machine,
    schedule: &Schedule,
    name: &str,
) -> Option<TablePlace<'m>> {
    let graph = &machine.graph;
    let mut writers = graph.writers().map(|(writer, _)| writer);
    let writer = writers.find(|&writer| graph.writer_name(writer) == name)?;
    TablePlace::new(graph, schedule, writer)
}

/// Weights of tables have integers below this.
const WHOLE: f64 = (1_u64 << 53) as f64;

/// Bends of tables are nearer to 0 than this.
const FARTHEST: f64 = (1_u64 << 40) as f64;

/// An integer of the weights.
fn whole(number: f64, below: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < below).then_some(number as i64)
}

/// The functions that the neurons of a layer compute for a table: those whose gates differ from its
/// argument by a constant. `None` if the weights are no integers, or the functions do not end with
/// 0.
pub(super) fn table_at(
    place: &TablePlace<'_>,
    weights: &LayerWeights,
    schedule: &Schedule,
) -> Option<Table> {
    let columns = place.table.columns();
    let mut changes: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for neuron in schedule.budget.d_ffn..weights.neurons() {
        let gate = weights.ff_in.row(neuron);
        let mut entries = gate.iter().zip(&place.argument).enumerate();
        if !entries.all(|(at, (gate, wanted))| at == place.unit || gate == wanted) {
            continue;
        }
        let at = whole(place.argument[place.unit] - gate[place.unit], FARTHEST)?;
        let row = changes.entry(at).or_insert_with(|| vec![0; columns]);
        for &(slot, part, factor) in &place.targets {
            let change = whole(weights.ff_out.row(slot)[neuron] / factor, WHOLE)?;
            row[part] = row[part].checked_add(change)?;
        }
    }
    let table = Table::of_changes(columns, changes);
    let is_zero = |bend: &Bend| {
        [&bend.values, &bend.slopes]
            .into_iter()
            .flatten()
            .all(|&n| n == 0)
    };
    table.bends().last().is_none_or(is_zero).then_some(table)
}

/// The functions that a model's neurons compute for a table of the machine.
fn table(machine: &Machine, schedule: &Schedule, model: &Model, name: &str) -> Option<Table> {
    let place = place(machine, schedule, name)?;
    table_at(&place, &model.weights.layers[place.layer], schedule)
}
