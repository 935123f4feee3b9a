"""A function of Feast's as the text of a function of ours, with what it needs of its module."""

import ast
import builtins
import re
import symtable
from collections.abc import Collection, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from textwrap import dedent

_BUILTINS = frozenset(dir(builtins))
_TAKEN_OVER = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class FunctionText:
    """A function that needs nothing but its own text.

    Args:
        text: Its lines, without decorators.
        imports: The import statements that it needs, by the names that they give.
        others: The other statements of its module that it needs, by the names that they give, in
            the module's order.
    """

    text: str
    _: KW_ONLY
    imports: Mapping[str, str]
    others: Mapping[str, str]


def function_text(
    declared: str, name: str, module: str, local_modules: Iterable[str]
) -> FunctionText | str:
    r"""Return a function under another name, with what it needs.

    Args:
        declared: Its lines, with decorators.
        name: The name that it shall have.
        module: The text of the module that declares it.
        local_modules: The names of the repository's modules, which are not there later.

    Returns:
        The function, or why it cannot be taken over.

    Example:
        >>> module = "import math\n\ndef root(x):\n    return math.sqrt(x)\n"
        >>> function_text("def root(x):\n    return math.sqrt(x)\n", "root_2", module, ()).imports
        {'math': 'import math'}
    """
    lines = dedent(declared)
    try:
        tree, statements = ast.parse(lines), _Statements(module)
    except SyntaxError:
        return "its text cannot be read."
    found = next((each for each in tree.body if isinstance(each, ast.FunctionDef)), None)
    if found is None:
        return "it is no function that is declared by def."
    if declared[:1].isspace():
        return "it is declared within another function."
    own = "\n".join(lines.splitlines()[found.lineno - 1 : found.end_lineno])
    text = re.sub(rf"^def {found.name}\b", f"def {name}", own)
    needed = _needed(own)
    if found.name in needed:
        return "it uses its own name, and its name is another one here."
    return _with_needed(text, needed, statements, {*local_modules, "feast"})


def _with_needed(
    text: str, needed: Iterable[str], statements: "_Statements", unavailable: set[str]
) -> FunctionText | str:
    imports: dict[str, str] = {}
    others: dict[str, tuple[int, str]] = {}
    wanted = sorted(needed)
    while wanted:
        name = wanted.pop()
        if name in imports or name in others:
            continue
        given = statements.giving(name)
        # A name of Python's own, unless the module gives it another meaning.
        if not given and name in _BUILTINS and not statements.have_star:
            continue
        if problem := _problem(name, given, unavailable):
            return problem
        statement, source = given[-1]
        if isinstance(statement, ast.Import | ast.ImportFrom):
            # Each of `import a.b` and `import a.c` counts.
            imports[name] = "\n".join(sorted({_import_of(each, name) for each, _ in given}))
        else:
            others |= dict.fromkeys(_bound_in(source), (statement.lineno, source))
            wanted += sorted(_needed(source))
    # In the module's order, each statement stands below those that it needs.
    ordered = sorted(others.items(), key=lambda item: item[1][0])
    return FunctionText(
        text, imports=imports, others={name: source for name, (_, source) in ordered}
    )


class _Statements:
    """The statements at the top of a module, by the names that they give."""

    def __init__(self, module: str) -> None:
        self._given: dict[str, list[tuple[ast.stmt, str]]] = {}
        self.have_star = False
        lines = module.splitlines()
        for statement in ast.parse(module).body:
            source = _source(statement, lines)
            if "*" in _aliases(statement):
                self.have_star = True
                continue
            for name in _bound_in(source):
                self._given.setdefault(name, []).append((statement, source))

    def giving(self, name: str) -> list[tuple[ast.stmt, str]]:
        """Return the statements that give a name, in order, each with its text."""
        return self._given.get(name, [])


def _source(statement: ast.stmt, lines: list[str]) -> str:
    """Return the text of a statement at the top of a module, with its decorators."""
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(each.lineno for each in decorators)])
    if first == statement.end_lineno:  # another statement may stand in the line
        return ast.unparse(statement) if ";" in lines[first - 1] else lines[first - 1].rstrip()
    return "\n".join(lines[first - 1 : statement.end_lineno])


def _bound_in(source: str) -> list[str]:
    """Return the names that a statement gives its module."""
    return [
        symbol.get_name()
        for symbol in symtable.symtable(source, "feast", "exec").get_symbols()
        if symbol.is_assigned() or symbol.is_imported()
    ]


def _needed(text: str) -> set[str]:
    """Return the names of its module that a statement uses, Python's own ones too."""
    found: set[str] = set()
    tables = [symtable.symtable(text, "feast", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        at_top = table.get_type() == "module"
        for symbol in table.get_symbols():
            is_free = symbol.is_global() or (at_top and not symbol.is_assigned())
            if symbol.is_referenced() and is_free:
                found.add(symbol.get_name())
    return found


def _problem(name: str, given: list[tuple[ast.stmt, str]], unavailable: set[str]) -> str:
    """Return why a name cannot be taken over; ``""`` if it can."""
    if not given:
        return f"it uses {name!r}, which no statement at the top of its module gives by name."
    statements = [statement for statement, _ in given]
    if not all(isinstance(each, _TAKEN_OVER) and _is_plain(each) for each in statements):
        return (
            f"it uses {name!r}, and only functions, assignments of names and imports "
            "are taken over."
        )
    meanings = {
        _import_of(each, name) if isinstance(each, ast.Import | ast.ImportFrom) else source
        for each, source in given
    }
    if not are_one(meanings):
        return f"it uses {name!r}, which several statements of its module give."
    for statement in statements:
        modules = _modules(statement, name)
        if any(each in unavailable for each in modules):
            return f"it uses {name!r}, which comes from the repository or from Feast."
    return ""


def are_one(statements: Collection[str]) -> bool:
    """Return whether statements that give one name give it one meaning.

    Example:
        >>> are_one(["import os", "import os.path"]), are_one(["SCALE = 1", "SCALE = 2"])
        (True, False)
    """
    lines = {line for each in statements for line in each.split("\n")}
    plain = all(line.startswith("import ") and " as " not in line for line in lines)
    return plain or len(set(statements)) == 1


def _is_plain(statement: ast.stmt) -> bool:
    """Return whether an assignment has names only on its left side."""
    if isinstance(statement, ast.Assign):
        return all(isinstance(each, ast.Name) for each in statement.targets)
    return not isinstance(statement, ast.AnnAssign) or isinstance(statement.target, ast.Name)


def _modules(statement: ast.stmt, name: str) -> list[str]:
    """Return the first names of the modules that an import of a name needs; ``feast`` if none."""
    if isinstance(statement, ast.ImportFrom):
        return [_root(statement.module) if not statement.level else "feast"]
    if isinstance(statement, ast.Import):
        return [_root(each.name) for each in statement.names if _bound(each) == name]
    return []


def _aliases(statement: ast.stmt) -> list[str]:
    return [each.name for each in statement.names] if isinstance(statement, ast.ImportFrom) else []


def _root(module: str | None) -> str:
    return (module or "").split(".")[0]


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.split(".")[0]


def _import_of(statement: ast.stmt, name: str) -> str:
    """Return an import statement for one name."""
    if isinstance(statement, ast.ImportFrom):
        aliases = [each for each in statement.names if _bound(each) == name]
        return ast.unparse(ast.ImportFrom(statement.module, aliases[-1:], 0))
    names = statement.names if isinstance(statement, ast.Import) else []
    return "\n".join(ast.unparse(ast.Import([each])) for each in names if _bound(each) == name)
