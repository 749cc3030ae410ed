#!/usr/bin/env python3
"""Trains a general transformer by the settings of weightware-train, in stock PyTorch, on a GPU if there is one.

    python3 train.py SETTINGS.toml --out DIR [--resume] [--text FILE] [--device DEVICE]

It is a twin of crates/train: the same settings, tasks, initial weights, batches and schedule, but PyTorch's gradients
and torch.optim.AdamW. The folder has the model (config.json, model.safetensors, tokenizer.json,
generation_config.json), curve.csv and result.json, all in the Rust crate's formats, and checkpoint.pt. Interrupt it
once, and it stops after a step; --resume goes on from there.
"""

import argparse
import array
import json
import math
import os
import signal
import struct
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

import settings as settings_file
import tasks
from splitmix import BATCH, TEST, WEIGHTS, Random
from transformer import CONFIG_KEYS, Transformer

EMBEDDINGS = ("tok.weight", "head.weight", "positions.weight")


def ordered(net):
    """(name, parameter) in the order of the Rust crate's table, which numbers the generators of initial weights."""
    parts = ["norm1.{}.", "attn.{}.in_proj_", "attn.{}.temperature", "attn.{}.out_proj."]
    parts += ["norm2.{}.", "ff_in.{}.", "ff_out.{}."]
    prefixes = ["tok.", "positions."] + [part.format(i) for i in range(net.c["layers"]) for part in parts]
    prefixes += ["norm.", "head."]
    parameters = dict(net.named_parameters())
    names = [prefix + end for prefix in prefixes for end in ("weight", "bias", "")]
    return [(name, parameters[name]) for name in names if name in parameters]


def initialise(net, seed):
    """Embeddings N(0, 1), unembedding and tied embeddings N(0, 0.02^2), maps N(0, 1 / in), those that write to the
    residual stream N(0, 1 / (in * 2 * layers)), norms and temperatures 1, biases 0."""
    for index, (name, parameter) in enumerate(ordered(net)):
        if name.endswith("bias"):
            torch.nn.init.zeros_(parameter)
        elif parameter.dim() == 1:
            torch.nn.init.ones_(parameter)
        else:
            writes = "out_proj" in name or "ff_out" in name
            deviation = 1 / math.sqrt(parameter.shape[1] * (2 * net.c["layers"] if writes else 1))
            if name in EMBEDDINGS:
                deviation = 1 if name == "tok.weight" and not net.c["tied_embeddings"] else 0.02
            normals = Random(seed, WEIGHTS, index).normals(parameter.numel())
            parameter.data.copy_((deviation * normals).view_as(parameter))


def adamw(net, training):
    """Weight decay is for matrices of linear maps only."""
    is_map = lambda name, parameter: parameter.dim() == 2 and name not in EMBEDDINGS
    maps = [parameter for name, parameter in ordered(net) if is_map(name, parameter)]
    others = [parameter for name, parameter in ordered(net) if not is_map(name, parameter)]
    groups = [{"params": maps, "weight_decay": training["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, betas=(training["beta1"], training["beta2"]), eps=training["epsilon"])


def learning_rate(training, step):
    """Linear warm-up, then cosine decay to the floor."""
    peak, warmup, floor = training["learning_rate"], training["warmup"], training["floor"]
    if step < warmup:
        return peak * (step + 1) / warmup
    done = min((step - warmup) / max(training["steps"] - warmup, 1), 1)
    return peak * (floor + (1 - floor) * (1 + math.cos(math.pi * done)) / 2)


def logits_and_targets(net, batch):
    """Logits of the supervised rows, [rows, vocab], and their targets."""
    device = net.tok.weight.device
    rows = slice(None) if batch.rows is None else torch.tensor(batch.rows, device=device)
    return net(torch.tensor(batch.tokens, device=device), rows), torch.tensor(batch.targets, device=device)


def advance(net, optimiser, task, settings, step):
    """One step; its loss, and the norm of the gradients before clipping."""
    training = settings["training"]
    batch = task.train(Random(settings["seed"], BATCH, step), training["batch"])
    optimiser.zero_grad()
    loss = F.cross_entropy(*logits_and_targets(net, batch))
    loss.backward()
    gradients = [p.grad for p in net.parameters() if p.grad is not None]
    norm = math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients))
    loss = float(loss.detach())
    if not math.isfinite(loss):
        raise ValueError(f"step {step}: the loss is {loss}, use a lower training.learning_rate")
    for gradient in gradients if norm > training["clip"] else []:
        gradient.mul_(training["clip"] / norm)
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(training, step)
    optimiser.step()
    return loss, norm


@torch.no_grad()
def evaluate(net, task, number, evaluation):
    """Loss and accuracy of a test, which is the same for all runs and seeds."""
    sequences, loss, exact, right = 0, 0.0, 0, 0
    while sequences < evaluation["sequences"]:
        count = min(evaluation["batch"], evaluation["sequences"] - sequences)
        batch = task.test(number, sequences, Random(number, TEST, sequences), count)
        if not batch.tokens:
            break
        logits, targets = logits_and_targets(net, batch)
        loss += float(F.cross_entropy(logits.double(), targets, reduction="sum"))
        is_right = (logits.argmax(-1) == targets).view(len(batch.tokens), -1)
        exact += int(is_right.all(dim=1).sum())
        right = right + is_right.sum(dim=0).cpu()
        sequences += len(batch.tokens)
    tokens = max(sequences * len(right), 1)
    result = {"name": task.tests[number], "sequences": sequences, "loss": loss / tokens}
    result.update({"accuracy": int(right.sum()) / tokens, "exact": exact / sequences})
    return {**result, "by_position": [r / sequences for r in right.tolist()]}


def cost(net, task, training):
    """Operations of a step of batches of the greatest length, as crates/train/src/cost.rs counts them."""
    c, T = net.c, task.context
    batch = task.train(Random(0, BATCH, 0), 1)
    supervised = len(batch.targets) / len(batch.tokens[0]) * T
    maps = sum(p.numel() for name, p in ordered(net) if p.dim() == 2 and name not in EMBEDDINGS)
    pairs = c["layers"] * T * (T + 1) / 2
    linear = 6.0 * training["batch"] * (T * maps + supervised * c["d_model"] * c["vocab"])
    attention = 12.0 * training["batch"] * pairs * c["heads"] * c["head_dim"]
    exponentials = training["batch"] * pairs * c["heads"]
    run = training["steps"] * (linear + attention)
    return {"linear": linear, "attention": attention, "exponentials": exponentials, "run": run}


@torch.no_grad()
def sample(net, task, wanted):
    """Continues the prompt, by a seed for each text."""
    ids = {string: id for id, string in enumerate(task.vocab)}
    unknown = [string for string in wanted["prompt"] if string not in ids]
    if unknown or not wanted["prompt"]:
        raise ValueError(f"[sample]: the prompt must be of characters that the text has, {unknown} are not")
    texts, longest = [], net.c["positions"].get("context")
    for seed in range(wanted["texts"]):
        random = torch.Generator().manual_seed(seed)
        tokens = [ids[string] for string in wanted["prompt"]]
        for _ in range(wanted["characters"]):
            if longest is not None and len(tokens) >= longest:
                break
            logits = net(torch.tensor([tokens], device=net.tok.weight.device))[0, -1].double().cpu()
            if wanted["temperature"] == 0:
                tokens.append(int(logits.argmax()))
            else:
                weights = (logits / wanted["temperature"]).softmax(-1)
                tokens.append(int(torch.multinomial(weights, 1, generator=random)))
        texts.append("".join(task.vocab[token] for token in tokens))
    return "\n----\n".join(texts)


def replace(path, content):
    """Writes a file whole: under another name, then renamed."""
    new = Path(f"{path}.new")
    new.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    os.replace(new, path)


def write_json(path, value):
    replace(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_safetensors(path, tensors):
    """The format: header length (8 bytes), JSON header, data; all numbers little-endian."""
    header, parts, begin = {"__metadata__": {"format": "pt"}}, [], 0
    for name, tensor in sorted(tensors.items()):
        kind, code = ("F64", "d") if tensor.dtype == torch.float64 else ("F32", "f")
        numbers = array.array(code, tensor.detach().cpu().flatten().tolist())
        if sys.byteorder == "big":
            numbers.byteswap()
        parts.append(numbers.tobytes())
        end = begin + len(parts[-1])
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    replace(path, b"".join([struct.pack("<Q", len(text)), text, *parts]))


def export(net, task, out):
    """The four files of the model."""
    out.mkdir(parents=True, exist_ok=True)
    config = {**net.c, "score_scale": net.attn[0].scale}
    write_json(out / "config.json", {key: config[key] for key in CONFIG_KEYS})
    write_safetensors(out / "model.safetensors", dict(net.named_parameters()))
    split = {"type": "Split", "pattern": {"Regex": "(?s:.)"}, "behavior": "Isolated", "invert": False}
    model = {"type": "WordLevel", "vocab": {string: id for id, string in enumerate(task.vocab)}, "unk_token": "<unk>"}
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None}
    tokenizer["pre_tokenizer"] = {"type": "WhitespaceSplit"} if task.words else split
    tokenizer.update({"post_processor": None, "decoder": None if task.words else {"type": "Fuse"}, "model": model})
    write_json(out / "tokenizer.json", tokenizer)
    write_json(out / "generation_config.json", {"eos_token_id": [], "do_sample": False, "num_beams": 1})


def save(out, net, optimiser, state):
    path = out / "checkpoint.pt"
    torch.save({**state, "net": net.state_dict(), "optimiser": optimiser.state_dict()}, f"{path}.new")
    os.replace(f"{path}.new", path)
    rows = [",".join("" if entry is None else repr(entry) for entry in row) for row in state["curve"]]
    replace(out / "curve.csv", "\n".join(["step,loss,gradient_norm,test_loss,test_accuracy", *rows]) + "\n")


def run(settings, out, resume, device, say=lambda line: print(line, file=sys.stderr)):
    """Trains to the end or to an interrupt; the result, or None."""
    training, evaluation = settings["training"], settings["evaluation"]
    task = tasks.KINDS[settings["task"]["kind"]](**{k: v for k, v in settings["task"].items() if k != "kind"})
    net = Transformer(settings_file.model_config(settings, len(task.vocab), task.context))
    initialise(net, settings["seed"])
    net.to(device)
    optimiser = adamw(net, training)
    state = {"settings": json.dumps(settings, sort_keys=True), "step": 0, "seconds": 0.0, "curve": []}
    state.update({"losses": 0.0, "norms": 0.0})
    if (out / "checkpoint.pt").exists():
        if not resume:
            raise ValueError(f"{out} has a checkpoint: --resume goes on from there, or use another folder")
        saved = torch.load(out / "checkpoint.pt", map_location=device)
        if saved["settings"] != state["settings"]:
            raise ValueError(f"{out}/checkpoint.pt was written with other settings: delete the folder to begin again")
        net.load_state_dict(saved.pop("net"))
        optimiser.load_state_dict(saved.pop("optimiser"))
        state = saved
    out.mkdir(parents=True, exist_ok=True)

    interrupts = []
    handler = signal.signal(signal.SIGINT, lambda *_: interrupts.append(0) if not interrupts else sys.exit(130))
    start = time.monotonic() - state["seconds"]
    while state["step"] < training["steps"] and not interrupts:
        loss, norm = advance(net, optimiser, task, settings, state["step"])
        state["step"] += 1
        state["losses"] += loss
        state["norms"] += norm
        step = state["step"]
        if step % training["record"] == 0 or step == training["steps"]:
            since = step - (state["curve"][-1][0] if state["curve"] else 0)
            row = [step, state["losses"] / since, state["norms"] / since, None, None]
            if evaluation["every"] and step % evaluation["every"] == 0:
                test = evaluate(net, task, 0, evaluation)
                row[3:] = test["loss"], test["accuracy"]
            state["curve"].append(row)
            state["losses"] = state["norms"] = 0.0
            say(f"step {step}/{training['steps']}, loss {row[1]:.4f}")
        if step % training["checkpoint"] == 0 and step < training["steps"]:
            state["seconds"] = time.monotonic() - start
            save(out, net, optimiser, state)
    signal.signal(signal.SIGINT, handler)
    state["seconds"] = time.monotonic() - start
    save(out, net, optimiser, state)
    if state["step"] < training["steps"]:
        return None

    export(net, task, out)
    if "sample" in settings:
        replace(out / "sample.txt", sample(net, task, settings["sample"]))
    result = {"settings": settings, "parameters": sum(p.numel() for p in net.parameters())}
    result.update({"cost": cost(net, task, training), "seconds": 0.0, "loss": state["curve"][-1][1]})
    result["tests"] = [evaluate(net, task, number, evaluation) for number in range(len(task.tests))]
    result["seconds"] = time.monotonic() - start
    result["device"] = torch.cuda.get_device_name() if device == "cuda" else device
    result["pytorch"] = torch.__version__
    write_json(out / "result.json", result)
    return result


def main():
    parser = argparse.ArgumentParser(description="Trains a general transformer by the settings of weightware-train.")
    parser.add_argument("settings", type=Path)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the results")
    parser.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint, if there is one")
    parser.add_argument("--text", type=Path, metavar="FILE", help="the text of the task `text`")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    try:
        settings = settings_file.read(arguments.settings, arguments.text)
        result = run(settings, arguments.out, arguments.resume, arguments.device)
    except (OSError, ValueError) as error:
        sys.exit(f"train.py: {error}")
    if result is None:
        print("train.py: stopped; --resume goes on from there", file=sys.stderr)
        return 130
    print(f"{result['parameters']} parameters, {result['seconds']:.1f} s, loss {result['loss']:.4f}")
    for test in result["tests"]:
        numbers = ", ".join(f"{key} {test[key]:.4f}" for key in ("loss", "accuracy", "exact"))
        print(f"{test['name']}: {test['sequences']} sequences, {numbers}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
