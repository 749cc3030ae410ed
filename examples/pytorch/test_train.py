"""Tests of train.py that need no other program: python3 -m unittest, in this folder."""

import json
import math
import tempfile
import unittest
from pathlib import Path

import torch

import settings
import tasks
import train
from general import Folder
from splitmix import GOLDEN, MASK, TEST, WEIGHTS, Random, mixed

SETTINGS = """
seed = 2
[task]
kind = "copying"
letters = 4
lengths = [1, 5] # trailing
tests = [
    5, 7,
]
[model]
d_model = 16
heads = 4
positions = { kind = "rotary", base = 1e3, spread = "pairs" }
[training]
steps = 12
batch = 4
learning_rate = 0.01
warmup = 3
record = 5
checkpoint = 1_000
[evaluation]
sequences = 20
"""


class Tests(unittest.TestCase):
    def test_settings_are_parsed_without_tomllib(self):
        parsed = settings.parse(SETTINGS + "[sample]\ncharacters = 3\nprompt = \"a # \\\"b,]\"\n")
        self.assertEqual(parsed["task"], {"kind": "copying", "letters": 4, "lengths": [1, 5], "tests": [5, 7]})
        self.assertEqual(parsed["model"]["positions"], {"kind": "rotary", "base": 1000.0, "spread": "pairs"})
        self.assertEqual(parsed["training"]["checkpoint"], 1000)
        self.assertEqual(parsed["sample"]["prompt"], 'a # "b,]')
        try:
            import tomllib
        except ImportError:
            return
        files = sorted((Path(__file__).parent / "../../crates/train/configs").glob("*.toml"))
        for text in [SETTINGS, *(file.read_text() for file in files)]:
            self.assertEqual(settings.parse(text), tomllib.loads(text))

    def test_normals_are_those_of_single_draws(self):
        def uniform(random):
            random.state = random.state + GOLDEN & MASK
            return (mixed(random.state) >> 11) / 2**53

        random, normals = Random(5, WEIGHTS, 3), Random(5, WEIGHTS, 3).normals(100)
        for normal in normals.tolist():
            radius = math.sqrt(-2 * math.log(1 - uniform(random)))
            self.assertAlmostEqual(normal, radius * math.cos(math.tau * uniform(random)), delta=1e-14)

    def test_products_are_those_of_s5(self):
        s5 = tasks.Tracking("s5", 4, [4])
        self.assertEqual(len({tuple(row) for row in s5.product}), 120)
        elements = tasks.permutations(5)
        for a, b in [(3, 77), (119, 1), (50, 50)]:
            product = tuple(elements[a][i] for i in elements[b])
            self.assertEqual(elements[s5.product[a][b]], product)

    def test_batches_supervise_their_answers(self):
        recall = tasks.Recall(16, 16, [1, 4], [[16, 4]])
        batch = recall.test(0, 0, Random(0, TEST, 0), 50)
        flat = [token for tokens in batch.tokens for token in tokens]
        self.assertEqual(len(batch.rows), 200)
        for row, target in zip(batch.rows, batch.targets):
            first = row // 16 * 16
            pairs = dict(zip(flat[first : first + 8 : 2], flat[first + 1 : first + 8 : 2]))
            self.assertEqual((pairs[flat[row]], flat[row + 1]), (target, target))

    def test_a_resumed_run_equals_a_whole_one(self):
        with tempfile.TemporaryDirectory() as folder:
            file, whole, parts = (Path(folder) / name for name in ("settings.toml", "whole", "parts"))
            file.write_text(SETTINGS)
            wanted = settings.read(file)
            train.run(wanted, whole, False, "cpu", say=lambda _: None)
            advance, calls = train.advance, []

            def interrupted(*arguments):
                calls.append(0)
                if len(calls) == 8:
                    train.signal.raise_signal(train.signal.SIGINT)
                return advance(*arguments)

            train.advance = interrupted
            try:
                self.assertIsNone(train.run(wanted, parts, False, "cpu", say=lambda _: None))
            finally:
                train.advance = advance
            self.assertEqual(len(calls), 8)
            with self.assertRaisesRegex(ValueError, "--resume"):
                train.run(wanted, parts, False, "cpu", say=lambda _: None)
            with self.assertRaisesRegex(ValueError, "other settings"):
                train.run({**wanted, "seed": 3}, parts, True, "cpu", say=lambda _: None)
            train.run(wanted, parts, True, "cpu", say=lambda _: None)
            for name in ("curve.csv", "model.safetensors"):
                self.assertEqual((whole / name).read_bytes(), (parts / name).read_bytes(), name)
            results = [json.loads((of / "result.json").read_text()) for of in (whole, parts)]
            self.assertEqual(results[0]["tests"], results[1]["tests"])
            self.assertGreater(results[1]["seconds"], 0)
            logits = Folder(whole).logits([0, 3, 4, 1])
            self.assertEqual(logits.shape, (4, 7))
            self.assertTrue(bool(torch.isfinite(logits).all()))

    def test_unknown_keys_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "settings.toml"
            for old, new in [("seed", "sead"), ("steps", "stops"), ("letters", "ltters"), ("[model]", "[modl]")]:
                file.write_text(SETTINGS.replace(old, new, 1))
                with self.assertRaises(ValueError):
                    settings.read(file)
            file.write_text(SETTINGS.replace("heads = 4", "heads = 4\ndropout = 0.1"))
            with self.assertRaisesRegex(ValueError, "dropout"):
                train.run(settings.read(file), Path(folder) / "out", False, "cpu", say=lambda _: None)


if __name__ == "__main__":
    unittest.main()
