"""The general transformer in plain PyTorch (1.13 or 2.x). The README of crates/model has its formulas.

    x = tok[idx] + positions(t)
    for each layer:
        x = x + out_proj softmax(scale * temperature * q k^T + mask) v        q, k, v = in_proj norm1(x)
        x = x + ff_out act(ff_in norm2(x))
    logits = head norm(x)
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

DTYPES = {"float32": torch.float32, "float64": torch.float64}
CHOICES = {"architecture": ["transformer"], "dtype": DTYPES, "norm": ["none", "layer", "rms"]}
CHOICES["activation"] = ["relu", "gelu", "gated_relu", "swiglu"]
CONFIG_KEYS = """architecture layers d_model heads head_dim d_ffn vocab dtype norm norm_epsilon activation bias
    positions tied_embeddings score_scale temperature head_product context""".split()
DEFAULTS = {"norm_epsilon": 1e-5, "score_scale": None, "temperature": False, "head_product": False, "context": None}
POSITIONS = {"none": {}, "learned": {"context": None}, "sinusoidal": {"base": 1e4}, "polynomial": {"features": None}}
POSITIONS["rotary"] = {"base": 1e4, "spread": "pairs"}


def with_defaults(c):
    """The configuration with all keys. An unknown key is an error: it may stand for what is not computed here."""
    wrong = [key for key, choices in CHOICES.items() if c.get(key) not in choices]
    kind = c.get("positions", {}).get("kind")
    positions = POSITIONS.get(kind)
    if wrong or positions is None:
        unknown = ", ".join(wrong) or "kind of positions"
        raise ValueError(f"config.json: unknown {unknown}; forward.py runs plain executors")
    missing_or_unknown = set(CONFIG_KEYS) ^ c.keys()
    odd = {key for key in missing_or_unknown if key not in DEFAULTS}
    odd |= c["positions"].keys() - positions.keys() - {"kind"}
    if odd:
        raise ValueError(f"config.json: unknown or missing keys {sorted(odd)}")
    return {**DEFAULTS, **c, "positions": {"kind": kind, **positions, **c["positions"]}}


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
        if self.kind == "layer":
            return F.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.epsilon)
        return x if self.kind == "none" else x * (x * x).mean(-1, keepdim=True).add(self.epsilon).rsqrt() * self.weight


def causal_softmax(q, k, v):
    """softmax(q k^T + mask) v. Stock PyTorch 2 divides scores by sqrt(head_dim), which is undone before."""
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q * math.sqrt(q.shape[-1]), k, v, is_causal=True)
    T = q.shape[-2]
    future = torch.ones(T, T, device=q.device, dtype=torch.bool).triu(diagonal=1)
    return (q @ k.transpose(-1, -2)).masked_fill(future, float("-inf")).softmax(-1) @ v


class Attention(nn.Module):
    """The parameters of `nn.MultiheadAttention`, but heads * head_dim need not be d_model."""

    def __init__(self, c):
        super().__init__()
        self.heads, self.dim, width = c["heads"], c["head_dim"], c["heads"] * c["head_dim"]
        self.scale = 1 / math.sqrt(self.dim) if c["score_scale"] is None else c["score_scale"]
        self.product = c["head_product"]
        self.in_proj_weight = nn.Parameter(torch.zeros(3 * width, c["d_model"]))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width)) if c["bias"] else None
        self.temperature = nn.Parameter(torch.ones(self.heads)) if c["temperature"] else None
        self.out_proj = nn.Linear(width, c["d_model"], bias=c["bias"])

    def forward(self, x, turn):
        B, T, _ = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = (part.view(B, T, self.heads, self.dim).transpose(1, 2) for part in qkv.chunk(3, dim=-1))
        q, k = turn(q) * self.scale, turn(k)
        if self.temperature is not None:
            q = q * self.temperature.view(-1, 1, 1)
        y = causal_softmax(q, k, v)
        if self.product:
            first, second = y[:, 0::2], y[:, 1::2]
            y = torch.stack([first, first * second], dim=2).flatten(1, 2)
        return self.out_proj(y.transpose(1, 2).reshape(B, T, -1))


class Transformer(nn.Module):
    """The network of a configuration; the names of parameters are those of model.safetensors."""

    def __init__(self, config):
        super().__init__()
        self.c = c = with_defaults(config)
        d, layers = c["d_model"], c["layers"]  # a d_ffn of another length finds no tensors
        d_ffn = c["d_ffn"] if isinstance(c["d_ffn"], list) else [c["d_ffn"]] * layers
        rows = 2 if c["activation"] in ("gated_relu", "swiglu") else 1
        norm = lambda: Norm(c["norm"], d, c["norm_epsilon"])
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
        self.to(DTYPES[c["dtype"]])
        self.tables = {}

    def kept(self, name, T, compute):
        """A table of T positions in the format and on the device of the weights, computed again if one changes."""
        weight = self.tok.weight
        key = T, weight.dtype, weight.device
        if self.tables.get(name, (None,))[0] != key:
            self.tables[name] = key, compute().to(weight)
        return self.tables[name][1]

    def position_vectors(self, T):
        """[T, d_model], added to the embedding. Angles and polynomials are computed in 64 bits and rounded once."""
        positions = self.c["positions"]
        if positions["kind"] != "learned":
            return self.kept("vectors", T, lambda: self.fixed_vectors(T))
        if T > positions["context"]:
            raise ValueError(f"{T} tokens, but there are learned positions for {positions['context']}")
        return self.positions.weight[:T]

    def fixed_vectors(self, T):
        positions, d = self.c["positions"], self.c["d_model"]
        t = torch.arange(T, dtype=torch.float64)
        vectors = torch.zeros(T, d, dtype=torch.float64)
        if positions["kind"] == "sinusoidal":
            slots = torch.arange(d)
            angles = t[:, None] * positions["base"] ** (-(slots // 2 * 2).double() / d)
            vectors = torch.where(slots % 2 == 0, angles.sin(), angles.cos())
        if positions["kind"] == "polynomial":
            for feature in positions["features"]:
                c0, c1, c2 = feature["coefficients"]
                vectors[:, feature["slot"]] = c0 + t * (c1 + c2 * t)
        return vectors

    def waves(self, T):
        """Cosines and sines of rotary positions, [2, heads, T, pairs]."""
        positions, heads, pairs = self.c["positions"], self.c["heads"], self.c["head_dim"] // 2
        p = torch.arange(pairs, dtype=torch.float64).expand(heads, pairs)
        h = torch.arange(heads, dtype=torch.float64)[:, None]
        exponents = (h * pairs + p) / (heads * pairs) if positions["spread"] == "heads" else p / pairs
        t = torch.arange(T, dtype=torch.float64)[:, None]
        angles = t * (positions["base"] ** -exponents)[:, None, :]
        return torch.stack([angles.cos(), angles.sin()])

    def rotation(self, T):
        """The function that turns queries or keys, [B, heads, T, head_dim], by rotary positions."""
        if self.c["positions"]["kind"] != "rotary":
            return lambda x: x
        cos, sin = self.kept("waves", T, lambda: self.waves(T))
        turning = 2 * cos.shape[-1]  # the last coordinate of an odd dimension stays

        def turn(x):
            a, b = x[..., 0:turning:2], x[..., 1:turning:2]
            turned = torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)
            return torch.cat([turned, x[..., turning:]], dim=-1)

        return turn

    def activate(self, hidden):
        kind = self.c["activation"]
        if kind in ("relu", "gelu"):
            return F.relu(hidden) if kind == "relu" else F.gelu(hidden)
        gate, value = hidden.chunk(2, dim=-1)
        return (F.silu(gate) if kind == "swiglu" else F.relu(gate)) * value

    def forward(self, idx, rows=None):
        """Logits: [B, T, vocab], or [len(rows), vocab] of some rows of the [B * T] tokens."""
        x = self.tok(idx) + self.position_vectors(idx.shape[1])
        turn = self.rotation(idx.shape[1])
        for norm1, attn, norm2, ff_in, ff_out in zip(self.norm1, self.attn, self.norm2, self.ff_in, self.ff_out):
            x = x + attn(norm1(x), turn)
            x = x + ff_out(self.activate(ff_in(norm2(x))))
        if rows is not None:
            x = x.flatten(0, 1)[rows]
        return F.linear(self.norm(x), self.tok.weight if self.c["tied_embeddings"] else self.head.weight)
