#!/usr/bin/env python3
"""Trains small models of every task and kind by weightware-train and by train.py, and compares them.

    python3 against_rust.py WEIGHTWARE_TRAIN [--steps N]

Both begin with the same weights and read the same batches, but share no line: gradients there are written by hand,
gradients here are PyTorch's. It compares each step's loss and norm of gradients, the tests, and the last weights. A
difference is relative to the number, and absolute where that is below 1. The exit status is 1 if one is beyond what
rounding explains.

Biases of keys are left out of the weights. They add one number to all scores of a query (nearly one, if positions are
rotary), which softmax ignores: their gradients are rounding errors, which Adam divides by their own size.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

import settings as settings_file
import train
from general import read_safetensors

TASKS = {
    "recall": {"vocab": 17, "length": 16, "pairs": [1, 4], "tests": [[16, 4], [24, 5]]},
    "copying": {"letters": 5, "lengths": [1, 6], "tests": [6, 9]},
    "parity": {"kind": "tracking", "group": "z2", "length": 9, "tests": [9, 12]},
    "s5": {"kind": "tracking", "group": "s5", "length": 6, "tests": [6, 8]},
    "needle": {"keys": 3, "values": 4, "fillers": 5, "questions": 2, "lengths": [12, 20], "tests": [16]},
    "text": {"characters": 4000, "length": 24},
}
FEATURES = [{"slot": 1, "coefficients": [1.0, 0.1, -0.01]}]
MODELS = {
    "recall": {"heads": 4, "head_dim": 3, "bias": True},
    "copying": {"heads": 2, "head_dim": 5, "norm": "layer", "activation": "swiglu", "temperature": True},
    "parity": {"norm": "none", "activation": "relu", "positions": {"kind": "learned", "context": 24}, "bias": True},
    "s5": {"head_product": True, "activation": "gated_relu", "positions": {"kind": "polynomial", "features": FEATURES}},
    "needle": {"heads": 3, "head_dim": 4, "positions": {"kind": "rotary", "spread": "pairs"}, "norm": "layer"},
    "text": {"tied_embeddings": True, "positions": {"kind": "sinusoidal"}, "temperature": True, "layers": 3},
}
TOLERANCES = {"float64": 1e-12, "float32": 1e-4}


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(entry)}" for key, entry in value.items()) + " }"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


def measured(folder):
    """The numbers of curve.csv and of the tests."""
    for line in (folder / "curve.csv").read_text().splitlines()[1:]:
        yield from (float(entry) for entry in line.split(",") if entry)
    for test in json.loads((folder / "result.json").read_text())["tests"]:
        yield from (test["loss"], test["accuracy"], test["exact"], *test["by_position"])


def weights(folder):
    """The numbers of all tensors but biases of keys."""
    for name, tensor in sorted(read_safetensors(folder / "model.safetensors").items()):
        if name.endswith("in_proj_bias"):
            queries, _, values = tensor.chunk(3)
            tensor = torch.cat([queries, values])
        yield from tensor.flatten().tolist()


def greatest_difference(a, b):
    a, b = list(a), list(b)
    if len(a) != len(b):
        sys.exit("the folders have other numbers of numbers")
    return max(abs(x - y) / max(abs(x), 1) for x, y in zip(a, b))


def compare(program, name, dtype, steps, folder):
    """The greatest differences of the two runs: of what was measured, and of weights."""
    model = {"d_model": 12, "heads": 4, "head_dim": 2, "dtype": dtype, **MODELS[name]}
    training = {"steps": steps, "batch": 6, "learning_rate": 0.003, "warmup": steps // 3, "record": 1}
    tables = {"training": training, "evaluation": {"every": 5, "sequences": 40}, "model": model}
    tables["task"] = {"kind": name, **TASKS[name]}
    lines = ["seed = 7"]
    for table, entries in tables.items():
        lines += [f"[{table}]", *(f"{key} = {toml(entry)}" for key, entry in entries.items())]
    file = folder / "settings.toml"
    file.write_text("\n".join(lines) + "\n")
    theirs, own = folder / "rust", folder / "pytorch"
    command = [program, "run", str(file), "--out", str(theirs)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    train.run(settings_file.read(file), own, False, "cpu", say=lambda _: None)
    for same in ("config.json", "tokenizer.json", "generation_config.json"):
        if json.loads((theirs / same).read_text()) != json.loads((own / same).read_text()):
            sys.exit(f"{name}: {same} differs")
    results = [json.loads((of / "result.json").read_text()) for of in (theirs, own)]
    if any(results[0][key] != results[1][key] for key in ("settings", "parameters", "cost")):
        sys.exit(f"{name}: settings, parameters or cost of result.json differ")
    shapes = [
        {name: (tensor.dtype, tensor.shape) for name, tensor in read_safetensors(of / "model.safetensors").items()}
        for of in (theirs, own)
    ]
    if shapes[0] != shapes[1]:
        sys.exit(f"{name}: model.safetensors has other tensors")
    return [greatest_difference(of(theirs), of(own)) for of in (measured, weights)]


def main():
    parser = argparse.ArgumentParser(description="Compares train.py with weightware-train.")
    parser.add_argument("weightware_train", help="the program")
    parser.add_argument("--steps", type=int, default=30, metavar="N", help="steps of each run (30)")
    arguments = parser.parse_args()
    passed = True
    for dtype, tolerance in TOLERANCES.items():
        for name in TASKS:
            with tempfile.TemporaryDirectory() as folder:
                worst = compare(arguments.weightware_train, name, dtype, arguments.steps, Path(folder))
            passed = passed and all(difference <= tolerance for difference in worst)
            print(f"{dtype} {name}: losses, norms and tests {worst[0]:.1e}, weights {worst[1]:.1e}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
