//! Contents of a model's weights besides the machine: modules and programs, as a list.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use weightware::{Computer, Library};

use crate::failure::Result;
use crate::grown::Grown;
use crate::library;
use crate::thousands::thousands;

/// The modules and the programs that a model has in its weights.
pub(crate) struct Contents {
    profile: Option<&'static str>,
    library: Library,
    programs: Vec<Grown>,
    has_room: bool,
}

impl Contents {
    pub(crate) fn read(folder: &Path, computer: &Computer) -> Result<Self> {
        let (library, programs) = library::read(folder, computer)?;
        Ok(Self {
            profile: computer.profile().map(|profile| profile.name),
            library,
            programs,
            has_room: computer.rom().is_some(),
        })
    }

    /// The programs, each with the number of its instructions.
    fn programs(&self) -> impl Iterator<Item = (&Grown, usize)> {
        let codes = self
            .library
            .programs
            .iter()
            .map(|program| program.code.len());
        self.programs.iter().zip(codes)
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!("profile   {}\n", self.profile.unwrap_or("none"));
        if !self.has_room {
            text += "weights   no room for code: `weightware weights --rom none --out DIR` writes a model that has it\n";
            return text;
        }
        for module in &self.library.modules {
            let _ = writeln!(
                text,
                "module    {}: {}, {} instructions",
                module.name,
                match module.functions.len() {
                    1 => "1 function".to_owned(),
                    count => format!("{} functions", thousands(count as u64)),
                },
                thousands(module.code.len() as u64)
            );
        }
        for (grown, instructions) in self.programs() {
            let _ = writeln!(
                text,
                "program   {}: {}, {} instructions",
                grown.name,
                grown.program.name,
                thousands(instructions as u64)
            );
        }
        if self.library.modules.is_empty() && self.programs.is_empty() {
            text += "weights   no module and no program: `weightware grow DIR` adds some\n";
        }
        text
    }

    pub(crate) fn json(&self) -> Value {
        let modules = self.library.modules.iter().map(|module| {
            json!({
                "name": module.name,
                "functions": module.functions.len(),
                "instructions": module.code.len(),
            })
        });
        let programs = self.programs().map(|(grown, instructions)| {
            json!({
                "name": grown.name,
                "file": grown.program.name,
                "instructions": instructions,
            })
        });
        json!({
            "profile": self.profile,
            "room_for_code": self.has_room,
            "modules": modules.collect::<Vec<_>>(),
            "programs": programs.collect::<Vec<_>>(),
        })
    }
}
