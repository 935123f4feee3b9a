"""A few view definitions that together use every rule; generated worlds fill their tables.

One table holds many worlds, each under its own number: the join key ``world``.
"""

from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime

import featurestore as fs
from featurestore.definitions.model.functions import (
    FUNCTION_SPECS,
    FunctionSpec,
    output_type,
    parse_function,
)
from featurestore.definitions.model.types import DataType
from featurestore.definitions.model.view import FeatureReference
from featurestore.times import to_micros

WORLD = fs.Entity("world", join_keys=(fs.Field("world", fs.Int64),))
CARD = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),))
PERSON = fs.Entity("person", join_keys=(fs.Field("name", fs.String), fs.Field("born", fs.Date)))
FLAGGED = fs.Entity(
    "flagged", join_keys=(fs.Field("active", fs.Boolean), fs.Field("small_id", fs.Int32))
)

VALUES: dict[str, DataType] = {
    "whole": fs.Int64,
    "small": fs.Int32,
    "real": fs.Float64,
    "single": fs.Float32,
    "word": fs.String,
    "price": fs.Decimal(10, 2),
    "day": fs.Date,
    "seen": fs.Timestamp,
    "flag": fs.Boolean,
    "bits": fs.Binary,
    "path": fs.Array(fs.Int64),
}

RECENT = to_micros(datetime(2026, 3, 1, tzinfo=UTC))
AROUND_1970 = -15_000_000


@dataclass(frozen=True, eq=False)
class Shape:
    """A view, with the times of its worlds.

    Args:
        view: The definition; the world need not be its first join key.
        start: The first moment of its worlds, in microseconds.
        uses: The uses of the view in queries.
    """

    view: fs.FeatureView
    _: KW_ONLY
    start: int = RECENT
    uses: tuple[FeatureReference, ...] = ()

    @property
    def name(self) -> str:
        """The view's name."""
        return self.view.name


def shape(
    name: str,
    *entities: fs.Entity,
    columns: tuple[str, ...] = tuple(VALUES),
    aggregations: tuple[fs.Aggregation, ...] = (),
    start: int = RECENT,
    source: dict[str, object],
    **options: object,
) -> Shape:
    """Return a shape with some of the value columns; views of columns are also used strictly."""
    view = fs.FeatureView(
        name,
        entities=entities,
        source=fs.DeltaSource(name, path=f"data/{name}", timestamp_field="at", **source),
        schema=tuple(fs.Field(column, VALUES[column]) for column in columns),
        aggregations=aggregations,
        **options,
    )
    renamed = view.with_join_keys({key.name: f"spine_{key.name}" for key in view.join_keys})
    uses = (renamed,) if aggregations else (renamed, renamed.strictly_before().with_prefix("b_"))
    return Shape(view, start=start, uses=uses)


def aggregations(options: dict[str, object], *texts: str) -> tuple[fs.Aggregation, ...]:
    """Return an aggregation for each ``column:function``."""
    pairs = [text.split(":") for text in texts]
    return tuple(fs.Aggregation(column, function, **options) for column, function in pairs)


CHOSEN = (
    *("*:count", "whole:sum", "whole:count_distinct", "whole:mode", "whole:top2", "small:mean"),
    *("small:p90", "small:min", "real:sum", "real:mean", "real:variance", "real:max"),
    *("real:count_distinct", "single:stddev", "single:p50", "single:sum", "word:count"),
    *("word:first", "word:last", "word:max", "word:mode", "word:count_distinct", "word:last3"),
    *("price:sum", "price:min", "day:max", "day:first2", "seen:last", "flag:any", "flag:all"),
    *("bits:last", "path:last"),
)
"""Functions of columns whose types an engine may handle differently."""


def columns_of(spec: FunctionSpec) -> list[str]:
    """Return the columns of which a function has an answer."""
    return [name for name, dtype in VALUES.items() if output_type(spec.sample, dtype)]


NAMES = {parse_function(text.partition(":")[2]).name for text in CHOSEN}
EVERY_FUNCTION = (
    *CHOSEN,
    *(
        f"{column}:{spec.sample}"
        for name, spec in FUNCTION_SPECS.items()
        if name not in NAMES
        for column in columns_of(spec)
    ),
)

SHAPES = (
    shape(
        "late",
        *(WORLD, CARD),
        source={"available_timestamp_field": "available_at"},
        ttl="4s",
    ),
    shape(
        "revised",
        *(WORLD, CARD),
        source={
            "available_timestamp_field": "available_at",
            "sequence_field": "n",
            "deleted_field": "gone",
            "unique_by": ("change",),
        },
        available_delay="2s",
        start=AROUND_1970,
    ),
    shape(
        "gone",
        *(PERSON, WORLD),
        columns=("word", "real"),
        source={"sequence_field": "n", "deleted_field": "gone", "unit": "us"},
        ttl="0s",
        start=AROUND_1970,
    ),
    shape(
        "exact",
        *(FLAGGED, WORLD),
        columns=("whole", "seen"),
        source={"available_timestamp_field": "available_at", "unique_by": ("at", "word")},
        available_delay="3s",
    ),
    shape(
        "rolling",
        *(WORLD, CARD),
        aggregations=(
            *aggregations({"windows": ("4s", "lifetime")}, *EVERY_FUNCTION),
            *aggregations({"windows": ("9s",), "closed": "right"}, "*:count", "real:sum"),
            *aggregations({"windows": ("9s",), "delay": "3s"}, "word:first", "small:sum"),
            *aggregations({"windows": ("9s",), "by": "word"}, "whole:sum", "*:count"),
            *aggregations({"windows": ("7s",), "empty": -7}, "whole:sum", "real:max"),
        ),
        source={"available_timestamp_field": "available_at", "deleted_field": "gone"},
        available_delay="1s",
    ),
    shape(
        "gridded",
        *(WORLD, PERSON),
        columns=("whole", "real", "word"),
        aggregations=aggregations(
            {
                "windows": (
                    fs.Sliding("9s", every="4s", offset="1s"),
                    fs.Sliding("lifetime", every="5s"),
                    fs.Tumbling("6s", offset="2s"),
                ),
                "delay": "1s",
            },
            *("*:count", "whole:sum", "real:mean", "real:variance", "word:mode", "word:last2"),
        ),
        source={
            "available_timestamp_field": "available_at",
            "sequence_field": "n",
            "deleted_field": "gone",
            "unique_by": ("change",),
        },
        start=AROUND_1970,
    ),
)
