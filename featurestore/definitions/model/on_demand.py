"""`OnDemandFeatureView`: features computed when they are asked for, and stored nowhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from featurestore.definitions.model.source import RequestSource
from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import Code, FeatureReference, FeatureView
from featurestore.definitions.origin import Origin, origin

OnDemandTransform = Mapping[str, str] | Callable[[Any], Any] | Code
"""A SQL expression for each feature, a function of an Arrow table, or such a function's `Code`."""

OnDemandSource = FeatureView | FeatureReference | RequestSource
"""Where inputs come from: features of views, or the request."""


@dataclass(frozen=True)
class OnDemandFeatureView:
    """Features computed at read time, row by row, from other features and request values.

    The same in training sets, historical and latest features. Nothing is materialized.

    Args:
        name: Its name.
        sources: What it is computed from: views, uses of views (``view[["amount_mean_7d"]]``,
            with prefix, join keys, ``strictly_before`` or ``at``), and request sources, whose
            values are columns of the spine or of the rows. ``event_timestamp``, the row's
            moment, comes with them.
        schema: The features.
        transform: ``{feature: "SQL expression"}``, which DuckDB evaluates; or a function of the
            inputs, a `pyarrow.Table` with a column an input, that returns a table, or a mapping
            of names to arrays, with the features' columns. Each row's answer may depend on that
            row alone.
        description: What it describes, for the registry.
        owner: Who answers for it.
        tags: Words to find it by.

    Example:
        >>> from featurestore.definitions.model.types import Float64
        >>> checkout = RequestSource("checkout", schema=(Field("amount", Float64),
        ...                                              Field("credit", Float64)))
        >>> shape = OnDemandFeatureView("payment_shape", sources=(checkout,),
        ...                             schema=(Field("share_of_credit", Float64),),
        ...                             transform={"share_of_credit": "amount / credit"})
        >>> shape.feature_names
        ('share_of_credit',)
    """

    name: str
    _: KW_ONLY
    sources: tuple[OnDemandSource, ...]
    schema: tuple[Field, ...]
    transform: OnDemandTransform
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of its features, in order."""
        return tuple(column.name for column in self.schema)

    @property
    def uses(self) -> tuple[FeatureReference, ...]:
        """The uses of views among its sources, in order."""
        return tuple(
            source if isinstance(source, FeatureReference) else FeatureReference(source)
            for source in self.sources
            if not isinstance(source, RequestSource)
        )

    @property
    def requests(self) -> tuple[RequestSource, ...]:
        """The request sources among its sources, in order."""
        return tuple(source for source in self.sources if isinstance(source, RequestSource))

    def __getitem__(self, features: Sequence[str]) -> "OnDemandReference":
        """Return a use of only these features: ``view[["amount_ratio"]]``."""
        return OnDemandReference(self)[features]

    def with_prefix(self, prefix: str) -> "OnDemandReference":
        """Return a use whose feature names start with ``prefix``."""
        return OnDemandReference(self).with_prefix(prefix)


@dataclass(frozen=True)
class OnDemandReference:
    """One use of an on-demand view in a service; made by the methods of `OnDemandFeatureView`.

    Args:
        view: The on-demand view.
        features: The chosen features; None for all.
        prefix: What the features' names start with.
    """

    view: OnDemandFeatureView
    _: KW_ONLY
    features: tuple[str, ...] | None = None
    prefix: str = ""
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The chosen features' names in the view, without the prefix."""
        return self.view.feature_names if self.features is None else self.features

    def __getitem__(self, features: Sequence[str]) -> "OnDemandReference":
        """Return the same use with only these features."""
        names = (features,) if isinstance(features, str) else tuple(features)
        return replace(self, features=names)

    def with_prefix(self, prefix: str) -> "OnDemandReference":
        """Return the same use with feature names that start with ``prefix``."""
        return replace(self, prefix=prefix)
