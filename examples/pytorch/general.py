#!/usr/bin/env python3
"""Runs a folder with a general model as the plain PyTorch transformer that it is.

    python3 general.py MODEL_DIR text --prompt TEXT [--max N]
    python3 general.py MODEL_DIR greedy --prompt FILE [--max N]
    python3 general.py MODEL_DIR check --tokens FILE --prompt-length N
    python3 general.py MODEL_DIR logits --tokens FILE

Token files are text of the model's tokens: words separated by white space, or characters. `logits`
prints a JSON list for each token. Needs PyTorch (1.13 or 2.x) and nothing else. The README of
crates/model specifies the folder.
"""

import argparse
import json
import struct
import sys
from pathlib import Path

import torch

from transformer import Transformer


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
        self.net = Transformer(read_json(path / "config.json")).eval()
        tensors = read_safetensors(path / "model.safetensors")
        if any(tensor.dtype != self.net.tok.weight.dtype for tensor in tensors.values()):
            raise ValueError("model.safetensors: a tensor is not of config.json's dtype")
        self.net.load_state_dict(tensors, strict=True)
        tokenizer = read_json(path / "tokenizer.json")
        self.words = tokenizer["pre_tokenizer"]["type"] == "WhitespaceSplit"
        self.ids = tokenizer["model"]["vocab"]
        self.strings = {id: string for string, id in self.ids.items()}
        self.end = set(read_json(path / "generation_config.json")["eos_token_id"])

    def encode(self, text, place):
        strings = text.split() if self.words else list(text)
        unknown = [string for string in strings if string not in self.ids]
        if unknown or not strings:
            raise ValueError(f"{place}: unknown token {unknown[0]!r}" if unknown else f"{place}: no tokens")
        return [self.ids[string] for string in strings]

    def read_tokens(self, path):
        return self.encode(Path(path).read_bytes().decode("utf-8"), path)

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
    if not bool(torch.isfinite(logits).all()):
        sys.exit("a logit is not finite")
    said = logits.argmax(dim=-1).tolist()
    wrong = [i for i, token in enumerate(tokens[prompt_length:]) if said[i] != token]
    best = logits.topk(2, dim=-1).values
    print(f"compared {len(logits)}, mismatches {len(wrong)}, least margin {float((best[:, 0] - best[:, 1]).min()):g}")
    for i in wrong[:10]:
        in_file = folder.strings[tokens[prompt_length + i]]
        print(f"position {prompt_length + i}: file {in_file!r}, model {folder.strings[said[i]]!r}")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description="Runs a general model folder as a plain PyTorch transformer.")
    parser.add_argument("model_dir", type=Path)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in [("text", "continue a text greedily"), ("greedy", "decode greedily after a file of tokens")]:
        command = commands.add_parser(name, help=about)
        command.add_argument("--prompt", required=True, metavar=name.upper().replace("GREEDY", "FILE"))
        command.add_argument("--max", type=int, default=200, metavar="N", help="tokens to generate at most (200)")
    command = commands.add_parser("check", help="compare a whole run in one forward pass")
    command.add_argument("--tokens", required=True, metavar="FILE", help="prompt and generated tokens")
    command.add_argument("--prompt-length", type=int, required=True, metavar="N")
    command = commands.add_parser("logits", help="print the logits after each token, a JSON list a line")
    command.add_argument("--tokens", required=True, metavar="FILE")
    arguments = parser.parse_args()
    try:
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
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main())
