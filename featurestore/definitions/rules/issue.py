"""`Issue`: one problem of the definitions, and the place that has to change."""

from dataclasses import dataclass

from featurestore.definitions.origin import Origin


@dataclass(frozen=True)
class Issue:
    """A problem: where it stands, what is wrong, and what to write.

    Example:
        >>> print(Issue(Origin("feature_defs/fraud.py", 12), "view 'v' has no features"))
        feature_defs/fraud.py:12: view 'v' has no features
    """

    origin: Origin
    message: str

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}"


def label(declared: object) -> str:
    """Return what a message calls a definition: its kind and its name.

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
