"""Feast's projections: uses of a view with chosen features, other keys, and another name."""

from collections.abc import Sequence

from featurestore.integrations.feast.translation.columns import Record
from featurestore.integrations.feast.translation.context import Context
from featurestore.integrations.feast.translation.names import plain
from featurestore.integrations.feast.translation.python_text import Code, text


def use(context: Context, projection: Record, prefix: str = "") -> Code:
    """Return the use of a view that is written.

    Args:
        context: The translation.
        projection: Feast's projection.
        prefix: The prefix of the features' names.
    """
    view = context.views[projection["view"]]
    chosen = kept(context, projection)
    code = view.variable
    if chosen != list(view.features.values()):
        code += f"[[{', '.join(map(text, chosen))}]]"
    if projection["join_keys"]:
        pairs = (f"{text(plain(k))}: {text(v)}" for k, v in projection["join_keys"].items())
        code += f".with_join_keys({{{', '.join(pairs)}}})"
    if prefix:
        code += f".with_prefix({text(prefix)})"
    return Code(code)


def kept(context: Context, projection: Record) -> list[str]:
    """Return our names of the chosen features that are not left out."""
    known = context.views[projection["view"]].features
    chosen: Sequence[str] = projection["features"] or list(known)
    return [known[name] for name in chosen if name in known]
