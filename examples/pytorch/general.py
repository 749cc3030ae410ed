#!/usr/bin/env python3
"""Runs a folder with a general model as the plain PyTorch transformer that it is.

    python3 general.py MODEL_DIR text --prompt TEXT [--max N]
    python3 general.py MODEL_DIR greedy --prompt FILE [--max N]
    python3 general.py MODEL_DIR check --tokens FILE --prompt-length N
    python3 general.py MODEL_DIR logits --tokens FILE

Token files are text of the model's tokens: words separated by white space, or characters. `logits` prints a JSON list
for each token. Needs PyTorch (1.13 or 2.x) and nothing else. The README of crates/model specifies the folder.
"""

import argparse
import json
import math
import struct
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

DTYPES = {"float32": torch.float32, "float64": torch.float64}


class Norm(nn.Module):
    """Layer norm, RMS norm, or nothing."""

    def __init__(self, kind, width, epsilon):
        super().__init__()
        self.kind, self.epsilon = kind, epsilon
        if kind != "none":
            self.weight = nn.Parameter(torch.ones(width))
        if kind == "layer":
            self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        if self.kind == "none":
            return x
        if self.kind == "layer":
            return F.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.epsilon)
        return x / (x * x).mean(-1, keepdim=True).add(self.epsilon).sqrt() * self.weight


class Attention(nn.Module):
    """The parameters of `nn.MultiheadAttention`, but heads * head_dim need not be d_model."""

    def __init__(self, c):
        super().__init__()
        self.heads, self.dim = c["heads"], c["head_dim"]
        width = self.heads * self.dim
        scale = c.get("score_scale")
        self.scale = 1 / math.sqrt(self.dim) if scale is None else scale
        self.product = c.get("head_product", False)
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, c["d_model"]))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width)) if c["bias"] else None
        self.temperature = nn.Parameter(torch.ones(self.heads)) if c.get("temperature", False) else None
        self.out_proj = nn.Linear(width, c["d_model"], bias=c["bias"])
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, x, turn):
        B, T, _ = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = (part.view(B, T, self.heads, self.dim).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
        q, k = turn(q), turn(k)
        q = q * self.scale
        if self.temperature is not None:
            q = q * self.temperature.view(-1, 1, 1)
        scores = q @ k.transpose(-1, -2)
        causal = torch.triu(torch.ones(T, T, device=x.device, dtype=torch.bool), diagonal=1)
        y = scores.masked_fill(causal, float("-inf")).softmax(-1) @ v
        if self.product:
            first, second = y[:, 0::2], y[:, 1::2]
            y = torch.stack([first, first * second], dim=2).flatten(1, 2)
        return self.out_proj(y.transpose(1, 2).reshape(B, T, -1))


class Transformer(nn.Module):
    """The network of a configuration; the names of parameters are those of model.safetensors."""

    def __init__(self, c):
        super().__init__()
        self.c, d, layers = c, c["d_model"], c["layers"]
        d_ffn = c["d_ffn"] if isinstance(c["d_ffn"], list) else [c["d_ffn"]] * layers
        rows = 2 if c["activation"] in ("gated_relu", "swiglu") else 1
        norm = lambda: Norm(c["norm"], d, c.get("norm_epsilon", 1e-5))
        self.tok = nn.Embedding(c["vocab"], d)
        if c["positions"]["kind"] == "learned":
            self.positions = nn.Embedding(c["positions"]["context"], d)
        self.norm1 = nn.ModuleList([norm() for _ in d_ffn])
        self.attn = nn.ModuleList([Attention(c) for _ in d_ffn])
        self.norm2 = nn.ModuleList([norm() for _ in d_ffn])
        self.ff_in = nn.ModuleList([nn.Linear(d, rows * n, bias=c["bias"]) for n in d_ffn])
        self.ff_out = nn.ModuleList([nn.Linear(n, d, bias=c["bias"]) for n in d_ffn])
        self.norm = norm()
        if not c["tied_embeddings"]:
            self.head = nn.Linear(d, c["vocab"], bias=False)

    def position_vectors(self, T):
        """[T, d_model], added to the embedding."""
        kind, d = self.c["positions"], self.c["d_model"]
        t = torch.arange(T, dtype=torch.float64)
        vectors = torch.zeros(T, d, dtype=torch.float64)
        if kind["kind"] == "learned":
            return self.positions.weight[:T]
        if kind["kind"] == "sinusoidal":
            slots = torch.arange(d)
            exponents = -(slots // 2 * 2).double() / d
            angles = t[:, None] * kind.get("base", 10000.0) ** exponents
            vectors = torch.where(slots % 2 == 0, angles.sin(), angles.cos())
        if kind["kind"] == "polynomial":
            for feature in kind["features"]:
                c0, c1, c2 = feature["coefficients"]
                vectors[:, feature["slot"]] = c0 + t * (c1 + c2 * t)
        return vectors.to(self.tok.weight)

    def turn(self, x):
        """Turns queries or keys, [B, heads, T, head_dim], by rotary positions."""
        kind = self.c["positions"]
        if kind["kind"] != "rotary":
            return x
        _, heads, T, dim = x.shape
        pairs = dim // 2
        p = torch.arange(pairs, dtype=torch.float64).expand(heads, pairs)
        h = torch.arange(heads, dtype=torch.float64)[:, None]
        by_head = kind.get("spread", "pairs") == "heads"
        exponents = (h * pairs + p) / (heads * pairs) if by_head else p / pairs
        t = torch.arange(T, dtype=torch.float64)
        angles = t[None, :, None] * (kind.get("base", 10000.0) ** -exponents)[:, None, :]
        cos, sin = angles.cos().to(x), angles.sin().to(x)
        a, b = x[..., 0 : 2 * pairs : 2], x[..., 1 : 2 * pairs : 2]
        turned = torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)
        return torch.cat([turned, x[..., 2 * pairs :]], dim=-1)

    def activate(self, hidden):
        kind = self.c["activation"]
        if kind == "relu":
            return F.relu(hidden)
        if kind == "gelu":
            return F.gelu(hidden)
        gate, value = hidden.chunk(2, dim=-1)
        return (F.silu(gate) if kind == "swiglu" else F.relu(gate)) * value

    def forward(self, idx):
        x = self.tok(idx) + self.position_vectors(idx.shape[1])
        layers = zip(self.norm1, self.attn, self.norm2, self.ff_in, self.ff_out)
        for norm1, attn, norm2, ff_in, ff_out in layers:
            x = x + attn(norm1(x), self.turn)
            x = x + ff_out(self.activate(ff_in(norm2(x))))
        head = self.tok.weight if self.c["tied_embeddings"] else self.head.weight
        return F.linear(self.norm(x), head)


def read_safetensors(path):
    """Name to tensor. The format: header length (8 bytes), JSON header, data."""
    data = bytearray(path.read_bytes())
    (length,) = struct.unpack_from("<Q", data)
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            dtype = {"F32": torch.float32, "F64": torch.float64}[entry["dtype"]]
            tensors[name] = torch.frombuffer(data[begin:end], dtype=dtype).reshape(entry["shape"])
    return tensors


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


class Folder:
    """The network with its weights, the token strings, the end tokens."""

    def __init__(self, path):
        config = read_json(path / "config.json")
        if config["architecture"] != "transformer":
            sys.exit(f"{path}: not a general model; forward.py runs plain executors")
        self.net = Transformer(config).to(DTYPES[config["dtype"]])
        self.net.load_state_dict(read_safetensors(path / "model.safetensors"), strict=True)
        self.net.eval()
        tokenizer = read_json(path / "tokenizer.json")
        self.words = tokenizer["pre_tokenizer"]["type"] == "WhitespaceSplit"
        self.ids = tokenizer["model"]["vocab"]
        self.strings = {id: string for string, id in self.ids.items()}
        self.end = set(read_json(path / "generation_config.json")["eos_token_id"])

    def encode(self, text, place):
        strings = text.split() if self.words else list(text)
        unknown = [string for string in strings if string not in self.ids]
        if unknown or not strings:
            sys.exit(f"{place}: unknown token {unknown[0]!r}" if unknown else f"{place}: no tokens")
        return [self.ids[string] for string in strings]

    def read_tokens(self, path):
        return self.encode(Path(path).read_text(encoding="utf-8"), path)

    def logits(self, tokens):
        """One forward pass: [T, vocab]."""
        with torch.no_grad():
            return self.net(torch.tensor([tokens]))[0]


def greedy(folder, tokens, limit):
    """Prints the generated tokens; every one costs a pass over all before it."""
    for _ in range(limit):
        tokens.append(int(folder.logits(tokens)[-1].argmax()))
        print(folder.strings[tokens[-1]], end=" " if folder.words else "", flush=True)
        if tokens[-1] in folder.end:
            break
    print()
    return 0


def check(folder, path, prompt_length):
    """Compares every generated token with the argmax after the tokens before it; 1 if one differs."""
    tokens = folder.read_tokens(path)
    if not 0 < prompt_length < len(tokens):
        sys.exit(f"{path}: {len(tokens)} tokens, so --prompt-length must be 1 to {len(tokens) - 1}")
    logits = folder.logits(tokens)[prompt_length - 1 : -1]
    said = logits.argmax(dim=-1)
    wrong = (said != torch.tensor(tokens[prompt_length:])).nonzero().flatten().tolist()
    best = logits.topk(2, dim=-1).values
    print(f"compared {len(logits)}, mismatches {len(wrong)}, least margin {float((best[:, 0] - best[:, 1]).min()):g}")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description="Runs a general model folder as a plain PyTorch transformer.")
    parser.add_argument("model_dir", type=Path)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in [("text", "continue a text greedily"), ("greedy", "decode greedily after a file of tokens")]:
        command = commands.add_parser(name, help=about)
        command.add_argument("--prompt", required=True)
        command.add_argument("--max", type=int, default=200, metavar="N", help="tokens to generate at most (200)")
    command = commands.add_parser("check", help="compare a whole run in one forward pass")
    command.add_argument("--tokens", required=True, metavar="FILE", help="prompt and generated tokens")
    command.add_argument("--prompt-length", type=int, required=True, metavar="N")
    command = commands.add_parser("logits", help="print the logits after each token")
    command.add_argument("--tokens", required=True, metavar="FILE")
    arguments = parser.parse_args()
    folder = Folder(arguments.model_dir)
    if arguments.command == "text":
        return greedy(folder, folder.encode(arguments.prompt, "--prompt"), arguments.max)
    if arguments.command == "greedy":
        return greedy(folder, folder.read_tokens(arguments.prompt), arguments.max)
    if arguments.command == "check":
        return check(folder, arguments.tokens, arguments.prompt_length)
    for row in folder.logits(folder.read_tokens(arguments.tokens)).tolist():
        print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
