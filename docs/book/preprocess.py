"""mdBook preprocessor: pages from outside docs/, and links that leave the book.

A chapter that is a single `{{#include PATH}}` becomes that page. A relative link to a page of the book leads to its
chapter; any other one leads to the repository.
"""

import json
import os
import re
import sys

REPOSITORY = "https://github.com/weightware/weightware"
SOURCE = "docs"
INCLUDE = re.compile(r"^\s*\{\{#include ([^}]+)\}\}\s*$")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def chapters(items):
    """All chapters that have a page, in order."""
    for item in items:
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if chapter is not None:
            if chapter.get("source_path"):
                yield chapter
            yield from chapters(chapter["sub_items"])


def page(chapter):
    """The page's path in the repository: the included one, or the chapter's own."""
    own = os.path.join(SOURCE, chapter["source_path"])
    included = INCLUDE.match(chapter["content"])
    if included is None:
        return own
    return os.path.normpath(os.path.join(os.path.dirname(own), included[1].strip()))


def rewritten(text, path, chapter, book):
    """The text of a page with links that hold in the book."""

    def link(match):
        target, hash_mark, anchor = match[1].partition("#")
        if not target or "://" in target or target.startswith("mailto:"):
            return match[0]
        target = os.path.normpath(os.path.join(os.path.dirname(path), target))
        readme = os.path.join(target, "README.md")
        inside = book.get(target) or book.get(readme)
        if inside is None and target.startswith(SOURCE + os.sep) and not target.endswith(".md"):
            inside = os.path.relpath(target, SOURCE)
        if inside is not None:
            target = os.path.relpath(inside, os.path.dirname(chapter["path"]) or ".")
        else:
            kind = "tree" if os.path.isdir(target) else "blob"
            if target.endswith((".svg", ".png")):
                kind = "raw"
            target = f"{REPOSITORY}/{kind}/main/{target}"
        return f"]({target}{hash_mark}{anchor})"

    fenced = False
    lines = []
    for line in text.split("\n"):
        fenced ^= line.startswith("```")
        lines.append(line if fenced else LINK.sub(link, line))
    return "\n".join(lines)


def main():
    if sys.argv[1:2] == ["supports"]:
        return
    context, book = json.load(sys.stdin)
    os.chdir(context["root"])
    items = book["items"] if "items" in book else book["sections"]
    found = list(chapters(items))
    pages = {page(chapter): chapter["path"] for chapter in found}
    for chapter in found:
        path = page(chapter)
        text = chapter["content"]
        if INCLUDE.match(text):
            with open(path, encoding="utf-8") as file:
                text = file.read()
        chapter["content"] = rewritten(text, path, chapter, pages)
    json.dump(book, sys.stdout)


if __name__ == "__main__":
    main()
