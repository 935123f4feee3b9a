import statistics
import textwrap
from datetime import UTC, datetime
from typing import Any

import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import RequestSource
from featurestore.definitions.model.types import Field, Float64, Int64, String
from featurestore.definitions.model.view import Code
from tests.definitions.rules.cases import PAYMENTS, issues, missing, view, windows

CHECKOUT = RequestSource("checkout", schema=(Field("price", Float64),))
PROFILE = view("profile")
SPENT = windows(Aggregation("amount", "sum", windows=("1h",)))
RATIO = {"ratio": "price / amount_sum_1h"}


def ratio(inputs: Any) -> Any:
    return {"ratio": inputs["price"]}


def two(inputs: Any, other: Any) -> Any:
    return inputs, other


def aged(inputs: Any) -> Any:
    return {"ratio": datetime.now(UTC) - inputs["price"]}


class Shapes:
    @staticmethod
    def ratio(inputs: Any) -> Any:
        return inputs


def shape(**changes: Any) -> OnDemandFeatureView:
    """Return a valid on-demand view with some arguments replaced."""
    arguments = {
        "sources": (SPENT, CHECKOUT),
        "schema": (Field("ratio", Float64),),
        "transform": RATIO,
        **changes,
    }
    return OnDemandFeatureView("shape", **arguments)


@pytest.mark.parametrize("transform", [RATIO, ratio, Code("ratio", "def ratio(): ...", "1", "m")])
def test_a_function_and_sql_for_each_feature_are_valid(transform: Any) -> None:
    assert issues(shape(transform=transform)) == []


@pytest.mark.parametrize(
    ("changes", "rule", "parts"),
    [
        ({"schema": (), "transform": {}}, "on_demand_views_are_not_empty", ("schema=",)),
        (
            {"sources": ()},
            "on_demand_views_are_not_empty",
            ("sources=", "RequestSource"),
        ),
        (
            {"sources": (PAYMENTS,)},
            "arguments_have_their_types",
            ("payments", "a DeltaSource", "FeatureView or FeatureReference or RequestSource"),
        ),
        (
            {"sources": (shape(),)},
            "arguments_have_their_types",
            ("sources", "an OnDemandFeatureView"),
        ),
        (
            {"sources": None},
            "arguments_have_their_types",
            ("None", "a tuple of FeatureView"),
        ),
        (
            {"sources": (SPENT[["amount_sum_7d"]],)},
            "inputs_exist",
            ("view 'activity'", "'amount_sum_7d'", "'amount_sum_1h'?"),
        ),
        ({"sources": (SPENT[[]],)}, "inputs_exist", ("view 'activity'", "[[]]")),
        ({"sources": (SPENT.with_prefix("1_"),)}, "inputs_exist", ("prefix", "'1_'", "letters")),
        (
            {"sources": (SPENT.with_join_keys({"card": "payer"}),)},
            "inputs_exist",
            ("view 'activity'", "'card'", "'card_id'?"),
        ),
        ({"transform": {}}, "expressions_fit_the_schema", ("transform={'ratio': ...}",)),
        (
            {"transform": {"ratoi": "1"}},
            "expressions_fit_the_schema",
            ("'ratoi'", "schema=", "'ratio'?"),
        ),
        ({"transform": {"ratio": "  "}}, "expressions_fit_the_schema", ("'ratio'", "empty")),
        (
            {"transform": "price / 2"},
            "arguments_have_their_types",
            ("transform is text", "a dictionary of texts or a function"),
        ),
        (
            {"transform": {"ratio": 2}},
            "arguments_have_their_types",
            ("transform is a dict", "a dictionary of texts"),
        ),
        ({"transform": lambda inputs: inputs}, "functions_can_be_imported", ("lambda", "`def`")),
        (
            {"transform": two},
            "functions_can_be_imported",
            ("'two'", "one argument", "the table of inputs"),
        ),
        ({"transform": Shapes.ratio}, "functions_can_be_imported", ("'ratio'", "`def`")),
        ({"transform": textwrap.dedent}, "functions_can_be_imported", ("'dedent'", "'textwrap'")),
        ({"transform": statistics.mean}, "functions_can_be_imported", ("'mean'", "'statistics'")),
        (
            {"schema": (Field("ratio", "Float64"),)},
            "fields_have_known_types",
            ("field 'ratio'", "'Float64'", "fs.Float64"),
        ),
        (
            {"schema": (Field("ratio", Float64), Field("Ratio", Float64))},
            "columns_are_unique",
            ("'Ratio'", "'ratio'"),
        ),
        (
            {"schema": (Field("event_timestamp", Float64),)},
            "columns_are_not_reserved",
            ("'event_timestamp'", "'event_timestamp_value'"),
        ),
        (
            {"schema": (Field("price", Float64),)},
            "names_do_not_clash",
            ("'price'", "source 'checkout'", "Rename"),
        ),
    ],
)
def test_problems_of_an_on_demand_view_are_reported(
    changes: dict[str, Any], rule: str, parts: tuple[str, ...]
) -> None:
    found = [issue for issue in issues(shape(**changes)) if issue.rule == rule]

    assert [] in [missing(issue, "on-demand view 'shape'", *parts) for issue in found]


def test_an_on_demand_function_uses_the_moment_of_the_row_and_not_the_clock() -> None:
    made = shape(transform=aged)

    [issue] = issues(made)

    assert (issue.rule, issue.origin) == ("functions_do_not_read_the_clock", made.origin)
    assert missing(issue, "'shape'", "datetime.now", "'event_timestamp'") == []


@pytest.mark.parametrize(
    ("column", "first"),
    [
        ("amount_sum_1h", "activity:amount_sum_1h"),
        ("PRICE", "'price' of source 'checkout'"),
        ("event_timestamp", "the row's moment"),
    ],
)
def test_inputs_have_different_names(column: str, first: str) -> None:
    repeated = Field(column, Float64)
    other = RequestSource("other", schema=(repeated,))

    [issue] = issues(shape(sources=(SPENT, CHECKOUT, other)))

    assert (issue.rule, issue.origin) == ("names_do_not_clash", repeated.origin)
    parts = ("on-demand view 'shape'", first, f"{column!r} of source 'other'", "with_prefix")
    assert missing(issue, *parts) == []


def test_problems_of_a_use_have_the_line_of_the_use() -> None:
    use = SPENT[["nothing"]]
    declared = shape(sources=(use, CHECKOUT))

    [issue] = issues(declared)

    assert (issue.rule, issue.origin) == ("inputs_exist", use.origin)
    assert issue.origin != declared.origin


def test_a_view_and_an_on_demand_view_have_different_names() -> None:
    named = OnDemandFeatureView(
        "profile", sources=(CHECKOUT,), schema=(Field("ratio", Float64),), transform=ratio
    )

    [issue] = issues(PROFILE, named)

    assert (issue.rule, issue.origin) == ("names_are_unique", named.origin)
    assert missing(issue, "on-demand view 'profile'", PROFILE.origin, "Rename") == []


@pytest.mark.parametrize(
    ("features", "rule", "parts"),
    [
        (
            (shape(), shape()),
            "outputs_do_not_collide",
            ("on-demand view 'shape'", "ratio", "Remove", "with_prefix"),
        ),
        (
            (shape().with_prefix("p"), view("odd", schema=(Field("pratio", Int64),))),
            "outputs_do_not_collide",
            ("shape:ratio", "odd:pratio", "'pratio'"),
        ),
        (
            (shape(), view("odd", schema=(Field("price", Int64),))),
            "outputs_do_not_collide",
            ("column 'price' of source 'checkout'", "odd:price"),
        ),
        (
            (shape()[["rato"]],),
            "features_exist",
            ("on-demand view 'shape'", "'rato'", "'ratio'?"),
        ),
        ((shape()[[]],), "services_have_features", ("on-demand view 'shape'", "[[]]")),
        ((shape().with_prefix("7"),), "prefixes_are_plain", ("'7'", "letters")),
    ],
)
def test_services_use_on_demand_views_like_views(
    features: Any, rule: str, parts: tuple[str, ...]
) -> None:
    [issue] = issues(FeatureService("scoring", features=features))

    assert issue.rule == rule
    assert missing(issue, "service 'scoring'", *parts) == []


def test_keys_of_inputs_count_among_the_services_keys() -> None:
    names = view("names", schema=(Field("owner", String),), entities=())
    renamed = shape(sources=(SPENT.with_join_keys({"card_id": "owner"}), CHECKOUT))

    [issue] = issues(FeatureService("scoring", features=(renamed, names)))

    assert issue.rule == "outputs_do_not_collide"
    parts = ("service 'scoring'", "key column 'owner'", "names:owner")
    assert missing(issue, *parts) == []


def test_a_request_value_and_a_key_of_one_column_have_one_type() -> None:
    cards = RequestSource("cards", schema=(Field("card_id", Int64),))
    shaped = shape(sources=(SPENT, cards), transform={"ratio": "card_id"})

    [issue] = issues(FeatureService("scoring", features=(shaped,)))

    assert issue.rule == "request_columns_have_one_type"
    types = ("'card_id'", "String for view 'activity'", "Int64 for source 'cards'")
    assert missing(issue, "service 'scoring'", *types, "Rename") == []


def test_numbers_of_two_widths_may_share_a_column() -> None:
    whole = RequestSource("whole", schema=(Field("price", Int64),))
    other = OnDemandFeatureView(
        "other",
        sources=(whole,),
        schema=(Field("half", Float64),),
        transform={"half": "price / 2"},
    )

    assert issues(FeatureService("scoring", features=(shape(), other))) == []


def test_strictly_before_is_refused_among_the_sources_if_the_view_has_windows() -> None:
    use = SPENT.strictly_before()

    [issue] = issues(shape(sources=(use, CHECKOUT)))

    assert (issue.rule, issue.origin) == ("inputs_exist", use.origin)
    parts = ("on-demand view 'shape'", "view 'activity'", "Remove strictly_before()")
    assert missing(issue, *parts) == []
