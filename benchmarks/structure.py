"""The shape of the code in numbers: size, long files and functions, hidden imports, cycles.

    python benchmarks/structure.py              this tree
    python benchmarks/structure.py ../older     another one

`tests/structure` holds the limits. Counted are the four packages, without their recipes. An import
within a function counts if it is of one of our own packages, and one statement counts once; not
counted is the one door of each command of the command line, which is the first block of imports of
the function that is the command, and that of what `MethodSpec(build=...)` names. A cycle is a set
of modules that import each other directly or through others, wherever the imports stand: at the
top, in a function, or for the type checker only.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGES = ("rvosbench", "baselines", "sola", "leaderboard")
FILE_LINES, FUNCTION_LINES, WIDTH = 400, 50, 100

PRAGMA = re.compile(r"\s*# (type: ignore|noqa).*$")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Import = ast.Import | ast.ImportFrom


@dataclass(frozen=True)
class Module:
    """A source file.

    Attributes:
        name: as it is imported.
        path: relative to the tree.
        text: its content.
        is_package: whether it is an `__init__.py`.
    """

    name: str
    path: Path
    text: str
    is_package: bool

    @cached_property
    def tree(self) -> ast.Module:
        """Parsed."""
        return ast.parse(self.text)

    @property
    def lines(self) -> list[str]:
        """Of the file."""
        return self.text.splitlines()

    @property
    def functions(self) -> list[Function]:
        """All, methods and nested ones included."""
        return [n for n in ast.walk(self.tree) if isinstance(n, Function)]


@dataclass(frozen=True)
class Source:
    """The modules of the packages of a tree, by name."""

    modules: Mapping[str, Module]

    @staticmethod
    def of(root: Path) -> Source:
        """All files of the packages below `root`, without recipes."""
        found = {}
        for package in PACKAGES:
            for path in sorted((root / package).rglob("*.py")):
                relative = path.relative_to(root)
                if "recipes" in relative.parts:
                    continue
                parts = relative.with_suffix("").parts
                is_package = parts[-1] == "__init__"
                name = ".".join(parts[:-1] if is_package else parts)
                found[name] = Module(name, relative, path.read_text("utf-8"), is_package)
        return Source(found)

    @property
    def line_count(self) -> int:
        """Of all files together, blank ones and comments included."""
        return sum(len(module.lines) for module in self.modules.values())

    def long_files(self) -> list[str]:
        """Files of more than `FILE_LINES` lines."""
        return [
            f"{m.path}: {len(m.lines)} lines"
            for m in self.modules.values()
            if len(m.lines) > FILE_LINES
        ]

    def wide_lines(self) -> list[str]:
        """Lines of more than `WIDTH` characters; words to linters behind a line do not count."""
        return [
            f"{m.path}:{number}: {len(line)} characters"
            for m in self.modules.values()
            for number, line in enumerate(m.lines, 1)
            if len(PRAGMA.sub("", line)) > WIDTH
        ]

    def long_functions(self) -> list[str]:
        """Functions of more than `FUNCTION_LINES` lines, from `def` on, without the docstring."""
        return [
            f"{m.path}:{f.lineno}: {f.name} has {function_lines(f)} lines"
            for m in self.modules.values()
            for f in m.functions
            if function_lines(f) > FUNCTION_LINES
        ]

    def hidden_imports(self) -> list[str]:
        """Imports of our own modules within functions, but for the doors."""
        commands, builders = self._commands(), self._builders()
        found = []
        for module in self.modules.values():
            doors: set[int] = set()
            for name, function in qualified_functions(module.tree):
                is_door = is_command(function) or (module.name, name) in commands | builders
                doors |= {i.lineno for i in first_imports(function)} if is_door else set()
            lines = {
                node.lineno
                for function in module.functions
                for node in ast.walk(function)
                if isinstance(node, Import) and self._own(module, node)
            }
            found += [f"{module.path}:{line}" for line in sorted(lines - doors)]
        return found

    def imports(self, module: Module) -> set[str]:
        """Names of the modules of ours that a module imports, wherever the imports stand."""
        return {
            name
            for node in ast.walk(module.tree)
            if isinstance(node, Import)
            for name in self._own(module, node)
        }

    def cycles(self) -> list[list[str]]:
        """Sets of modules that import each other, sorted; none is as it should be."""
        graph = {name: self.imports(module) - {name} for name, module in self.modules.items()}
        return [sorted(part) for part in components(graph) if len(part) > 1]

    def _own(self, module: Module, node: Import) -> list[str]:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            return [name for name in names if name in self.modules]
        base = node.module or ""
        if node.level:
            parts = module.name.split(".")
            kept = len(parts) - node.level + module.is_package
            base = ".".join([*parts[:kept], *([node.module] if node.module else [])])
        wanted = [f"{base}.{alias.name}" for alias in node.names]
        return [n if n in self.modules else base for n in wanted if {n, base} & set(self.modules)]

    def _commands(self) -> set[tuple[str, str]]:
        """(module, function) of `app.command(...)(function)`, wherever that is called."""
        found = set()
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call) and is_registration(node.func):
                    found |= {self._defined(module, argument) for argument in node.args}
        return found - {None}  # type: ignore[return-value]

    def _builders(self) -> set[tuple[str, str]]:
        """(module, function) of what `MethodSpec(build=...)` names; a class is its `__init__`."""
        found = set()
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.keyword) and node.arg == "build":
                    place = self._defined(module, node.value)
                    if place is not None:
                        found |= {place, (place[0], f"{place[1]}.__init__")}
        return found

    def _defined(self, module: Module, node: ast.expr) -> tuple[str, str] | None:
        """Where a function is defined that an expression names."""
        if isinstance(node, ast.Name):
            return self._imported(module, node.id) or (module.name, node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            rooms = (n for n in self.imports(module) if n.rpartition(".")[2] == node.value.id)
            return next(((room, node.attr) for room in rooms), None)
        return None

    def _imported(self, module: Module, name: str) -> tuple[str, str] | None:
        """Where a name comes from that a module imports at its top."""
        statements = [n for n in module.tree.body if isinstance(n, ast.ImportFrom)]
        for statement in statements:
            for alias in statement.names:
                if name == (alias.asname or alias.name):
                    homes = self._own(module, statement)
                    return (homes[0], alias.name) if homes else None
        return None


def function_lines(function: Function) -> int:
    """From `def` to the last line, without the docstring."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def qualified_functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Functions with their qualified names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef):
            name = f"{prefix}{node.name}"
            if isinstance(node, Function):
                yield name, node
            yield from qualified_functions(node, f"{name}.")


def is_registration(node: ast.expr) -> bool:
    """Whether it is `....command(...)` or `....callback(...)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("command", "callback")
    )


def is_command(function: Function) -> bool:
    """Whether a decorator makes it a command of the command line."""
    return any(is_registration(decorator) for decorator in function.decorator_list)


def first_imports(function: Function) -> list[Import]:
    """The block of imports that a function begins with, after its docstring."""
    body = list(function.body)
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    found: list[Import] = []
    for statement in body:
        if not isinstance(statement, Import):
            break
        found.append(statement)
    return found


def components(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Strongly connected parts of a directed graph.

    Source: Tarjan, "Depth-first search and linear graph algorithms", 1972.
    """
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            at = stack.index(node)
            found.append(set(stack[at:]))
            del stack[at:]

    for node in graph:
        if node not in order:
            visit(node)
    return found


def lines_of_tests(root: Path) -> int:
    """Lines of all Python files of the tests, but for those of the recipes."""
    paths = (root / "tests").rglob("*.py")
    kept = [p for p in paths if "recipes" not in p.relative_to(root).parts]
    return sum(len(path.read_text("utf-8").splitlines()) for path in kept)


def main() -> None:
    """Print the numbers, then what stands behind those that should be 0."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]
    source = Source.of(root)
    tests, code = lines_of_tests(root), source.line_count
    say = sys.stdout.write
    say(f"lines {code}, files {len(source.modules)}\n")
    say(f"lines of tests {tests}, {tests / code:.2f} a line of code\n")
    lists = {
        f"files above {FILE_LINES} lines": source.long_files(),
        f"functions above {FUNCTION_LINES} lines": source.long_functions(),
        f"lines above {WIDTH} characters": source.wide_lines(),
        "own modules imported in functions": source.hidden_imports(),
        "cycles": [" <-> ".join(cycle) for cycle in source.cycles()],
    }
    for name, found in lists.items():
        say(f"{name}: {len(found)}\n")
    for name, found in lists.items():
        for line in found:
            say(f"  {name}: {line}\n")


if __name__ == "__main__":
    main()
