"""`Issue`: one problem of the definitions, at the line to correct."""

from dataclasses import dataclass, field

from featurestore.definitions.origin import Origin

NO_DATA = "source_has_data"
"""The rule of an issue about a source without data, which may still come."""


@dataclass(frozen=True)
class Issue:
    """One problem of the definitions.

    Args:
        origin: The line to correct.
        message: The definition, what is wrong with it, and what to write instead.
        rule: The name of the rule that found the problem.

    Example:
        >>> print(Issue(Origin("feature_defs/fraud.py", 12), "view 'v' has no features"))
        feature_defs/fraud.py:12: view 'v' has no features
    """

    origin: Origin
    message: str
    rule: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}"


def label(declared: object) -> str:
    """Return how messages name a definition: by its kind and its name.

    Example:
        >>> from featurestore.definitions.model.entity import Entity
        >>> label(Entity("card", join_keys=()))
        "entity 'card'"
    """
    name = type(declared).__name__
    kind = name.removeprefix("Feature").lower()
    kind = "source" if kind.endswith("source") else kind
    kind = "on-demand view" if name.startswith("OnDemand") else kind
    return f"{kind} {getattr(declared, 'name', '')!r}"
