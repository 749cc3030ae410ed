"""The adders in the form that AdderBoard's verify.py loads. Needs PyTorch (1.13 or 2.x).

    cargo xtask demo adder --out target/adders
    ADDER=target/adders/rows python3 verify.py examples/adderboard/adder.py

verify.py is from https://github.com/anadim/AdderBoard.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pytorch"))
import forward  # noqa: E402

DIGITS = 10


def build_model():
    folder = forward.Folder(Path(os.environ.get("ADDER", "target/adders/columns")))
    layers = len(folder.net.ff_in)
    metadata = {
        "name": f"weightware adder, {layers} layer(s)",
        "author": "weightware",
        "params": sum(weights.numel() for weights in folder.net.parameters()),
        "architecture": f"{layers}L, d={forward.D_MODEL}, heads of 2, gated ReLU, float64",
        "tricks": ["hand-compiled", "positions t and t^2", "saturated softmax"],
    }
    return folder, metadata


def digits(number):
    """The lowest first."""
    return [number // 10**i % 10 for i in range(DIGITS)]


def prompt(layers, a, b):
    """The fixed formats of crates/compiler/src/adder.rs: columns for one layer, rows for two."""
    if layers == 1:
        pairs = zip([0, *digits(a), 0], [0, *digits(b), 0])
        return [digit for pair in pairs for digit in pair]
    return [0, *digits(a), 0, *digits(b), *[0] * (DIGITS + 2)]


def generate(folder, tokens, count):
    """Greedy decoding of any model."""
    length = len(tokens)
    for _ in range(count):
        tokens = [*tokens, int(folder.logits(tokens)[-1].argmax())]
    return tokens[length:]


def add(folder, a, b):
    tokens = [folder.ids[str(digit)] for digit in prompt(len(folder.net.ff_in), a, b)]
    said = generate(folder, tokens, DIGITS + 1)
    return sum(int(folder.strings[token]) * 10**i for i, token in enumerate(said))
