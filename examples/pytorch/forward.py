#!/usr/bin/env python3
"""Runs an exported model folder as the plain PyTorch transformer that it is.

    python3 forward.py MODEL_DIR greedy --prompt FILE [--max N]
    python3 forward.py MODEL_DIR check --tokens FILE --prompt-length N

Token files are text: token strings separated by white space. Needs PyTorch (1.13 or 2.x) and nothing else.
"""

import argparse
import json
import struct
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)

POSITION_FEATURES = {}  # slot: (c0, c1, c2), from config.json
D_MODEL = 0


def pos_emb(T):
    """In each feature's slot its polynomial by Horner's rule, zero elsewhere."""
    t = torch.arange(T, dtype=torch.float64)
    embedding = torch.zeros(T, D_MODEL)
    for slot, (c0, c1, c2) in POSITION_FEATURES.items():
        embedding[:, slot] = c0 + t * (c1 + c2 * t)
    return embedding


class VanillaTransformer(nn.Module):
    def __init__(self, vocab, d_model=36, n_heads=18, n_layers=7, d_ffn=36):
        super().__init__()
        self.tok = nn.Embedding(vocab, d_model)
        self.attn = nn.ModuleList([
            nn.MultiheadAttention(d_model, n_heads, batch_first=True, bias=False)
            for _ in range(n_layers)
        ])
        # One number of neurons for all layers, or a list with one for each.
        d_ffn = d_ffn if isinstance(d_ffn, list) else [d_ffn] * n_layers
        self.ff_in = nn.ModuleList([nn.Linear(d_model, 2*n, bias=False) for n in d_ffn])
        self.ff_out = nn.ModuleList([nn.Linear(n, d_model, bias=False) for n in d_ffn])
        self.head = nn.Linear(d_model, vocab, bias=False)

    def forward(self, idx):
        T = idx.shape[1]
        x = self.tok(idx) + pos_emb(T)
        causal = torch.triu(torch.ones(T, T, device=idx.device, dtype=torch.bool), diagonal=1)
        for attn, ff_in, ff_out in zip(self.attn, self.ff_in, self.ff_out):
            y, _ = attn(x, x, x, attn_mask=causal, need_weights=False)
            x = x + y
            gate, val = ff_in(x).chunk(2, dim=-1)
            x = x + ff_out(F.relu(gate) * val)
        return self.head(x)


def read_safetensors(path):
    """Name to tensor. The format: header length (8 bytes), JSON header, data."""
    data = bytearray(path.read_bytes())
    (length,) = struct.unpack_from("<Q", data)
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        if entry["dtype"] != "F64":
            sys.exit(f"{path}: tensor {name} is {entry['dtype']}, not F64")
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        # A copy of its own, so that the storage is aligned.
        tensors[name] = torch.frombuffer(data[begin:end], dtype=torch.float64).reshape(entry["shape"])
    return tensors


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


class Folder:
    """The network with its weights, the token strings, the end tokens."""

    def __init__(self, path):
        global POSITION_FEATURES, D_MODEL
        config = read_json(path / "config.json")
        D_MODEL = config["d_model"]
        POSITION_FEATURES = {f["slot"]: f["coefficients"] for f in config["position_features"]}
        self.last_position = config["last_position"]
        self.net = VanillaTransformer(
            config["vocab"], D_MODEL, config["heads"], config["layers"], config["d_ffn"]
        )
        self.net.load_state_dict(read_safetensors(path / "model.safetensors"), strict=True)
        self.net.eval()
        self.ids = read_json(path / "tokenizer.json")["model"]["vocab"]
        self.strings = {id: string for string, id in self.ids.items()}
        self.end = set(read_json(path / "generation_config.json")["eos_token_id"])

    def read_tokens(self, path):
        strings = Path(path).read_text(encoding="utf-8").split()
        unknown = [string for string in strings if string not in self.ids]
        if unknown:
            sys.exit(f"{path}: unknown token {unknown[0]!r}")
        return [self.ids[string] for string in strings]

    def note_horizon(self, tokens):
        if len(tokens) - 1 > self.last_position:
            print(f"note: the model is certified up to position {self.last_position} only", file=sys.stderr)

    def logits(self, tokens):
        """One forward pass: [T, vocab]."""
        with torch.no_grad():
            return self.net(torch.tensor([tokens]))[0]


def greedy(folder, prompt, limit):
    """Prints the generated tokens; every one costs a pass over all before it."""
    tokens = folder.read_tokens(prompt)
    if not tokens:
        sys.exit(f"{prompt}: no tokens")
    for _ in range(limit):
        tokens.append(int(folder.logits(tokens)[-1].argmax()))
        print(folder.strings[tokens[-1]], end=" ", flush=True)
        if tokens[-1] in folder.end:
            break
    print()
    folder.note_horizon(tokens)
    return 0


def check(folder, path, prompt_length):
    """Compares every generated token with the argmax after the tokens before it; 1 if one differs."""
    tokens = folder.read_tokens(path)
    if not 0 < prompt_length < len(tokens):
        sys.exit(f"{path}: {len(tokens)} tokens, so --prompt-length must be 1 to {len(tokens) - 1}")
    folder.note_horizon(tokens)
    logits = folder.logits(tokens)[prompt_length - 1 : -1]
    if not bool(torch.isfinite(logits).all()):
        sys.exit("a logit is not finite")
    said = logits.argmax(dim=-1)
    wrong = (said != torch.tensor(tokens[prompt_length:])).nonzero().flatten().tolist()
    best = logits.topk(2, dim=-1).values
    margin = float((best[:, 0] - best[:, 1]).min())
    print(f"compared {len(logits)}, mismatches {len(wrong)}, least margin {margin:g}")
    for i in wrong[:10]:
        position = prompt_length + i
        print(f"position {position}: file {folder.strings[tokens[position]]}, model {folder.strings[int(said[i])]}")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description="Runs an exported model folder as a plain PyTorch transformer.")
    parser.add_argument("model_dir", type=Path)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("greedy", help="decode greedily after a short prompt")
    command.add_argument("--prompt", required=True, metavar="FILE")
    command.add_argument("--max", type=int, default=1000, metavar="N", help="tokens to generate at most (1000)")
    command = commands.add_parser("check", help="compare a whole run in one forward pass")
    command.add_argument("--tokens", required=True, metavar="FILE", help="prompt and generated tokens")
    command.add_argument("--prompt-length", type=int, required=True, metavar="N")
    arguments = parser.parse_args()
    folder = Folder(arguments.model_dir)
    if arguments.command == "greedy":
        return greedy(folder, arguments.prompt, arguments.max)
    return check(folder, arguments.tokens, arguments.prompt_length)


if __name__ == "__main__":
    sys.exit(main())
