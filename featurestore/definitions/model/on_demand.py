"""`OnDemandFeatureView`: features computed at read time, and stored nowhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from featurestore.definitions.model.arguments import (
    feature_tuple,
    named_arguments,
    unify_arguments,
)
from featurestore.definitions.model.source import RequestSource
from featurestore.definitions.model.summary import repr_line, view_html
from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import Code, FeatureReference, FeatureView
from featurestore.definitions.origin import Origin, origin

OnDemandTransform = Mapping[str, str] | Callable[[Any], Any] | Code
"""A SQL expression for each feature; a function of an Arrow table; or the `Code` of a function."""

OnDemandSource = FeatureView | FeatureReference | RequestSource
"""A source of inputs: features of views, or request values."""


@named_arguments
@dataclass(frozen=True)
class OnDemandFeatureView:
    """Features computed at read time, row by row, from other features and request values.

    They are computed alike in training sets, historical features and latest features. Nothing is
    materialized.

    Args:
        name: Its name.
        sources: The sources of its inputs: views, uses of views (``view[["amount_mean_7d"]]``,
            with prefix, join keys, ``strictly_before`` or ``at``), and request sources, whose
            values are columns of the spine. The row's moment is always an input,
            ``event_timestamp``.
        schema: The features.
        transform: ``{feature: "SQL expression"}``, which DuckDB evaluates; or a function. The
            function takes the inputs as a `pyarrow.Table` with a column for each input, and
            returns a table, or a mapping of names to arrays, with a column for each feature. A
            row's result may depend on that row alone.
        description: A description, for the registry.
        owner: The person or team in charge.
        tags: Search terms.

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

    def __post_init__(self) -> None:
        unify_arguments(self)

    def __repr__(self) -> str:
        """Return its name and its features in one line."""
        return repr_line("OnDemandFeatureView", self.name, lambda: self.feature_names)

    def _repr_html_(self) -> str:
        return view_html(self.name, self.description, self.schema, self.feature_names)

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
        prefix: The prefix of the features' names.
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
        return replace(self, features=feature_tuple(self.view.name, features))

    def with_prefix(self, prefix: str) -> "OnDemandReference":
        """Return the same use with feature names that start with ``prefix``."""
        return replace(self, prefix=prefix)
