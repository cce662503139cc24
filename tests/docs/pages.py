"""What the pages of documentation name: commands, options, modules, files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(ROOT.glob("rvosbench/models/embedded/*/README.md")),
    *sorted(ROOT.glob("sola/weights/*/README.md")),
)
ROOMS = ("rvosbench", "sola", "baselines", "leaderboard", "recipes")
FOLDERS = (*ROOMS, "tests", "benchmarks", "docs", ".ci")

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
ENDS = {"|", "||", "&&", ";", ">", ">>", "2>"}
DOTTED = re.compile(rf"(?<![\w./-])(?:{'|'.join(ROOMS)})(?:\.[A-Za-z_]\w*)+")
FILE = re.compile(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./-]*[\w/]")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
IMPORT = re.compile(rf"^ *from ((?:{'|'.join(ROOMS)})[\w.]*) import (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Code:
    """Code on a page: a block or, `inline`, a few words in a sentence."""

    text: str
    inline: bool


def code(page: str) -> Iterator[Code]:
    """Fenced and indented blocks, then the spans of what is left."""
    for block in BLOCK.finditer(page):
        if block[1] in ("", "bash", "console"):
            yield Code(block[2], inline=False)
    rest = BLOCK.sub("", page)
    indented = [line[4:] for line in rest.splitlines() if line.startswith("    ")]
    yield Code("\n".join(indented), inline=False)
    prose = "\n".join(line for line in rest.splitlines() if not line.startswith("    "))
    for span in SPAN.finditer(prose):
        yield Code(" ".join(span[1].split()), inline=True)


def commands(page: str, program: str) -> Iterator[list[str]]:
    """The arguments of every call of `program`; of "stats | check" the first.

    `program` is a regular expression for what comes before the arguments.
    """
    for part in code(page):
        for line in part.text.replace("\\\n", " ").splitlines():
            for call in re.finditer(rf"(?:^|[\s(=])(?:{program})(?= |$)([^`]*)", line):
                yield list(_arguments(call[1]))


def spans(page: str) -> Iterator[str]:
    """Code in sentences."""
    return (part.text for part in code(page) if part.inline)


def _arguments(text: str) -> Iterator[str]:
    words = shlex.shlex(text.replace("...", ""), posix=True, punctuation_chars="|&;>")
    words.whitespace_split = True
    words.commenters = "#"
    for word in words:
        if word in ENDS:
            return
        if word.strip("[]()"):
            yield word.strip("[]()")
