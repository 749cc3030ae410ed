"""The tasks of weightware-train: generated sequences, seeded and without end.

A task has `vocab` (token strings), `words` (whether texts are split at white space), `context` (the longest training
sequence), `tests` (their names), `train(random, sequences)` and `test(number, first, random, sequences)`. The last two
return a batch: tokens [B][T]; supervised rows of the B * T tokens, or None for all; the target of each such row.
"""

import itertools
from pathlib import Path

from corpus import corpus


class Batch:
    def __init__(self):
        self.tokens, self.rows, self.targets = [], [], []

    def push(self, tokens, supervised):
        """Appends a sequence whose (position, target) pairs are supervised."""
        first = len(self.tokens) * len(tokens)
        self.tokens.append(tokens)
        for position, target in supervised:
            self.rows.append(first + position)
            self.targets.append(target)


class Task:
    words = True

    def of(self, sequences, push):
        batch = Batch()
        for _ in range(sequences):
            batch.push(*push())
        return batch


class Recall(Task):
    """Multi-query associative recall: k1 v1 .. kn vn, then each key once at any even place. Loss: their values."""

    def __init__(self, vocab, length, pairs, tests):
        self.half, self.size, self.context, self.pairs, self.sizes = vocab // 2, vocab, length, pairs, tests
        for T, n in [*tests, [length, pairs[1]]]:
            if not 0 < n <= min(self.half - 1, T // 4) or not 0 < pairs[0] <= pairs[1]:
                raise ValueError(f"task: {n} pairs in {T} tokens need 4 tokens each and {self.half - 1} keys")
        name = lambda id: "_" if id == 0 else f"k{id}" if id < self.half else f"v{id - self.half}"
        self.vocab = [name(id) for id in range(vocab)]
        self.tests = [f"{n} pairs in {T}" for T, n in tests]

    def sequence(self, random, length, pairs):
        keys = list(range(1, self.half))
        for i in range(pairs):
            j = i + random.below(self.half - 1 - i)
            keys[i], keys[j] = keys[j], keys[i]
        known = [(key, self.half + random.below(self.size - self.half)) for key in keys[:pairs]]
        tokens = [token for pair in known for token in pair] + [0] * (length - 2 * pairs)
        places = list(range(pairs, length // 2))
        random.shuffle(places)
        places = sorted(places[:pairs])
        random.shuffle(known)
        for place, pair in zip(places, known):
            tokens[2 * place : 2 * place + 2] = pair
        return tokens, [(2 * place, value) for place, (_, value) in zip(places, known)]

    def train(self, random, sequences):
        fewest, most = self.pairs
        push = lambda: self.sequence(random, self.context, fewest + random.below(most - fewest + 1))
        return self.of(sequences, push)

    def test(self, number, first, random, sequences):
        return self.of(sequences, lambda: self.sequence(random, *self.sizes[number]))


class Copying(Task):
    """^ x1 .. xn | x1 .. xn: after the bar, the string again and $. A batch has one length."""

    def __init__(self, letters, lengths, tests):
        self.letters, self.lengths, self.sizes = letters, lengths, tests
        self.vocab = ["^", "|", "$"] + [f"x{i}" for i in range(letters)]
        self.context = 2 * lengths[1] + 2
        self.tests = [f"length {n}" for n in tests]

    def sequence(self, random, length):
        string = [3 + random.below(self.letters) for _ in range(length)]
        return [0, *string, 1, *string], enumerate([*string, 2], start=length + 1)

    def train(self, random, sequences):
        shortest, longest = self.lengths
        length = shortest + random.below(longest - shortest + 1)
        return self.of(sequences, lambda: self.sequence(random, length))

    def test(self, number, first, random, sequences):
        return self.of(sequences, lambda: self.sequence(random, self.sizes[number]))


def permutations(n):
    """All permutations of 0 .. n - 1 in the order of weightware-train, the identity first."""
    if n == 0:
        return [()]
    return [(*p[:at], n - 1, *p[at:]) for p in permutations(n - 1) for at in range(n - 1, -1, -1)]


class Tracking(Task):
    """^ g1 .. gn of Z2 (parity) or S5: after each element the product so far."""

    def __init__(self, group, length, tests):
        elements = {"z2": [(0, 1), (1, 0)], "s5": permutations(5)}[group]
        number = {p: i for i, p in enumerate(elements)}
        self.product = [[number[tuple(a[i] for i in b)] for b in elements] for a in elements]
        self.order, self.length, self.sizes, self.context = len(elements), length, tests, length + 1
        self.vocab = [f"g{i}" for i in range(self.order)] + ["^"]
        self.tests = [f"length {n}" for n in tests]

    def sequence(self, random, length):
        word = [random.below(self.order) for _ in range(length)]
        products = list(itertools.accumulate([0, *word], lambda a, b: self.product[a][b]))[1:]
        return [self.order, *word], enumerate(products, start=1)

    def train(self, random, sequences):
        return self.of(sequences, lambda: self.sequence(random, self.length))

    def test(self, number, first, random, sequences):
        return self.of(sequences, lambda: self.sequence(random, self.sizes[number]))


class Needle(Task):
    """Pairs of a key and a value, one token each, anywhere among fillers; then questions for them."""

    def __init__(self, keys, values, fillers, questions, lengths, tests):
        if min(*lengths, *tests) < keys + questions:
            raise ValueError(f"task: a length does not hold {keys} pairs and {questions} questions")
        self.keys, self.values, self.fillers, self.questions = keys, values, fillers, questions
        self.lengths, self.sizes, self.context = lengths, tests, max(lengths)
        self.vocab = [f"f{i}" for i in range(fillers)] + [f"?k{i}" for i in range(keys)]
        self.vocab += [f"v{i}" for i in range(values)]
        self.vocab += [f"k{key}=v{value}" for key in range(keys) for value in range(values)]
        self.tests = [f"{keys} keys in {T}" for T in tests]

    def sequence(self, random, length):
        first = length - self.questions
        tokens = [random.below(self.fillers) for _ in range(first)]
        needles = []
        for key in range(self.keys):
            place = random.below(first)
            while tokens[place] >= self.fillers:
                place = random.below(first)
            value = random.below(self.values)
            tokens[place] = self.fillers + self.keys + self.values + key * self.values + value
            needles.append((self.fillers + key, self.fillers + self.keys + value))
        asked = [needles[random.below(self.keys)] for _ in range(self.questions)]
        answers = [answer for _, answer in asked]
        return tokens + [question for question, _ in asked], enumerate(answers, start=first)

    def train(self, random, sequences):
        # Longer batches have fewer sequences, so that all have about equally many tokens.
        length = self.lengths[random.below(len(self.lengths))]
        sequences = max(sequences * min(self.lengths) // length, 1)
        return self.of(sequences, lambda: self.sequence(random, length))

    def test(self, number, first, random, sequences):
        return self.of(sequences, lambda: self.sequence(random, self.sizes[number]))


class Text(Task):
    """Characters of a file or of generated stories: nine tenths to train on, the last tenth to validate."""

    words = False

    def __init__(self, length, characters, text=None):
        text = Path(text).read_bytes().decode("utf-8") if text else corpus(characters)
        self.vocab, self.context, self.tests = sorted(set(text)), length, ["validation"]
        ids = {character: id for id, character in enumerate(self.vocab)}
        self.tokens = [ids[character] for character in text]
        self.cut = len(self.tokens) // 10 * 9
        if min(len(self.tokens) - self.cut, self.cut) <= length:
            raise ValueError("task: the text is too short for windows of task.length")

    def windows(self, starts):
        batch = Batch()
        for start in starts:
            window = self.tokens[start : start + self.context + 1]
            batch.push(window[:-1], enumerate(window[1:]))
        batch.rows = None
        return batch

    def train(self, random, sequences):
        return self.windows([random.below(self.cut - self.context) for _ in range(sequences)])

    def test(self, number, first, random, sequences):
        count = (len(self.tokens) - 1 - self.cut) // self.context
        return self.windows([self.cut + i * self.context for i in range(first, min(first + sequences, count))])


KINDS = {"recall": Recall, "copying": Copying, "tracking": Tracking, "needle": Needle, "text": Text}
