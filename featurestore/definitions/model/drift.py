"""`Drift`: how far the values of a feature may move away from earlier ones."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Literal, get_args

from featurestore.definitions.model.arguments import named_arguments
from featurestore.definitions.origin import Origin, origin

TRAINING_SET = "training_set:"
"""What ``against`` starts with where a saved training set follows."""

Measure = Literal["psi", "js", "ks", "cramers_v", "nulls"]
"""A measure of drift, which is also an argument of `Drift`."""
MEASURES: tuple[Measure, ...] = get_args(Measure)


@named_arguments
@dataclass(frozen=True)
class Drift:
    """The thresholds of one feature: how far its values may move away from earlier ones.

    `featurestore monitor` compares the profiles of runs with them. A distance that is greater is a
    breach, unless chance alone explains it.

    Args:
        feature: The feature, or a column of the view's schema.
        psi: The greatest population stability index. By custom, 0.1 is a small change, and 0.25 a
            great one.
        js: The greatest Jensen-Shannon distance, below 1.
        ks: The greatest Kolmogorov-Smirnov distance of numbers or times, below 1.
        cramers_v: The greatest size of the difference that a chi-squared test finds between texts
            or Booleans, below 1.
        nulls: The greatest difference between the shares of nulls, below 1.
        against: What the newest profile is compared with: ``"previous"`` for the profile before
            it, ``"first"`` for the first one of the view, ``"training_set:NAME"`` for a saved
            training set.

    Example:
        >>> Drift("amount_sum_1h", psi=0.2, nulls=0.05).thresholds
        {'psi': 0.2, 'nulls': 0.05}
    """

    feature: str
    _: KW_ONLY
    psi: float | int | None = None
    js: float | int | None = None
    ks: float | int | None = None
    cramers_v: float | int | None = None
    nulls: float | int | None = None
    against: str = "previous"
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    @property
    def thresholds(self) -> dict[Measure, float]:
        """The declared thresholds, by measure."""
        declared = ((name, getattr(self, name)) for name in MEASURES)
        return {name: value for name, value in declared if value is not None}
