"""How definitions are shown: one line, and in a notebook a table of columns and features."""

from collections.abc import Callable, Iterable, Sequence

from featurestore.definitions.model.types import Field
from featurestore.notebook import html_table


def view_html(
    name: str, description: str, schema: Sequence[Field], features: Sequence[str]
) -> str:
    """Return a view as HTML: its features with their types, or its columns and its features.

    Args:
        name: The view's name.
        description: Its description.
        schema: Its columns.
        features: The names of its features.

    Example:
        >>> from featurestore.definitions.model.types import Int64
        >>> view_html("activity", "", (Field("amount", Int64),), ("amount",))
        '<p><b>view activity</b></p>...<td>amount</td><td>Int64</td><td></td>...'
    """
    columns = [(each.name, each.dtype, each.description) for each in schema]
    computed = [each for each in features if each not in {field.name for field in schema}]
    note = "; ".join(
        text
        for text in (description, f"features: {', '.join(computed)}" if computed else "")
        if text
    )
    return html_table(f"view {name}", ("column", "type", "description"), columns, note)


def repr_line(kind: str, name: object, parts: Callable[[], Iterable[object]]) -> str:
    """Return a definition in one line, also one with arguments that `validate` would refuse.

    Args:
        kind: The name of its class.
        name: Its name.
        parts: A function that returns what it has, such as its features.

    Example:
        >>> repr_line("FeatureView", "profile", lambda: ["age", "city"])
        "FeatureView('profile': age, city)"
    """
    try:
        text = ", ".join(map(str, parts()))
    except (AttributeError, TypeError):  # an argument of another type
        text = "not valid: `featurestore validate` says why"
    return f"{kind}({name!r}: {text})"
