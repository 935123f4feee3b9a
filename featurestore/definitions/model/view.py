"""`FeatureView`: features of one source, and `FeatureReference`: how a service uses a view."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import Roles, Source
from featurestore.definitions.model.types import Field
from featurestore.definitions.origin import Origin, origin
from featurestore.definitions.reserved import AVAILABLE_TIME, EVENT_TIME, SEQUENCE
from featurestore.times import parse_duration


@dataclass(frozen=True)
class Code:
    """A function's text and fingerprint, as the registry keeps it: to read, never to run.

    Args:
        name: The function's name.
        text: Its lines.
        fingerprint: Of it and of all that it reaches.
        module: Where it is declared; an on-demand function is imported from there.

    Example:
        >>> Code("only_settled", "def only_settled(df): ...", "9f3c").name
        'only_settled'
    """

    name: str
    text: str
    fingerprint: str
    module: str = ""


Transform = Callable[[Any], Any] | str | Code
"""A PySpark function of a DataFrame, SQL over ``{source}``, or such a function's `Code`."""


@dataclass(frozen=True)
class FeatureView:
    """Features that come from one source and share keys and times.

    Args:
        name: Its name.
        entities: Whose features these are; ``()`` for features without keys.
        source: Where the rows come from; another view for a derived view, which is made of
            that view's stored rows.
        schema: The features; with ``aggregations``, the columns that those aggregate.
        transform: A PySpark function from DataFrame to DataFrame, or SQL that selects from
            ``{source}``. It works row by row: materialization runs it on each batch of new rows.
        aggregations: Window features; with any, the view's features are these alone.
        ttl: How long after its event a row still answers; None for ever, ``"0s"`` for the
            exact moment only.
        available_delay: How long after ``available_timestamp_field`` (or the event) a row is
            first known, e.g. the time the nightly load takes.
        latest: Whether runs refresh the view's ``latest`` table.
        description: What it describes, for the registry.
        owner: Who answers for it.
        tags: Words to find it by.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> from featurestore.definitions.model.types import Float64, String
        >>> card = Entity("card", join_keys=(Field("card_id", String),))
        >>> paid = DeltaSource("payments", path="data/payments", timestamp_field="paid_at")
        >>> view = FeatureView("activity", entities=(card,), source=paid,
        ...                    schema=(Field("amount", Float64),),
        ...                    aggregations=(Aggregation("amount", "sum", windows=("7d",)),))
        >>> view.feature_names
        ('amount_sum_7d',)
    """

    name: str
    _: KW_ONLY
    entities: tuple[Entity, ...]
    source: "Source | FeatureView"
    schema: tuple[Field, ...]
    transform: Transform | None = None
    aggregations: tuple[Aggregation, ...] = ()
    ttl: str | None = None
    available_delay: str = "0s"
    latest: bool = True
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    @property
    def join_keys(self) -> tuple[Field, ...]:
        """The join keys of all its entities, in order."""
        return tuple(key for entity in self.entities for key in entity.join_keys)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of its features, in order."""
        if self.aggregations:
            return tuple(name for agg in self.aggregations for name in agg.feature_names)
        return tuple(column.name for column in self.schema)

    @property
    def source_roles(self) -> Roles:
        """The source's columns that have a role; none of a derived view.

        The rows of its source view bring their times, order and identity as row metadata.
        """
        return Roles() if isinstance(self.source, FeatureView) else self.source.roles

    @property
    def unique_columns(self) -> tuple[str, ...]:
        """The stored columns that, with the keys, name one event; empty without ``unique_by``.

        The source's time and sequence columns are stored under the names of `reserved`. Rows of
        a derived view are named as in the view that they come from, by its keys too.
        """
        source = self.source
        if isinstance(source, FeatureView):
            mine = {key.name for key in self.join_keys}
            theirs = (key.name for key in source.join_keys if key.name not in mine)
            return (*theirs, *source.unique_columns) if source.unique_columns else ()
        roles = source.roles
        stored = {
            roles.timestamp_field: EVENT_TIME,
            roles.available_timestamp_field: AVAILABLE_TIME,
            roles.sequence_field: SEQUENCE,
        }
        return tuple(stored.get(name, name) for name in roles.unique_by)

    @property
    def has_sequence(self) -> bool:
        """Whether its rows carry a number that orders what is equal in time."""
        source = self.source
        if isinstance(source, FeatureView):
            return source.has_sequence
        return source.roles.sequence_field is not None or source.roles.change_feed

    @property
    def has_tombstones(self) -> bool:
        """Whether some of its rows say that something is gone."""
        source = self.source
        if isinstance(source, FeatureView):
            return source.has_tombstones
        return source.roles.deleted_field is not None or source.roles.change_feed

    @property
    def least_delay(self) -> int:
        """How long after its event a row is known at the soonest, unless it says otherwise.

        In microseconds; delays of the views that it is derived from add up.
        """
        chain = (self, *self.lineage)
        return sum(parse_duration(view.available_delay) for view in chain)

    @property
    def lineage(self) -> "tuple[FeatureView, ...]":
        """The views that it is derived from, the nearest first; none of any other view."""
        source = self.source
        return (source, *source.lineage) if isinstance(source, FeatureView) else ()

    def __getitem__(self, features: Sequence[str]) -> "FeatureReference":
        """Return a use of only these features: ``view[["risk_score"]]``."""
        return FeatureReference(self)[features]

    def with_join_keys(self, columns: Mapping[str, str]) -> "FeatureReference":
        """Return a use whose join keys come from other spine columns: ``{key: column}``."""
        return FeatureReference(self).with_join_keys(columns)

    def with_prefix(self, prefix: str) -> "FeatureReference":
        """Return a use whose feature names start with ``prefix``."""
        return FeatureReference(self).with_prefix(prefix)

    def strictly_before(self) -> "FeatureReference":
        """Return a use that asks for rows before t, where the view holds the labelled event.

        For views without aggregations: windows end before t by themselves.
        """
        return FeatureReference(self).strictly_before()

    def at(self, timestamp_field: str) -> "FeatureReference":
        """Return a use that takes its moment from another time column of the spine."""
        return FeatureReference(self).at(timestamp_field)


@dataclass(frozen=True)
class FeatureReference:
    """One use of a view in a service; made by the methods of `FeatureView`, which it shares.

    Args:
        view: The view.
        features: The chosen features; None for all.
        join_keys: Pairs of the view's join key and the spine's column that fills it.
        prefix: What the features' names start with.
        strict: Whether an event at exactly t is left out.
        timestamp_field: The spine's time column; None for the request's.
    """

    view: FeatureView
    _: KW_ONLY
    features: tuple[str, ...] | None = None
    join_keys: tuple[tuple[str, str], ...] = ()
    prefix: str = ""
    strict: bool = False
    timestamp_field: str | None = None
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The chosen features' names in the view, without the prefix."""
        return self.view.feature_names if self.features is None else self.features

    def __getitem__(self, features: Sequence[str]) -> "FeatureReference":
        """Return the same use with only these features."""
        names = (features,) if isinstance(features, str) else tuple(features)
        return replace(self, features=names)

    def with_join_keys(self, columns: Mapping[str, str]) -> "FeatureReference":
        """Return the same use with join keys from other spine columns: ``{key: column}``."""
        return replace(self, join_keys=tuple(columns.items()))

    def with_prefix(self, prefix: str) -> "FeatureReference":
        """Return the same use with feature names that start with ``prefix``."""
        return replace(self, prefix=prefix)

    def strictly_before(self) -> "FeatureReference":
        """Return the same use of rows strictly before t."""
        return replace(self, strict=True)

    def at(self, timestamp_field: str) -> "FeatureReference":
        """Return the same use at another time column of the spine."""
        return replace(self, timestamp_field=timestamp_field)
