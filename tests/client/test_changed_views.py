"""Between the apply of a change and the end of the new build, readers see what stays as it was."""

import pytest

import featurestore as fs
from tests.client.shop import DEFINITIONS, at

SPINE = [{"id": 1, "event_timestamp": at(3)}, {"id": 2, "event_timestamp": at(8)}]
ONE_FIELD, ADDED = 'fs.Field("city", fs.String),)', 'fs.Field("age", fs.Int64),'


def change(store: fs.FeatureStore, old: str, new: str) -> None:
    """Change the definitions' text and apply it."""
    assert old in DEFINITIONS
    text = DEFINITIONS.replace(old, new, 1)
    (store.settings.folder / "feature_defs" / "shop.py").write_text(text)
    store.apply(store.plan())


def answers(store: fs.FeatureStore, *features: str) -> dict[str, list[object]]:
    return store.get_historical_features(list(features), SPINE).to_arrow().to_pydict()


def test_a_new_field_stops_no_read_of_the_features_that_stay(filled: fs.FeatureStore) -> None:
    before = answers(filled, "profile:city", "activity:amount_sum_2h")

    change(filled, ONE_FIELD, f'fs.Field("city", fs.String), {ADDED})')

    assert answers(filled, "profile:city", "activity:amount_sum_2h") == before
    assert (
        answers(fs.FeatureStore(filled.settings.folder), "profile:city")["city"] == before["city"]
    )
    assert {view.view: view.state for view in filled.status()}["profile"] == "changed"


def test_the_new_field_itself_is_an_error_that_names_it(filled: fs.FeatureStore) -> None:
    change(filled, ONE_FIELD, f'fs.Field("city", fs.String), {ADDED})')

    for features in (["profile:age"], ["profile:city", "profile:age"], "fraud"):
        with pytest.raises(fs.TableError) as refused:
            filled.get_historical_features(features, SPINE)
        assert "'profile' was changed in age" in refused.value.found
        assert "`featurestore materialize profile`" in refused.value.fix


def test_a_new_window_over_a_new_field_stops_no_other_window(filled: fs.FeatureStore) -> None:
    before = answers(filled, "activity:amount_sum_2h", "activity:count_2h")

    change(
        filled,
        'schema=(fs.Field("amount", fs.Float64),),\n    aggregations=(',
        f'schema=({ADDED} fs.Field("amount", fs.Float64)),\n    aggregations=(\n'
        '        fs.Aggregation("age", "max", windows=("2h",)),',
    )

    assert answers(filled, "activity:amount_sum_2h", "activity:count_2h") == before
    with pytest.raises(fs.TableError, match="changed in age"):
        answers(filled, "activity:age_max_2h")


def test_a_change_that_may_concern_all_values_stops_reads(filled: fs.FeatureStore) -> None:
    change(
        filled,
        f"schema=({ONE_FIELD}",
        f'schema=(fs.Field("city", fs.String), {ADDED}), transform="SELECT * FROM {{source}}"',
    )

    with pytest.raises(fs.TableError) as refused:
        answers(filled, "profile:city")

    assert "'profile' was changed since" in refused.value.found
