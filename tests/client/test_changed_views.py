"""From the apply of a change to the end of the new build, what was answered is still answered."""

from dataclasses import replace

import pytest

import featurestore as fs
from featurestore.store.current import CurrentTable, CurrentTables
from featurestore.store.ledger.tables import Tables
from tests.client.shop import DEFINITIONS, HOUR, at, write_view
from tests.tables import feature_table

SPINE = [{"id": 1, "event_timestamp": at(3)}, {"id": 2, "event_timestamp": at(8)}]
ONE_FIELD, ADDED = 'fs.Field("city", fs.String),)', 'fs.Field("age", fs.Int64),'
TWO_FIELDS = f'fs.Field("city", fs.String), {ADDED})'
pytestmark = pytest.mark.filterwarnings("ignore:.*is answered by its definition:UserWarning")


def change(store: fs.FeatureStore, *changes: tuple[str, str]) -> None:
    """Change the definitions' text and apply it."""
    declare(store, changed(DEFINITIONS, *changes))


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def declare(store: fs.FeatureStore, text: str) -> None:
    (store.settings.folder / "feature_defs" / "shop.py").write_text(text)
    store.apply(store.plan())


def answers(store: fs.FeatureStore, features: str | list[str]) -> dict[str, list[object]]:
    return store.get_historical_features(features, SPINE).to_arrow().to_pydict()


CHANGES = {
    "a field is added": [(ONE_FIELD, TWO_FIELDS)],
    "a field gets another type": [('Field("city", fs.String)', 'Field("city", fs.Binary)')],
    "a field is replaced": [(ONE_FIELD, f"{ADDED})")],
    "a transform is added": [
        (f"schema=({ONE_FIELD}", f'schema=({ONE_FIELD}, transform="SELECT * FROM {{source}}"')
    ],
    "a delay is added": [(f"schema=({ONE_FIELD}", f'schema=({ONE_FIELD}, available_delay="1h"')],
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_a_change_of_a_table_stops_no_read(
    filled: fs.FeatureStore, changes: list[tuple[str, str]]
) -> None:
    requests: list[str | list[str]] = ["fraud", "profile", ["profile:city", "activity:count_2h"]]
    before = [answers(filled, each) for each in requests]

    change(filled, *changes)

    again = fs.FeatureStore(filled.settings.folder)
    assert [answers(filled, each) for each in requests] == before
    assert [answers(again, each) for each in requests] == before
    assert again.verify("fraud", sample=20).ok


def test_status_names_the_definition_that_answers_follow(filled: fs.FeatureStore) -> None:
    assert {view.answers_by for view in filled.status()} == {None}

    change(filled, (ONE_FIELD, TWO_FIELDS))

    states = {view.view: (view.state, view.answers_by) for view in filled.status()}
    assert states["profile"] == ("changed", 1)
    assert states["activity"] == ("current", None)


def test_a_call_warns_that_the_applied_definition_has_no_table_yet(
    filled: fs.FeatureStore,
) -> None:
    change(filled, (ONE_FIELD, TWO_FIELDS))

    with pytest.warns(UserWarning, match="'profile'") as warned:
        answers(filled, "fraud")

    assert [warning.filename for warning in warned] == [__file__]
    assert "age" in str(warned[0].message)


@pytest.mark.parametrize("features", ["profile:age", ["profile:city", "profile:age"]])
def test_a_new_feature_is_an_error_that_names_its_view(
    filled: fs.FeatureStore, features: str | list[str]
) -> None:
    change(filled, (ONE_FIELD, TWO_FIELDS))

    with pytest.raises(fs.TableError) as refused:
        answers(filled, features)
    with pytest.raises(fs.TableError) as no_field:
        filled.get_label_spine("profile", columns=["age"])
    with pytest.raises(fs.TableError):
        filled.served(features)

    assert "'profile'" in refused.value.found
    assert "'profile'" in no_field.value.found
    assert "`featurestore materialize profile`" in refused.value.fix
    with pytest.raises(fs.NotFoundError):
        answers(filled, "profile:height")


def test_a_new_service_of_a_new_feature_waits_for_the_table(filled: fs.FeatureStore) -> None:
    service = 'fs.FeatureService("ages", features=(profile[["age"]],))\n'
    end = DEFINITIONS.rstrip().splitlines()[-1]

    change(filled, (ONE_FIELD, TWO_FIELDS), (end, f"{end}\nages = {service}"))

    with pytest.raises(fs.TableError):
        answers(filled, "ages")
    assert answers(filled, "fraud")


def test_windows_of_an_unchanged_table_change_at_once(filled: fs.FeatureStore) -> None:
    change(filled, ('windows=("2h", "lifetime")', 'windows=("2h", "3h", "lifetime")'))

    assert "amount_sum_3h" in answers(filled, "activity")


def test_a_definition_object_of_before_is_answered_and_the_applied_one_waits(
    filled: fs.FeatureStore,
) -> None:
    before = filled.load().view("profile")
    assert before is not None
    change(filled, (ONE_FIELD, TWO_FIELDS))
    after = filled.load().view("profile")
    assert after is not None

    assert filled.get_historical_features(before, SPINE).features == ("city",)
    with pytest.raises(fs.TableError):
        filled.get_historical_features(after, SPINE)


def test_a_service_that_gets_a_new_feature_goes_on_with_those_it_had(
    filled: fs.FeatureStore,
) -> None:
    chosen = ("features=(profile,", 'features=(profile[["city", "age"]],')
    before = answers(filled, "fraud")

    change(filled, (ONE_FIELD, TWO_FIELDS), chosen)

    assert answers(filled, "fraud") == before


ON_DEMAND = """
upper = fs.OnDemandFeatureView(
    "upper", sources=(profile,), schema=(fs.Field("shout", fs.String),),
    transform={"shout": "upper(city)"},
)
loud = fs.FeatureService("loud", features=(upper,))
"""


@pytest.mark.parametrize(
    "changes",
    [
        [(ONE_FIELD, TWO_FIELDS)],
        [(ONE_FIELD, TWO_FIELDS), ("upper(city)", "upper(city) || age")],
        [
            ('Field("city", fs.String)', 'Field("city", fs.Int64)'),
            ("upper(city)", "city::VARCHAR"),
        ],
    ],
    ids=["of its input's view", "that it uses", "of its input's type"],
)
def test_an_on_demand_view_is_answered_until_the_table_of_its_input_is_built(
    filled: fs.FeatureStore, changes: list[tuple[str, str]]
) -> None:
    declare(filled, DEFINITIONS + ON_DEMAND)
    before = answers(filled, "loud")

    declare(filled, changed(DEFINITIONS + ON_DEMAND, *changes))

    assert answers(filled, "loud") == before
    assert before["shout"] == ["B", None]


def test_a_build_that_ends_between_two_steps_of_a_read_refuses_nothing(
    filled: fs.FeatureStore,
) -> None:
    before = answers(filled, "profile")
    change(filled, (ONE_FIELD, TWO_FIELDS))
    assert answers(filled, "profile") == before
    served = filled.served().view("profile")
    assert served is not None
    tables = Tables(filled.layout)
    old = tables.current("profile")
    assert old is not None

    rows = feature_table({"id": [1]}, [HOUR], {"city": ["c"], "age": [7]})
    write_view(filled, "profile", rows, table_id="profile-2")
    tables.record(replace(old, state="retired"))

    # What a reader finds that looked at the definitions before the build ended.
    table = CurrentTables(filled.layout, tables.records()).answering(served)
    assert isinstance(table, CurrentTable)
    assert table.record.table_id == old.table_id
    assert answers(filled, "profile")["age"] == [7, None]
    assert {view.answers_by for view in filled.status()} == {None}
