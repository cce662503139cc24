"""How many calls lie between a command and its arithmetic, printed function by function.

    python benchmarks/calls.py                              this tree
    python benchmarks/calls.py --tree ../older --tree .     an older worktree and this one
    python benchmarks/calls.py --limits                     exit 1 if a chain is too long

Real commands run on one video of the demo with the embedded weights, and four chains are followed:

    score       `rvosbench score`: from `main` of the command line to the compiled loop that gives
                the numbers of J and F (intersection and union, or matched boundary pixels)
    frame       `rvosbench eval --method sola` with grid prompts: from `Sola.predict` to our last
                function before SAM2's memory attention, which runs once a frame
    alignment   the same command: from `Sola.predict` to the function that makes the selector's
                output, the scores
    step        `rvosbench sola train`: from `train` to the deepest function of ours in a forward
                pass with gradients

and beside them, without a limit, the way to the loop that finds the outline of one mask, and the
ways to a frame of the box prompts and to SAM2's image encoder.

How it is counted: functions of the four packages, both ends included; torch, typer, numpy and the
like lie between them and do not count. The compiled loop counts as one. A function that only makes
a generator and hands it on counts, although it is gone when the generator runs: whoever reads the
code goes through it. A comprehension belongs to the function in which it is written; only in
`alignment` it counts, as in the 7 that the limit of 6 was set against (Python 3.12 gives it no
frame of its own any more: compare on one Python). Of several ways to one end the longest counts.
With this, the tree of 1c25e4b has 17, 14, 7 and 13.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import CodeType, FrameType, GeneratorType
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))  # at the end: the traced tree comes first

from benchmarks.trees import HERE, PACKAGES, Tree, commit_of, parsed, say

LIMITS = {"score": 10, "frame": 9, "alignment": 6, "step": 9}
BESIDE = ("outline", "box frame", "image encoder")
COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
VIDEO = ("--dataset", "demo", "--split", "valid", "--videos", "valid-0000")


@dataclass(frozen=True)
class Call:
    """A function on a chain.

    Attributes:
        name: qualified name.
        place: file and line of its definition, relative to the tree.
    """

    name: str
    place: str


Chain = tuple[Call, ...]


class Chains:
    """The chain of our own functions at any moment of a traced process.

    Args:
        root: the tree whose packages are ours.
    """

    def __init__(self, root: Path) -> None:
        self._roots = tuple(f"{root / package}/" for package in PACKAGES)
        self._root = root
        self._handed_on: dict[FrameType, Chain] = {}
        self._calls: dict[CodeType, Call | None] = {}

    def own(self, code: CodeType) -> Call | None:
        """The call, if the function is of our packages and no module body or class body."""
        if code not in self._calls:
            self._calls[code] = self._described(code)
        return self._calls[code]

    def at(self, frame: FrameType | None) -> Chain:
        """Our functions from the outermost to `frame`."""
        inner: list[Call] = []
        while frame is not None:
            call = self.own(frame.f_code)
            if call is not None:
                inner.append(call)
            before = self._handed_on.get(frame)
            if before is not None:
                return (*before, *reversed(inner))
            frame = frame.f_back
        return tuple(reversed(inner))

    def handed_on(self, frame: FrameType, value: object) -> None:
        """Remember who made a generator of ours that a function returns."""
        if not isinstance(value, GeneratorType) or value.gi_frame is None:
            return
        if value.gi_code is not frame.f_code and self.own(value.gi_code):
            self._handed_on.setdefault(value.gi_frame, self.at(frame))

    def _described(self, code: CodeType) -> Call | None:
        own = code.co_filename.startswith(self._roots)
        if not own or code.co_name == "<module>" or not code.co_flags & 0x02:  # CO_NEWLOCALS
            return None
        place = Path(code.co_filename).relative_to(self._root)
        return Call(qualified_name(code), f"{place}:{code.co_firstlineno}")


def qualified_name(code: CodeType) -> str:
    """As Python 3.11 knows it, without the word `<locals>`."""
    name: str = getattr(code, "co_qualname", code.co_name)
    return name.replace("<locals>.", "")


def counted(name: str, chain: Chain) -> Chain:
    """The calls of a chain that count, see the top of this file."""
    if name == "alignment":
        return chain
    return tuple(call for call in chain if not call.name.endswith(COMPREHENSIONS))


def since(chain: Chain, matches: Callable[[Call], bool]) -> Chain:
    """The chain from the outermost matching call on; empty if there is none."""
    for index, call in enumerate(chain):
        if matches(call):
            return chain[index:]
    return ()


def is_predict(call: Call) -> bool:
    """Whether it is the door of SOLA as a method."""
    return call.name == "Sola.predict"


def is_train(call: Call) -> bool:
    """Whether it is the function that a training begins with."""
    return call.name == "train" and call.place.startswith("sola/")


def is_numbers(value: object) -> bool:
    """Whether it is a number, or a tuple of nothing else."""
    return all(isinstance(v, int | float) for v in (value if isinstance(value, tuple) else [value]))


class Longest:
    """Keeps the longest chain to each end."""

    def __init__(self, found: Mapping[str, Chain] | None = None) -> None:
        self.found = dict(found or {})

    def offer(self, name: str, chain: Chain) -> None:
        """Keep the chain if it is the longest so far."""
        if len(counted(name, chain)) > len(self.found.get(name, ())):
            self.found[name] = counted(name, chain)


@contextmanager
def profiled(tracer: Callable[[FrameType, str, Any], None]) -> Iterator[None]:
    """Let `tracer` see every call and return of this thread."""
    sys.setprofile(tracer)
    try:
        yield
    finally:
        sys.setprofile(None)


# One tree, in a process of its own ----------------------------------------------------------------


def command(arguments: Sequence[str]) -> None:
    """Run a command of rvosbench in this process; what it prints goes to stderr."""
    from rvosbench.cli.app import main

    sys.argv = ["rvosbench", *arguments]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise


def trace_score(root: Path, folder: Path) -> Longest:
    """From the command to the loop that counts a boundary's pixels."""
    from numba.core.registry import CPUDispatcher

    chains, longest = Chains(root), Longest()
    called = CPUDispatcher.__call__

    def seen(self: Any, *arguments: Any) -> Any:  # noqa: ANN401
        call, result = chains.own(self.py_func.__code__), called(self, *arguments)
        if call is not None and call.place.startswith("rvosbench/metrics/"):
            end = "score" if is_numbers(result) else "outline"
            longest.offer(end, (*chains.at(sys._getframe(1)), call))
        return result

    def tracer(frame: FrameType, event: str, value: Any) -> None:  # noqa: ANN401
        if event == "return":
            chains.handed_on(frame, value)

    CPUDispatcher.__call__ = seen
    with profiled(tracer):
        command(["score", str(folder / "predictions"), *VIDEO])
    return longest


def trace_eval(root: Path, folder: Path, settings: Sequence[str] = ()) -> Longest:
    """From `Sola.predict` to SAM2's memory attention and image encoder, and to the scores."""
    from torch import nn

    chains, longest = Chains(root), Longest()
    entered = nn.Module.__call__.__code__
    ends = {"MemoryAttention": "frame", "VisionModel": "image encoder"}
    made: set[int] = set()

    def tracer(frame: FrameType, event: str, value: Any) -> None:  # noqa: ANN401
        if event == "call" and frame.f_code is entered:
            kind = type(frame.f_locals["self"]).__name__
            for part, end in ends.items():
                if part in kind:
                    longest.offer(end, since(chains.at(frame), is_predict))
        elif event == "return":
            chains.handed_on(frame, value)
            output = hasattr(value, "logits") and hasattr(value, "alignment")
            if output and id(value) not in made and chains.own(frame.f_code):
                made.add(id(value))  # whoever returns it first made it
                longest.offer("alignment", since(chains.at(frame), is_predict))

    with profiled(tracer):
        command(["eval", "--method", "sola", *VIDEO, *settings, "--out", str(folder / "sola")])
    return longest


def trace_grid(root: Path, folder: Path) -> Longest:
    """As `trace_eval`, with prompts of a grid only."""
    return trace_eval(root, folder / "grid", ("--set", "grounder="))


def trace_boxes(root: Path, folder: Path) -> Longest:
    """As `trace_eval`, with box prompts only."""
    found = trace_eval(root, folder / "boxes", ("--set", "background_inference=false"))
    return Longest({"box frame": found.found["frame"]})


def trace_train(root: Path, folder: Path) -> Longest:
    """From `train` to the deepest function of ours in a forward pass with gradients."""
    import torch

    chains, longest = Chains(root), Longest()

    def tracer(frame: FrameType, event: str, value: Any) -> None:  # noqa: ANN401
        if event == "return":
            chains.handed_on(frame, value)
        elif event == "call" and chains.own(frame.f_code) and torch.is_grad_enabled():
            chain = since(chains.at(frame), is_train)
            if any(call.name.endswith(".forward") for call in chain):
                longest.offer("step", chain)

    with profiled(tracer):
        command(
            [
                *("sola", "train", "--tracks", str(folder / "tracks"), "--split", "valid"),
                *("--out", str(folder / "selector"), "--epochs", "1", "--set", "epoch_size=16"),
            ]
        )
    return longest


TRACES = {
    "score": trace_score,
    "grid": trace_grid,
    "boxes": trace_boxes,
    "train": trace_train,
}


def inside(what: str, root: str, folder: str) -> None:
    """Trace one command of the tree that this process imports, and print its chains as JSON."""
    import contextlib

    with contextlib.redirect_stdout(sys.stderr):
        longest = TRACES[what](Path(root), Path(folder))
    say(json.dumps({name: [asdict(c) for c in chain] for name, chain in longest.found.items()}))


# All trees ------------------------------------------------------------------------------------


def chains_of(root: Path, folder: Path) -> dict[str, Chain]:
    """The four chains of a tree; everything is made below `folder`."""
    tree = Tree(root.resolve(), folder / "scratch")
    work = folder / "work"
    tree.rvosbench(["eval", "--method", "oracle", *VIDEO, "--out", "predictions"], work)
    tree.rvosbench(
        [
            *("tracks", "build", "--out", "tracks", "--dataset", "demo", "--split", "valid"),
            *("--limit", "3", "--truth", "--text-encoder", "demo"),
            *("--set", "grounder=", "--set", "prompts.points_per_side=4"),
        ],
        work,
    )
    found: dict[str, Chain] = {}
    for what in TRACES:
        output = tree.python([__file__, "inside", what, str(tree.root), str(work)], work)
        chains: Any = parsed(output)
        found |= {name: tuple(Call(**c) for c in chain) for name, chain in chains.items()}
    missing = [name for name in LIMITS if name not in found]
    if missing:
        raise SystemExit(f"{root}: nothing was seen of {', '.join(missing)}: were names changed?")
    return {name: found[name] for name in (*LIMITS, *BESIDE) if name in found}


def show(root: Path, chains: dict[str, Chain]) -> None:
    """Print the chains of a tree."""
    say(f"{root} ({commit_of(root) or 'no commit'})")
    for name, chain in chains.items():
        limit = f"limit {LIMITS[name]}" if name in LIMITS else "beside"
        say(f"\n  {name}: {len(chain)} functions ({limit})")
        width = max(len(call.name) for call in chain)
        for index, call in enumerate(chain, 1):
            say(f"    {index:2}  {call.name:{width}}  {call.place}")
    say()


def main() -> None:
    """Print the chains of every tree, and compare this one's with the limits."""
    if sys.argv[1:2] == ["inside"]:
        inside(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--tree", type=Path, action="append", help="checkout; default: this one")
    parser.add_argument("--limits", action="store_true", help="exit 1 above a limit (last tree)")
    given = parser.parse_args()
    lengths: list[dict[str, int]] = []
    roots: list[Path] = given.tree or [HERE]
    for root in roots:
        with tempfile.TemporaryDirectory() as folder:
            chains = chains_of(root, Path(folder))
        show(root, chains)
        lengths.append({name: len(chain) for name, chain in chains.items()})
    for name in (*LIMITS, *BESIDE):
        counts = " -> ".join(str(found.get(name, "?")) for found in lengths)
        say(f"{name:14} {counts:>10}   {f'limit {LIMITS[name]}' if name in LIMITS else ''}")
    long = [name for name, limit in LIMITS.items() if lengths[-1][name] > limit]
    if given.limits and long:
        raise SystemExit(f"too long: {', '.join(long)}")


if __name__ == "__main__":
    main()
