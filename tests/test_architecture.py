"""The house's rules that a program can check: sizes, names, and who imports whom."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "featurestore"
MODULES = sorted(PACKAGE.rglob("*.py"))
PURE = [m for m in MODULES if m.relative_to(PACKAGE).parts[0] in {"definitions", "query"}]
# A stage of MLlib's pipelines is a subclass of one of its classes.
STAGES = PACKAGE / "integrations" / "mllib.py"
OUTSIDE_SPARK = [
    m for m in MODULES if not m.is_relative_to(PACKAGE / "engines" / "spark") and m != STAGES
]
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "tools"}
LONGEST_MODULE = 300
MOST_MODULES = 15
FOLDERS = sorted({module.parent for module in MODULES})
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
LONGEST_FUNCTION = 40
# What reads must not pay for: seconds of imports, or a JVM.
HEAVY = {"pyspark", "pandas", "pandera", "polars", "sklearn", "duckdb", "py4j"}


def name_of(module: Path) -> str:
    return module.relative_to(ROOT).as_posix()


def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text("utf-8"))


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs when a module is imported: not functions' bodies, not types' imports."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from run_at_import(child)


def imported(nodes: Iterator[ast.AST]) -> set[str]:
    """Return the top-level packages that import statements name."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_modules_hold_one_idea(module: Path) -> None:
    lines = code_lines_of(module)

    assert lines <= LONGEST_MODULE
    assert module.stem not in NAMELESS


def code_lines_of(module: Path) -> int:
    """Return a module's lines without docstrings and blank lines."""
    tree, documented = tree_of(module), set()
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            documented |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = enumerate(module.read_text("utf-8").splitlines(), 1)
    return sum(1 for number, line in lines if line.strip() and number not in documented)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_folders_are_read_at_a_glance(folder: Path) -> None:
    modules = [module for module in folder.glob("*.py") if module.stem != "__init__"]

    assert len(modules) <= MOST_MODULES


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_functions_fit_a_screen(module: Path) -> None:
    functions = (n for n in ast.walk(tree_of(module)) if isinstance(n, ast.FunctionDef))

    long = {
        function.name: lines
        for function in functions
        if (lines := code_lines(function)) > LONGEST_FUNCTION
    }

    assert long == {}


def code_lines(function: ast.FunctionDef) -> int:
    """Return a function's length without its docstring, which may hold examples at length."""
    documented = ast.get_docstring(function) is not None
    first = function.body[0]
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


@pytest.mark.parametrize("module", PURE, ids=name_of)
def test_definitions_and_queries_import_the_standard_library_only(module: Path) -> None:
    names = imported(ast.walk(tree_of(module)))

    assert names - set(sys.stdlib_module_names) <= {"featurestore"}


@pytest.mark.parametrize("module", OUTSIDE_SPARK, ids=name_of)
def test_pyspark_is_imported_by_the_spark_engine_only(module: Path) -> None:
    names = imported(run_at_import(tree_of(module)))

    assert names.isdisjoint({"pyspark", "py4j", "delta"})


def test_imports_go_downwards() -> None:
    # In a process of its own: it configures logging, and switches off the loggers that are there.
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    config = str(ROOT / "pyproject.toml")
    command = [sys.executable, "-c", program, "--config", config]
    completed = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert completed.returncode == EXIT_STATUS_SUCCESS, completed.stdout


def modules_loaded_by(statement: str) -> set[str]:
    """Return the top-level packages that a statement loads in a fresh interpreter."""
    program = f"import sys; {statement}; print(*{{m.partition('.')[0] for m in sys.modules}})"
    completed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(completed.stdout.split())


@pytest.mark.parametrize("module", ["featurestore", "featurestore.cli"])
def test_importing_is_light(module: str) -> None:
    loaded = modules_loaded_by(f"import {module}")

    assert "featurestore" in loaded
    assert loaded & HEAVY == set()
