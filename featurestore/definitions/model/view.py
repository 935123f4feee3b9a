"""`FeatureView`: features of one source. `FeatureReference`: the use of a view in a service."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Literal

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.arguments import (
    feature_tuple,
    join_key_pairs,
    named_arguments,
    unify_arguments,
)
from featurestore.definitions.model.drift import Drift
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import Roles, Source
from featurestore.definitions.model.summary import repr_line, view_html
from featurestore.definitions.model.types import Field
from featurestore.definitions.origin import Origin, origin
from featurestore.definitions.reserved import AVAILABLE_TIME, EVENT_TIME, SEQUENCE
from featurestore.times import parse_duration


@dataclass(frozen=True)
class Code:
    """A function as the registry stores it: its text, which is never run, and its fingerprint.

    Args:
        name: The function's name.
        text: Its lines.
        fingerprint: The fingerprint of the function and its dependencies.
        module: The module that declares it; an on-demand function is imported from there.

    Example:
        >>> Code("only_settled", "def only_settled(df): ...", "9f3c").name
        'only_settled'
    """

    name: str
    text: str
    fingerprint: str
    module: str = ""


Transform = Callable[[Any], Any] | str | Code
"""A PySpark function of a DataFrame; SQL over ``{source}``; or the `Code` of a function."""

SchemaContract = Literal["ignore", "evolve", "freeze"]
"""Which changes of a source's columns a view takes."""


@named_arguments
@dataclass(frozen=True)
class FeatureView:
    """Features of one source, with common keys and times.

    Args:
        name: Its name.
        entities: The entities that the features describe; ``()`` for features without keys.
        source: The source of its rows. If it is another view, this view is derived from the
            stored rows of that view.
        schema: The features; with ``aggregations``, the columns to aggregate.
        transform: A PySpark function from DataFrame to DataFrame, or SQL that selects from
            ``{source}``. It must work row by row: materialization runs it on each batch of new
            rows.
        aggregations: Window features. If there are any, they are the view's only features.
        ttl: The greatest age of a row's event at the moment of an answer; None for no limit,
            ``"0s"`` for an event at exactly that moment.
        available_delay: The delay between ``available_timestamp_field`` (or the event) and the
            row's availability, e.g. the duration of a nightly load.
        snapshot: Whether each run reads the source whole, as its state at that moment, and stores
            the changes since the last run: for a table with one row for each key, such as shops
            or tariffs, that is replaced or updated and has no usable time of its own.
        latest: Whether runs refresh the view's ``latest`` table.
        schedule: When `materialize --due` shall run the view: five fields of cron, in UTC. None
            for views that run only when they are named.
        expectations: What its rows must be like: a pandera schema, a function that returns one,
            or `Expectations` with options. Rows that are not go to the quarantine.
        schema_contract: Which changes of the source's columns a run takes: with ``"ignore"`` all
            of columns that the view does not use, with ``"evolve"`` new columns and other types
            that hold the values, with ``"freeze"`` none.
        drift: How far the values of features may move away from earlier ones, for
            `featurestore monitor`.
        profile: Whether runs record statistics of its rows and features.
        description: A description, for the registry.
        owner: The person or team in charge.
        tags: Search terms.

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
    snapshot: bool = False
    latest: bool = True
    schedule: str | None = None
    # A schema of pandera cannot be hashed.
    expectations: Any = field(default=None, repr=False, hash=False)
    schema_contract: SchemaContract = "ignore"
    drift: tuple[Drift, ...] = ()
    profile: bool = True
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        unify_arguments(self)

    @property
    def join_keys(self) -> tuple[Field, ...]:
        """The join keys of all its entities, in order."""
        return tuple(key for entity in self.entities for key in entity.join_keys)

    def __repr__(self) -> str:
        """Return its name and its features in one line."""
        return repr_line("FeatureView", self.name, lambda: self.feature_names)

    def _repr_html_(self) -> str:
        return view_html(self.name, self.description, self.schema, self.feature_names)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of its features, in order."""
        if self.aggregations:
            return tuple(name for agg in self.aggregations for name in agg.feature_names)
        return tuple(column.name for column in self.schema)

    @property
    def source_roles(self) -> Roles:
        """The source's columns that have a role; none of a derived view or a snapshot view.

        The rows of an upstream view bring their times, order and identity as row metadata. The
        time of a snapshot's row is that of the run which found it changed.
        """
        if self.snapshot or isinstance(self.source, FeatureView):
            return Roles()
        return self.source.roles

    @property
    def unique_columns(self) -> tuple[str, ...]:
        """The stored columns that, with the keys, identify one event; empty without ``unique_by``.

        The source's time and sequence columns are stored under the names of `reserved`. The
        events of a derived view are those of its upstream view: its keys identify them too.
        """
        source = self.source
        if isinstance(source, FeatureView):
            own = {key.name for key in self.join_keys}
            keys = (key.name for key in source.join_keys if key.name not in own)
            return (*keys, *source.unique_columns) if source.unique_columns else ()
        roles = self.source_roles
        stored = {
            roles.timestamp_field: EVENT_TIME,
            roles.available_timestamp_field: AVAILABLE_TIME,
            roles.sequence_field: SEQUENCE,
        }
        return tuple(stored.get(name, name) for name in roles.unique_by)

    @property
    def has_sequence(self) -> bool:
        """Whether its rows have a number that orders rows of equal times."""
        source = self.source
        if isinstance(source, FeatureView):
            return source.has_sequence
        roles = self.source_roles
        return roles.sequence_field is not None or roles.change_feed

    @property
    def has_tombstones(self) -> bool:
        """Whether rows may be tombstones."""
        source = self.source
        if isinstance(source, FeatureView):
            return source.has_tombstones
        roles = self.source_roles
        return self.snapshot or roles.deleted_field is not None or roles.change_feed

    @property
    def total_available_delay(self) -> int:
        """The available delay in microseconds, with the delays of the views it derives from."""
        chain = (self, *self.lineage)
        return sum(parse_duration(view.available_delay) for view in chain)

    @property
    def lineage(self) -> "tuple[FeatureView, ...]":
        """The views that it is derived from, the nearest first; empty for other views."""
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
        """Return a use of rows strictly before t, for a view that contains the labelled event.

        Only for views without aggregations: windows end before t by default.
        """
        return FeatureReference(self).strictly_before()

    def at(self, timestamp_field: str) -> "FeatureReference":
        """Return a use at the moment in another time column of the spine."""
        return FeatureReference(self).at(timestamp_field)


@dataclass(frozen=True)
class FeatureReference:
    """One use of a view in a service; made by the methods of `FeatureView`, which it shares.

    Args:
        view: The view.
        features: The chosen features; None for all.
        join_keys: Pairs of a join key of the view and the spine column with its values.
        prefix: The prefix of the features' names.
        strict: Whether an event at exactly t is excluded.
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
        return replace(self, features=feature_tuple(self.view.name, features))

    def with_join_keys(self, columns: Mapping[str, str]) -> "FeatureReference":
        """Return the same use with join keys from other spine columns: ``{key: column}``."""
        return replace(self, join_keys=join_key_pairs(columns))

    def with_prefix(self, prefix: str) -> "FeatureReference":
        """Return the same use with feature names that start with ``prefix``."""
        return replace(self, prefix=prefix)

    def strictly_before(self) -> "FeatureReference":
        """Return the same use of rows strictly before t."""
        return replace(self, strict=True)

    def at(self, timestamp_field: str) -> "FeatureReference":
        """Return the same use at another time column of the spine."""
        return replace(self, timestamp_field=timestamp_field)
