"""Previews of on-demand views that are not applied, with rows that have all their inputs."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import featurestore as fs
from featurestore.errors import DefinitionError, OnDemandError, RequestError, SpineError
from tests.client.shop import at
from tests.effort import examples

card = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),))
paid = fs.DeltaSource("paid", path="data/paid", timestamp_field="at")
activity = fs.FeatureView(
    "activity",
    entities=(card,),
    source=paid,
    schema=(fs.Field("amount", fs.Float64),),
    aggregations=(fs.Aggregation("amount", "mean", windows=("7d",)),),
)
checkout = fs.RequestSource("checkout", schema=(fs.Field("price", fs.Float64),))
SCHEMA = (fs.Field("ratio", fs.Float64), fs.Field("hour", fs.Int64))
SOURCES = (activity.with_prefix("usual_"), checkout)
shape = fs.OnDemandFeatureView(
    "shape",
    sources=SOURCES,
    schema=SCHEMA,
    transform={"ratio": "price / usual_amount_mean_7d", "hour": "hour(event_timestamp)"},
)


def shape_of(inputs: pa.Table) -> dict[str, pa.ChunkedArray]:
    ratio = pc.divide(inputs["price"], inputs["usual_amount_mean_7d"])
    return {"ratio": ratio, "hour": pc.hour(inputs["event_timestamp"])}


by_function = fs.OnDemandFeatureView("shape", sources=SOURCES, schema=SCHEMA, transform=shape_of)
ROW = {"price": 90, "usual_amount_mean_7d": 30.0, "event_timestamp": at(3)}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> fs.FeatureStore:
    """A project without definitions, tables or Spark."""
    folder: Path = tmp_path_factory.mktemp("empty")
    (folder / "featurestore.toml").write_text('project = "empty"\n')
    return fs.FeatureStore(folder)


@pytest.mark.parametrize("view", [shape, by_function])
def test_a_preview_returns_the_rows_with_their_features(
    store: fs.FeatureStore, view: fs.OnDemandFeatureView
) -> None:
    rows = [{**ROW, "order": "a"}, {**ROW, "price": None, "order": "b"}]

    frame = store.preview(view, rows)

    assert frame.features == ("ratio", "hour")
    assert frame.to_arrow().to_pylist() == [
        {**rows[0], "ratio": 3.0, "hour": 3},
        {**rows[1], "ratio": None, "hour": 3},
    ]
    assert list(store.settings.folder.iterdir()) == [store.settings.folder / "featurestore.toml"]


@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.floats(-1e6, 1e6), st.none() | st.floats(1, 1e6), st.integers(0, 23)
        ),
        max_size=9,
    )
)
@examples(20)
def test_sql_and_an_equal_function_have_the_same_preview(
    store: fs.FeatureStore, rows: list[tuple[float | None, float | None, int]]
) -> None:
    kinds = [pa.float64(), pa.float64(), pa.timestamp("us", "UTC")]
    schema = pa.schema(list(zip(ROW, kinds, strict=True)))
    dicts = [dict(zip(ROW, (price, mean, at(hour)), strict=True)) for price, mean, hour in rows]
    spine = pa.Table.from_pylist(dicts, schema)

    by_sql = store.preview(shape, spine).to_arrow()

    assert by_sql == store.preview(by_function, spine).to_arrow()
    assert by_sql.num_rows == len(rows)


def test_missing_inputs_are_named_with_their_sources_and_near_columns(
    store: fs.FeatureStore,
) -> None:
    with pytest.raises(SpineError) as inputs:
        store.preview(shape, [{"usual_amount_mean_7": 30.0, "event_timestamp": at(3)}])
    with pytest.raises(SpineError, match=r"'event_timestamp'"):
        store.preview(shape, [{"price": 90.0, "usual_amount_mean_7d": 30.0}])

    assert inputs.value.call == "preview('shape')"
    assert "'usual_amount_mean_7d' (of 'activity'), 'price' (of 'checkout')" in inputs.value.found
    assert "Did you mean 'usual_amount_mean_7'?" in inputs.value.fix


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ({**ROW, "usual_amount_mean_7d": "30"}, ["'activity'", "string", "Float64"]),
        ({**ROW, "event_timestamp": at(3).replace(tzinfo=None)}, ["timezone="]),
        ({**ROW, "hour": 3}, ["'hour'", "'shape'", "spine column"]),
    ],
)
def test_wrong_inputs_are_errors(
    store: fs.FeatureStore, row: dict[str, object], parts: list[str]
) -> None:
    with pytest.raises(SpineError) as error:
        store.preview(shape, [row])

    assert [part for part in parts if part not in str(error.value)] == []


def test_times_without_a_zone_are_in_the_zone_of_the_argument(store: fs.FeatureStore) -> None:
    row = {**ROW, "event_timestamp": at(3).replace(tzinfo=None)}

    frame = store.preview(shape, [row], timezone="Europe/Berlin")

    assert frame.to_arrow()["hour"].to_pylist() == [2]


def test_a_definition_that_breaks_rules_is_an_error_with_its_file_and_line(
    store: fs.FeatureStore,
) -> None:
    wrong = fs.OnDemandFeatureView(
        "shape",
        sources=SOURCES,
        schema=SCHEMA,
        transform={"ratio": "prize / 2", "hours": "hour(event_timestamp)"},
    )

    with pytest.raises(DefinitionError) as error:
        store.preview(wrong, [ROW])

    origin = f"{Path(__file__)}:{wrong.origin.line}: on-demand view 'shape'"
    issues = [line for line in error.value.found.splitlines() if origin in line]
    assert any("'ratio'" in issue and "'prize'" in issue for issue in issues)
    assert any("'hour'" in issue for issue in issues)


def test_a_function_that_uses_other_rows_is_an_error_with_its_file_and_line(
    store: fs.FeatureStore,
) -> None:
    view = fs.OnDemandFeatureView(
        "shape",
        sources=(checkout,),
        schema=SCHEMA[:1],
        transform=lambda rows: {"ratio": [float(n) for n in range(len(rows))]},
    )
    rows = [{"price": float(n), "event_timestamp": at(n)} for n in range(4)]

    with pytest.raises(OnDemandError, match=rf"test_on_demand.py:{view.origin.line}\)"):
        store.preview(view, rows)


def test_only_views_can_be_previewed(store: fs.FeatureStore) -> None:
    service = fs.FeatureService("fraud", features=(shape,))

    with pytest.raises(RequestError, match=r"FeatureService.*OnDemandFeatureView"):
        store.preview(service, [ROW])  # type: ignore[arg-type]  # what users may try
