"""The table of aggregation functions in docs/semantics.md, written from their specifications."""

from featurestore.definitions.model.functions import (
    FUNCTION_SPECS,
    FunctionSpec,
    functions_that_take,
    output_type,
)
from featurestore.definitions.model.types import (
    JOIN_KEY_TYPES,
    SCALARS,
    Array,
    Decimal,
    Float64,
    is_number,
)

KINDS = {
    **{str(scalar): scalar for scalar in SCALARS},
    "Decimal": Decimal(10, 2),
    "arrays": Array(Float64),
}
"""The kinds of columns, each with a type of that kind."""

NUMBERS = {kind for kind, dtype in KINDS.items() if is_number(dtype)}


def function_table() -> str:
    """Return the functions as a Markdown table."""
    cells = [
        ("function", "of a column of", "answer", "of an empty window"),
        ("---", "---", "---", "---"),
        *map(_row, FUNCTION_SPECS.values()),
        _row_of_categories(),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def _row(spec: FunctionSpec) -> tuple[str, ...]:
    """Return a function's cells."""
    answer = spec.description
    if spec.numbered is not None:
        least, most = (spec.written(n) for n in (spec.numbered.least, spec.numbered.most))
        answer += f'; written `"{least}"` to `"{most}"`'
    empty = "null" if spec.empty is None else "empty list" if spec.empty == () else spec.empty
    return f"`{spec.name}`", _kinds(spec), answer, str(empty)


def _kinds(spec: FunctionSpec) -> str:
    """Return in words of which columns a function has an answer."""
    kinds = [kind for kind, dtype in KINDS.items() if output_type(spec.sample, dtype)]
    others = [kind for kind in KINDS if kind not in kinds]
    rows = ', and `"*"`' if "*" in spec.takes else ""
    if set(kinds) == NUMBERS:
        return f"numbers{rows}"
    if not others:
        return f"every type{rows}"
    if len(others) < len(kinds):
        return f"every type but {_listed(others)}{rows}"
    return _listed(kinds) + rows


def _row_of_categories() -> tuple[str, ...]:
    """Return the cells of the functions that answer with a map."""
    functions = ", ".join(f"`{name}`" for name in functions_that_take("by"))
    types = [str(dtype) for dtype in JOIN_KEY_TYPES]
    return (
        f'{functions} with `by="field"`',
        f"as without `by`; `by` names a field of type {', '.join(types[:-1])} or {types[-1]}",
        "a map, ordered by its keys: from each value of this field in the window to the count or "
        "sum of its rows. Rows where the field is null are left out, and so are values of the "
        "field without a count or sum",
        "empty map",
    )


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
