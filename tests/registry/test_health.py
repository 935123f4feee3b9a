"""What definitions and tables lack: each code, the score, and what is left out."""

from dataclasses import dataclass, replace
from fractions import Fraction

import pytest
from hypothesis import given, settings

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.references import manifest_of
from featurestore.definitions.model.types import Field, Float64
from featurestore.definitions.model.view import Code, FeatureView
from featurestore.definitions.model.window import Tumbling
from featurestore.errors import RequestError
from featurestore.registry.features import views_of
from featurestore.registry.health import CODES, Health, health, kind_of, left_out, used_features
from tests.registry.manifests import ACTIVITY, CARD, LIMITS, PAYMENTS, SHAPE, SMALL, manifests


@dataclass(frozen=True)
class State:
    state: str = "current"
    is_late: bool = False
    schedule: str | None = None
    last_run: str | None = "done"
    error: str | None = None


def found(result: Health) -> list[tuple[str, str]]:
    return [(each.code, each.name) for each in result.issues]


def codes_of(view: FeatureView, state: State) -> list[str]:
    """Return the codes about a view's table."""
    result = health(manifest_of([view]), {view.name: state})
    return [each.code for each in result.of("view", view.name) if each.code in TABLE_CODES]


TABLE_CODES = ("never-materialized", "not-current", "failed", "stale")


def test_definitions_without_owner_and_description_are_found() -> None:
    owned = replace(CARD, owner="cards@example.com", description="A card")

    result = health(Manifest.of([owned, PAYMENTS]))

    assert found(result) == [("no-owner", "payments"), ("no-description", "payments")]
    assert result.scores == {("entity", "card"): 100, ("source", "payments"): 0}
    assert result.score == 50


@pytest.mark.parametrize(
    ("state", "codes"),
    [
        (State(), []),
        (State("never materialized", last_run=None), ["never-materialized"]),
        (State("building", last_run="failed"), ["never-materialized", "failed"]),
        (State("changed"), ["not-current"]),
        (State("outdated"), ["not-current"]),
        (State("damaged"), ["not-current"]),
        (State(is_late=False, schedule="0 * * * *"), []),
        (State(is_late=True, schedule="0 * * * *"), ["stale"]),
        (State("building", True, "0 * * * *", None), ["never-materialized"]),
        (State(last_run="interrupted"), []),
    ],
)
def test_the_state_of_a_table_gives_its_codes(state: State, codes: list[str]) -> None:
    assert codes_of(replace(LIMITS, schedule=state.schedule), state) == codes


def test_views_that_are_not_applied_are_checked_as_definitions_only() -> None:
    assert not {code for code, _ in found(health(SMALL))} & set(TABLE_CODES)


def test_features_that_nothing_uses_are_found() -> None:
    result = health(SMALL)

    (unused,) = [each for each in result.issues if each.code == "unused"]
    assert (unused.name, unused.features) == ("limits", ("rank",))


def test_inputs_of_on_demand_views_are_used_and_so_are_saved_training_sets() -> None:
    manifest = manifest_of([SHAPE])

    assert ("unused", "shape") in found(health(manifest))
    (unused,) = [each for each in health(manifest).issues if each.name == "activity" and
                 each.code == "unused"]  # fmt: skip
    assert unused.features == ("amount_sum_7d", "count_7d")
    trained = [("activity", name) for name in unused.features]
    assert ("unused", "activity") not in found(health(manifest, trained=trained))


def test_a_derived_view_uses_the_stored_columns_and_no_windows() -> None:
    derived = FeatureView("derived", entities=(CARD,), source=LIMITS, schema=LIMITS.schema)
    windowed = replace(derived, source=ACTIVITY, schema=ACTIVITY.schema)

    assert ("limits", "rank") in used_features(manifest_of([derived]))
    assert used_features(manifest_of([windowed])) == set()


def view_with(name: str, *aggregations: Aggregation, **changes: object) -> FeatureView:
    return replace(ACTIVITY, name=name, aggregations=aggregations, **changes)


SUM = Aggregation("amount", "sum", windows=("7d",))


@pytest.mark.parametrize(
    "other",
    [
        view_with("other", SUM),
        view_with("other", replace(SUM, closed="right", name="upper")),
        view_with("other", replace(SUM, empty=0.0), ttl="30d", description="the same"),
    ],
)
def test_features_that_compute_the_same_are_found_once(other: FeatureView) -> None:
    result = health(manifest_of([ACTIVITY, other]))

    (equal,) = [each for each in result.issues if each.code == "duplicate"]
    assert (equal.name, equal.features) == ("other", other.feature_names)
    assert "activity:amount_sum_7d" in equal.reason


@pytest.mark.parametrize(
    "other",
    [
        view_with("other", replace(SUM, delay="1d")),
        view_with("other", replace(SUM, windows=("8d",))),
        view_with("other", replace(SUM, windows=(Tumbling("7d"),))),
        view_with("other", replace(SUM, function="mean")),
        view_with("other", replace(SUM, by="merchant")),
        view_with("other", SUM, entities=()),
        view_with("other", SUM, source=replace(PAYMENTS, name="refunds")),
        view_with("other", SUM, transform="SELECT * FROM {source} WHERE amount > 0"),
        view_with("other", SUM, transform=Code("large", "def large(df): ...", "9f3c")),
    ],
)
def test_features_of_other_rows_or_windows_are_no_duplicates(other: FeatureView) -> None:
    assert "duplicate" not in [code for code, _ in found(health(manifest_of([ACTIVITY, other])))]


def test_equal_sql_in_another_form_is_the_same_transform() -> None:
    one = view_with("one", SUM, transform="SELECT * FROM {source} WHERE amount > 0")
    other = view_with("other", SUM, transform="select *\nfrom {source} -- all\nwhere amount > 0")

    assert ("duplicate", "other") in found(health(manifest_of([one, other])))


def test_a_view_of_plain_columns_is_compared_by_its_columns() -> None:
    other = replace(LIMITS, name="other", schema=(Field("limit", Float64),))

    assert ("duplicate", "other") in found(health(manifest_of([LIMITS, other])))


def test_a_check_of_features_takes_away_their_share_only() -> None:
    view = replace(LIMITS, owner="me", description="x", expectations=object())
    manifest = replace(SMALL, views=(ACTIVITY, view))

    result = health(manifest, ignore=["no-owner", "no-description", "unvalidated", "duplicate"])

    assert result.scores["view", "limits"] == 50  # one of its two features is used
    assert result.scores["view", "activity"] == 100


def test_codes_are_left_out_for_all_or_for_one_definition() -> None:
    all_of = found(health(SMALL))

    assert found(health(SMALL, ignore=["no-owner"])) == [x for x in all_of if x[0] != "no-owner"]
    assert found(health(SMALL, ignore=["no-owner:card"])) == [
        each for each in all_of if each != ("no-owner", "card")
    ]
    only = left_out([], ["unused"])
    assert {code for code, _ in found(health(SMALL, ignore=only))} == {"unused"}


def test_an_unknown_code_is_an_error_with_the_near_one() -> None:
    with pytest.raises(RequestError) as refused:
        health(SMALL, ignore=["no-ownr"])
    with pytest.raises(RequestError):
        left_out([], ["unusd"])

    assert "'no-owner'" in refused.value.fix


def test_nothing_has_no_score() -> None:
    assert health(Manifest()) == Health(None, {}, ())


@settings(max_examples=25)
@given(manifests())
def test_scores_follow_from_the_issues(manifest: Manifest) -> None:
    result = health(manifest)

    assert [each.code for each in result.issues] == sorted(
        (each.code for each in result.issues), key=list(CODES).index
    )
    counts = {(kind_of(view), view.name): len(view.feature_names) for view in views_of(manifest)}
    for definition in manifest.definitions:
        kind = kind_of(definition)
        checks = {"view": 5, "on-demand view": 3}.get(kind, 2)
        lost = sum(
            Fraction(len(each.features), counts[kind, each.name]) if each.features else 1
            for each in result.of(kind, definition.name)
        )
        assert result.scores[kind, definition.name] == int(100 * (checks - lost) / checks)
    assert result.score is None or result.score == sum(result.scores.values()) // len(
        result.scores
    )


def test_a_code_may_be_left_out_for_one_of_two_definitions_with_a_name() -> None:
    source = replace(PAYMENTS, name="card")

    result = health(Manifest.of([CARD, source]), ignore=["no-owner:entity card"])

    owners = [each.kind for each in result.issues if each.code == "no-owner"]
    assert owners == ["source"]
