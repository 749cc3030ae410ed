"""The corpus of weightware-train: little stories from a probabilistic grammar, whose later sentences name hero and
thing again and agree in number."""

from splitmix import CORPUS, Random

NAMES = "Ada Alan Grace Kurt Emmy Alonzo Sofia Niels Hedy Carl Mary Omar".split()
THINGS = "lamp stone letter clock boat mirror kite bridge garden engine violin ladder".split()
ADJECTIVES = "old small green quiet broken golden heavy strange bright cold".split()
PLACES = ["by the river", "in the tower", "under the hill", "near the harbour", "behind the mill", "in the snow"]
PLACES += ["at the market", "on the roof"]
FINDS = "found built bought saw drew".split()
MOVES = "carried showed lent gave sent".split()
SAYS = "said asked whispered cried".split()
NUMBERS = "two three four five seven".split()


def corpus(characters):
    """At least that many characters of stories; the same for the same number."""
    random, stories, length = Random(0, CORPUS, 0), [], 0
    while length < characters:
        stories.append(story(random))
        length += len(stories[-1])
    return "".join(stories)


def story(random):
    pick = lambda words: words[random.below(len(words))]
    hero, friend = pick(NAMES), pick(NAMES)
    while friend == hero:
        friend = pick(NAMES)
    thing, adjective = pick(THINGS), pick(ADJECTIVES)
    is_many = random.below(3) == 0
    if is_many:
        named = f"{pick(NUMBERS)} {adjective} {thing}s"
    else:
        named = f"{'an' if adjective[0] in 'aeiou' else 'a'} {adjective} {thing}"
    it, was, again = ("them", "were", f"{thing}s") if is_many else ("it", "was", thing)
    sentences = [f"{hero} {pick(FINDS)} {named} {pick(PLACES)}.\n"]
    for _ in range(1 + random.below(4)):
        kind = random.below(5)
        if kind == 0:
            sentences.append(f'"Who lost the {again}?" {pick(SAYS)} {hero}.\n')
        elif kind == 1:
            sentences.append(f"{hero} {pick(MOVES)} {it} to {friend}.\n")
        elif kind == 2:
            sentences.append(f"The {again} {was} {adjective}, and {friend} liked {it}.\n")
        elif kind == 3:
            sentences.append(f"{friend} kept the {again} {pick(PLACES)}.\n")
        else:
            sentences.append(f'"The {again} {was} {adjective}", {pick(SAYS)} {friend}.\n')
    return "".join(sentences) + "\n"
