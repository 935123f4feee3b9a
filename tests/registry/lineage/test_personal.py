"""A derived view inherits the marks of personal fields from its upstream view."""

import pytest

import featurestore as fs
from featurestore.definitions.model.view import Code
from featurestore.monitoring.columns import personal_features, stored_columns_of
from featurestore.registry.lineage.personal import personal_columns

card = fs.Entity("card", join_keys=fs.Field("id", fs.Int64))
paid = fs.DeltaSource("paid", path="p", timestamp_field="at")
name = fs.Field("name", fs.String, personal=True)
age, city = fs.Field("age", fs.Int64, personal=True), fs.Field("city", fs.String)
people = fs.FeatureView("people", entities=card, source=paid, schema=[name, age, city])
plain = fs.FeatureView("plain", entities=card, source=paid, schema=[city])
HEAD = "SELECT id, event_timestamp, _row_metadata"


def derived(
    transform: str | Code | None, *fields: str, source: fs.FeatureView = people
) -> fs.FeatureView:
    schema = [fs.Field(each, fs.String) for each in fields]
    return fs.FeatureView(
        "derived", entities=card, source=source, schema=schema, transform=transform
    )


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (people, {"name", "age"}),
        (derived(None, "name", "city"), {"name"}),
        (derived(f"{HEAD}, upper(NAME) AS loud, city FROM {{source}}", "loud", "city"), {"loud"}),
        (derived(f"{HEAD}, concat(city, age) AS x FROM {{source}}", "x"), {"x"}),
        (derived(f"{HEAD}, city FROM {{source}} WHERE age > 3", "city"), set()),
        (derived(Code("f", "def f(rows): ...", "f1"), "x", "city"), {"x", "city"}),
        (derived(Code("f", "def f(rows): ...", "f1"), "x", source=plain), set()),
        (derived(f"{HEAD}, x FROM {{source}} PIVOT (max(age) FOR city IN ('Oslo'))", "x"), {"x"}),
    ],
)
def test_a_field_that_is_made_from_a_personal_one_is_personal(
    view: fs.FeatureView, expected: set[str]
) -> None:
    assert personal_columns(view) == expected
    shown = {each.name for each in stored_columns_of(view) if each.personal and not each.key}
    assert shown == expected


def test_marks_go_on_through_several_views_and_to_window_features() -> None:
    first = derived(f"{HEAD}, upper(name) AS loud, city FROM {{source}}", "loud", "city")
    second = fs.FeatureView(
        "second", entities=card, source=first,
        schema=[fs.Field("loud", fs.String), city],
        aggregations=[
            fs.Aggregation("loud", "last", windows="1d"),
            fs.Aggregation("loud", "count_distinct", windows="1d"),
            fs.Aggregation("city", "mode", windows="1d"),
        ],
    )  # fmt: skip

    assert personal_columns(second) == {"loud"}
    assert personal_features(second) == {"loud_last_1d"}
