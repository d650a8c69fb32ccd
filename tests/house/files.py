"""What the house tests look at: the files of the repository, and the codes that stand in the source."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("sitelink", "web_ui", "programs", "edge_agent", "cloud_relay")
BINARY = frozenset({".png", ".ico", ".woff2", ".gz", ".db", ".webp"})
_NOT_OURS = frozenset({".git", ".venv", "node_modules", "gatepost-data", "dist", "build", "__pycache__"})


@cache
def committed() -> tuple[Path, ...]:
    """Files under version control and new ones that would be; without git, what is not made by tools."""
    try:
        answer = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        found = [path for path in ROOT.rglob("*") if not _NOT_OURS & set(path.relative_to(ROOT).parts)]
        hidden = (path for path in found if not any(part.endswith("_cache") for part in path.parts))
        return tuple(sorted(path for path in hidden if path.is_file()))
    names = answer.stdout.decode().split("\0")
    return tuple(sorted(path for name in names if name and (path := ROOT / name).is_file()))


def committed_texts() -> Iterator[tuple[Path, str]]:
    """Each file of text with what it says."""
    for path in committed():
        if path.suffix not in BINARY:
            yield path, path.read_text("utf-8")


@cache
def modules() -> tuple[Path, ...]:
    """Our own Python modules, relative to the top folder."""
    return tuple(sorted(path.relative_to(ROOT) for each in PACKAGES for path in (ROOT / each).rglob("*.py")))


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text("utf-8"), str(module))


def texts_in(node: ast.AST | None) -> Iterator[str]:
    """The texts an expression can be: itself, or either side of `a if c else b`, `a or b`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts_in(node.body)
        yield from texts_in(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from texts_in(value)


def codes_given_to(function: str, position: int, keyword: str) -> set[str]:
    """Texts that stand as this argument of any call of a function or method of this name."""
    found = set()
    for module in modules():
        for node in ast.walk(tree(module)):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if called != function:
                continue
            by_name = next((each.value for each in node.keywords if each.arg == keyword), None)
            by_place = node.args[position] if 0 <= position < len(node.args) else None
            found |= set(texts_in(by_name if by_name is not None else by_place))
    return found


def codes_returned_by(module: str, function: str, item: int | None = None) -> set[str]:
    """Texts a function returns, or those at one place of the tuples it returns."""
    found = set()
    for node in ast.walk(tree(Path(module))):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            for each in ast.walk(node):
                if isinstance(each, ast.Return):
                    found |= set(_returned(each.value, item))
    return found


def _returned(value: ast.expr | None, item: int | None) -> Iterator[str]:
    if isinstance(value, ast.IfExp):
        yield from _returned(value.body, item)
        yield from _returned(value.orelse, item)
    elif item is None:
        yield from texts_in(value)
    elif isinstance(value, ast.Tuple) and item < len(value.elts):
        yield from texts_in(value.elts[item])
