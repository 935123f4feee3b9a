"""Manifests for tests: a small one by hand, and all kinds of them by Hypothesis."""

from functools import partial

from hypothesis import strategies as st

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.drift import Drift
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.functions import SAMPLES
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView, OnDemandReference
from featurestore.definitions.model.references import manifest_of
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import (
    DeltaSource,
    FileSource,
    KafkaSource,
    RequestSource,
)
from featurestore.definitions.model.types import (
    SCALARS,
    Array,
    Decimal,
    Field,
    Float64,
    Int64,
    String,
)
from featurestore.definitions.model.view import Code, FeatureReference, FeatureView
from featurestore.definitions.model.window import Sliding, Tumbling

CARD = Entity("card", join_keys=(Field("card_id", String),))
PAYMENTS = DeltaSource("payments", path="data/payments", timestamp_field="paid_at")
ACTIVITY = FeatureView(
    "activity",
    entities=(CARD,),
    source=PAYMENTS,
    schema=(Field("amount", Float64), Field("merchant", String)),
    aggregations=(
        Aggregation("amount", "sum", windows=("1h", "7d")),
        Aggregation("*", "count", windows=("7d",)),
    ),
)
LIMITS = FeatureView(
    "limits",
    entities=(CARD,),
    source=PAYMENTS,
    schema=(Field("limit", Float64), Field("rank", Int64)),
    ttl="30d",
)
SCORING = FeatureService("scoring", features=(ACTIVITY, LIMITS[["limit"]].with_prefix("card_")))
SMALL = manifest_of([SCORING])
CHECKOUT = RequestSource("checkout", schema=(Field("price", Float64),))
SHAPE = OnDemandFeatureView(
    "shape",
    sources=(LIMITS[["limit"]].strictly_before(), ACTIVITY[["amount_sum_1h"]], CHECKOUT),
    schema=(Field("share", Float64), Field("over", Float64)),
    transform={"share": "price / amount_sum_1h", "over": 'price - "limit"'},
)

texts = st.text(max_size=8)
names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
durations = st.sampled_from(["30s", "1h", "7d", "4w"])
labels = {"description": texts, "owner": texts, "tags": st.lists(texts, max_size=2).map(tuple)}
dtypes = st.recursive(
    st.sampled_from(SCALARS)
    | st.integers(1, 38).flatmap(lambda p: st.builds(Decimal, st.just(p), st.integers(0, p))),
    lambda inner: st.builds(Array, inner),
    max_leaves=2,
)
columns = st.builds(Field, names, dtypes, description=texts)
drifts = st.builds(
    Drift,
    names,
    psi=st.none() | st.floats(0, 9),
    nulls=st.none() | st.floats(0, 1),
    against=texts,
)


def _tuples(items: st.SearchStrategy, most: int = 3, least: int = 0) -> st.SearchStrategy:
    unique = st.lists(items, min_size=least, max_size=most, unique_by=lambda item: item.name)
    return unique.map(tuple)


_stored = {
    "path": texts,
    "timestamp_field": names,
    "available_timestamp_field": st.none() | names,
    "sequence_field": st.none() | names,
    "deleted_field": st.none() | names,
    "unique_by": st.lists(names, max_size=2).map(tuple),
    "timezone": st.none() | st.just("Europe/Paris"),
    "unit": st.sampled_from([None, "s", "ms", "us"]),
    **labels,
}
entities = st.builds(Entity, names, join_keys=_tuples(columns, least=1), **labels)
sources = st.one_of(
    st.builds(DeltaSource, names, change_feed=st.booleans(), **_stored),
    st.builds(
        FileSource,
        names,
        format=st.sampled_from(["parquet", "csv", "json"]),
        schema=_tuples(columns),
        **_stored,
    ),
    st.builds(
        KafkaSource,
        names,
        topic=texts,
        servers=texts,
        schema=_tuples(columns),
        options=st.lists(texts, max_size=2).map(tuple),
        **{name: each for name, each in _stored.items() if name != "path"},
    ),
    st.builds(RequestSource, names, schema=_tuples(columns), **labels),
)
windows = st.one_of(
    durations,
    st.builds(Sliding, durations, every=durations, offset=durations),
    st.builds(Tumbling, durations, offset=durations),
)
aggregations = st.builds(
    Aggregation,
    names,
    st.sampled_from(SAMPLES),
    windows=st.lists(windows, max_size=2, unique=True).map(tuple),
    delay=durations,
    closed=st.sampled_from(["left", "right"]),
    empty=st.one_of(st.none(), st.integers(), st.floats(allow_nan=False), texts, st.booleans()),
    ddof=st.sampled_from([0, 1]),
    by=st.none() | names,
    name=st.none() | names,
)
codes = st.builds(Code, names, texts, texts, texts)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Draw definitions that refer to each other, of whatever sense."""
    some_entities = draw(_tuples(entities))
    some_sources = draw(_tuples(sources, least=1))
    views = partial(
        st.builds,
        FeatureView,
        names,
        entities=st.lists(st.sampled_from(some_entities), max_size=2).map(tuple)
        if some_entities
        else st.just(()),
        schema=_tuples(columns),
        transform=st.none() | texts | codes,
        aggregations=st.lists(aggregations, max_size=2).map(tuple),
        ttl=st.none() | durations,
        available_delay=durations,
        latest=st.booleans(),
        drift=st.lists(drifts, max_size=2).map(tuple),
        **labels,
    )
    stored = draw(_tuples(views(source=st.sampled_from(some_sources)), least=1))
    derived = draw(_tuples(views(source=st.sampled_from(stored))))
    taken = {view.name for view in stored}
    some_views = (*stored, *(view for view in derived if view.name not in taken))
    one_view = st.sampled_from(some_views)
    uses = st.builds(
        FeatureReference,
        one_view,
        features=st.none() | st.lists(names, max_size=2).map(tuple),
        join_keys=st.lists(st.tuples(names, names), max_size=2).map(tuple),
        prefix=texts,
        strict=st.booleans(),
        timestamp_field=st.none() | names,
    )
    requests = [source for source in some_sources if isinstance(source, RequestSource)]
    inputs = one_view | uses | st.sampled_from(requests) if requests else one_view | uses
    on_demand = st.builds(
        OnDemandFeatureView,
        names,
        sources=st.lists(inputs, max_size=3).map(tuple),
        schema=_tuples(columns),
        transform=st.dictionaries(names, texts, max_size=2) | codes,
        **labels,
    )
    computed = draw(_tuples(on_demand))
    listed = one_view | uses
    if computed:
        chosen = st.none() | st.lists(names, max_size=2).map(tuple)
        one = st.sampled_from(computed)
        listed |= one | st.builds(OnDemandReference, one, features=chosen, prefix=texts)
    services = st.builds(
        FeatureService, names, features=st.lists(listed, max_size=3).map(tuple), **labels
    )
    stored = [*some_entities, *some_sources, *some_views]
    return Manifest.of([*stored, *computed, *draw(_tuples(services))])
