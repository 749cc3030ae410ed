"""The settings of a run: the TOML file of weightware-train, with its keys and its defaults."""

import json
import re
from pathlib import Path

TRAINING = {"steps": None, "batch": None, "learning_rate": None, "warmup": 50, "floor": 0.1, "weight_decay": 0.1}
TRAINING.update({"beta1": 0.9, "beta2": 0.98, "epsilon": 1e-8, "clip": 1.0, "record": 20, "checkpoint": 500})
EVALUATION = {"sequences": 256, "batch": 32, "every": 0}
SAMPLE = {"characters": None, "temperature": 0.7, "prompt": "\n", "texts": 1}
TASKS = {
    "recall": {"vocab": None, "length": None, "pairs": None, "tests": None},
    "copying": {"letters": None, "lengths": None, "tests": None},
    "tracking": {"group": None, "length": None, "tests": None},
    "needle": dict.fromkeys(["keys", "values", "fillers", "questions", "lengths", "tests"]),
    "text": {"length": None, "characters": 300_000},
}
MODEL = {"architecture": "transformer", "layers": 2, "d_model": 64, "heads": 32, "head_dim": 2, "dtype": "float32"}
MODEL.update({"norm": "rms", "activation": "gelu", "bias": False, "tied_embeddings": False})
MODEL["positions"] = {"kind": "rotary", "base": 10000.0, "spread": "heads"}


def read(path, text=None):
    """The settings in a file, all defaults stated; `text` replaces the file of the task `text`."""
    try:
        import tomllib  # since Python 3.11

        settings = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except ImportError:
        settings = parse(Path(path).read_text(encoding="utf-8"))
    given = settings.get("task", {})
    kind = given.get("kind")
    if kind not in TASKS:
        raise ValueError(f"{path}: task.kind is {kind!r}, must be one of {', '.join(TASKS)}")
    if text is not None and kind != "text":
        raise ValueError("--text: the task reads no text")
    if text is not None:
        given["text"] = str(text)
    optional = {"text"} if kind == "text" else set()
    complete = {
        "seed": settings.get("seed", 0),
        "training": filled(path, "training", TRAINING, settings.get("training", {})),
        "evaluation": filled(path, "evaluation", EVALUATION, settings.get("evaluation", {})),
        "task": filled(path, "task", {"kind": kind, **TASKS[kind]}, given, optional),
        "model": settings.get("model", {}),
    }
    if "sample" in settings:
        complete["sample"] = filled(path, "sample", SAMPLE, settings["sample"])
    odd = settings.keys() - complete.keys() - {"sample"}
    positive = [("training", key) for key in ("steps", "batch", "learning_rate", "clip", "record", "checkpoint")]
    positive += [("evaluation", "sequences"), ("evaluation", "batch")]
    for table, key in positive:
        if not complete[table][key] > 0:
            raise ValueError(f"{path}: {table}.{key} is {complete[table][key]}, must be positive")
    if odd:
        raise ValueError(f"{path}: unknown {', '.join(sorted(odd))}")
    return complete


def filled(path, name, defaults, given, optional=frozenset()):
    odd = given.keys() - defaults.keys() - optional
    missing = [key for key, default in defaults.items() if default is None and key not in given]
    if odd or missing:
        raise ValueError(f"{path}: [{name}] has unknown keys {sorted(odd)}, misses {missing}")
    return {**defaults, **given}


def model_config(settings, vocab, context):
    """config.json: the defaults, then [model]; vocab and context are the task's."""
    c = {**MODEL, **settings["model"], "vocab": vocab, "context": context}
    gated = c["activation"] in ("gated_relu", "swiglu")
    c.setdefault("d_ffn", c["d_model"] * 8 // 3 if gated else c["d_model"] * 4)
    return c


# A string, a number, a bare word, white space with comments, or a sign of its own.
TOKEN = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|'[^'\n]*')|([+-]?\d[\w.+-]*)|([A-Za-z_][\w-]*)|((?:[ \t\r]|\#.*)+)|(.|\n)"""
)


def parse(text):
    """The part of TOML that settings use, for Python before 3.11: every statement becomes a line of JSON."""
    root, statement, depth = {}, [], 0
    table = root
    for string, number, word, space, sign in TOKEN.findall(text + "\n"):
        depth += (sign in ("[", "{")) - (sign in ("]", "}")) if sign else 0
        if sign == "\n" and depth == 0 and statement:
            if statement[0] == "[":
                table = root
                for name in "".join(statement[1:-1]).split("."):
                    table = table.setdefault(json.loads(name if name[0] == '"' else f'"{name}"'), {})
            else:
                table.update(json.loads("{" + "".join(statement) + "}"))
            statement = []
        elif string:
            statement.append(json.dumps(string[1:-1]) if string[0] == "'" else string)
        elif number:
            statement.append(number.replace("_", "").lstrip("+"))
        elif word:
            statement.append(word if word in ("true", "false") else f'"{word}"')
        elif sign and sign != "\n":
            if sign in ("]", "}") and statement[-1:] == [","]:
                statement.pop()  # JSON allows no comma there
            statement.append(":" if sign == "=" else sign)
    return root
