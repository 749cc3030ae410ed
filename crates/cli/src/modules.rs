//! `modules`: the library modules.

use std::io::{self, Write};

use anyhow::{Error, anyhow};
use serde_json::json;
use weightware::{Library, Profile, SOFTWARE, rom_model};
use weightware_modules::{Module, Value};

use crate::args::ModulesArgs;
use crate::builtin;
use crate::failure::{Failure, Result};
use crate::headers;
use crate::thousands::thousands;

/// A module and what it costs.
struct Row {
    name: &'static str,
    summary: &'static str,
    functions: usize,
    instructions: usize,
    constants: usize,
    neurons: usize,
    nonzero: u64,
}

pub(crate) fn modules(args: &ModulesArgs) -> Result<u8> {
    if let Some(folder) = &args.headers {
        headers::write(folder)?;
    }
    let text = match &args.name {
        Some(name) => functions(name, args.json)?,
        None => list(args.json)?,
    };
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(Failure::stdout)?;
    Ok(0)
}

fn list(as_json: bool) -> Result<String> {
    let empty = size(&Library::default())?;
    let mut rows = vec![];
    for name in builtin::names() {
        let mut library = Library::default();
        builtin::add(&mut library, name)?;
        let (neurons, nonzero) = size(&library)?;
        let module = &library.modules[0];
        let summary = Module::named(name).map_or(
            "64-bit products and quotients, and floating point, which programs use without import",
            |module| &module.summary,
        );
        rows.push(Row {
            name,
            summary,
            functions: module.functions.len(),
            instructions: module.code.len(),
            constants: module.memory.iter().map(|(_, bytes)| bytes.len()).sum(),
            neurons: neurons - empty.0,
            nonzero: nonzero - empty.1,
        });
    }
    if as_json {
        let rows = rows.iter().map(|row| {
            json!({
                "name": row.name,
                "summary": row.summary,
                "functions": row.functions,
                "instructions": row.instructions,
                "constant_bytes": row.constants,
                "neurons": row.neurons,
                "nonzero_weights": row.nonzero,
            })
        });
        return Ok(format!("{:#}\n", json!(rows.collect::<Vec<_>>())));
    }
    let mut text = format!(
        "{:9} {:>9} {:>12} {:>9} {:>8} {:>9}  {}\n",
        "module", "functions", "instructions", "constants", "neurons", "non-zero", "summary"
    );
    for row in rows {
        text += &format!(
            "{:9} {:>9} {:>12} {:>9} {:>8} {:>9}  {}\n",
            row.name,
            row.functions,
            thousands(row.instructions as u64),
            thousands(row.constants as u64),
            thousands(row.neurons as u64),
            thousands(row.nonzero),
            row.summary
        );
    }
    Ok(text)
}

/// The neurons and the weights that are not zero, of a model with a library.
fn size(library: &Library) -> Result<(usize, u64)> {
    let model = rom_model(Profile::default(), library.resident().into());
    let model = model.map_err(|error| Failure::Failed(Error::new(error)))?;
    let neurons = model.weights.layers.iter().map(|layer| layer.neurons());
    Ok((neurons.sum(), model.weights.count().nonzero))
}

fn functions(name: &str, as_json: bool) -> Result<String> {
    if name == SOFTWARE {
        return Err(Failure::Refused(anyhow!(
            "`{name}` has no functions to import: programs use its operators, such as i64.mul, as instructions"
        )));
    }
    let module = Module::named(name).ok_or_else(|| builtin::unknown(name))?;
    let types = |types: &[Value]| {
        let names = types.iter().map(|ty| match ty {
            Value::I32 => "i32",
            Value::I64 => "i64",
            Value::F32 => "f32",
            Value::F64 => "f64",
        });
        names.collect::<Vec<_>>().join(" ")
    };
    if as_json {
        let functions = module.functions.iter().map(|function| {
            json!({
                "name": function.name,
                "signature": function.signature,
                "params": types(&function.params),
                "results": types(&function.results),
                "doc": function.doc,
                "traps": function.traps,
            })
        });
        return Ok(format!("{:#}\n", json!(functions.collect::<Vec<_>>())));
    }
    let mut text = format!(
        "{} {}: {}\n\n#include <{}/{}.h>\n\n",
        module.name, module.version, module.summary, module.name, module.name
    );
    for function in &module.functions {
        text += &format!("{};\n    {}\n", function.signature, function.doc);
        if let Some(traps) = &function.traps {
            text += &format!("    Traps: {traps}\n");
        }
    }
    Ok(text)
}
