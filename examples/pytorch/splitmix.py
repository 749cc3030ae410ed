"""The random numbers of weightware-train: SplitMix64 (Steele, Lea, Flood 2014), a generator for each purpose.

A batch is a function of the seed and the step, so a run resumes from its step alone, and the Rust crate and this
program begin with the same weights and read the same batches.
"""

import math

import torch

WEIGHTS, BATCH, TEST, CORPUS = 1, 2, 3, 4
GOLDEN, MIX1, MIX2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
MASK = (1 << 64) - 1


def mixed(z):
    z = (z ^ z >> 30) * MIX1 & MASK
    z = (z ^ z >> 27) * MIX2 & MASK
    return z ^ z >> 31


class Random:
    """The generator number `index` of a stream."""

    def __init__(self, seed, stream, index):
        self.state = mixed(seed + GOLDEN & MASK)
        for part in (stream, index):
            self.state = mixed(self.state ^ mixed(part + GOLDEN & MASK))

    def below(self, bound):
        """A uniform number in 0 .. bound - 1."""
        self.state = self.state + GOLDEN & MASK
        return mixed(self.state) * bound >> 64

    def shuffle(self, items):
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]

    def normals(self, count):
        """Normal numbers by the method of Box and Muller, [count] in 64 bits: two draws each, all at once."""
        z = torch.arange(1, 2 * count + 1) * signed(GOLDEN) + signed(self.state)
        z = (z ^ shifted(z, 30)) * signed(MIX1)
        z = (z ^ shifted(z, 27)) * signed(MIX2)
        uniform = shifted(z ^ shifted(z, 31), 11).double() / (1 << 53)
        radius = torch.sqrt(-2 * torch.log(1 - uniform[0::2]))
        return radius * torch.cos(math.tau * uniform[1::2])


def signed(z):
    """The number that has the bits of z in torch's int64, whose products wrap."""
    return z - (1 << 64) if z >> 63 else z


def shifted(z, by):
    """A shift to the right that fills with zeros."""
    return z >> by & (1 << 64 - by) - 1
