"""How a notebook shows views: a table of their columns and features."""

from collections.abc import Sequence

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
