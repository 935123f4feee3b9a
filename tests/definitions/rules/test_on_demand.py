import statistics
import textwrap
from typing import Any

import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import RequestSource
from featurestore.definitions.model.types import Field, Float64, Int64, String
from featurestore.definitions.model.view import Code
from featurestore.definitions.rules import check
from tests.definitions.rules.cases import PAYMENTS, messages, view, windows

CHECKOUT = RequestSource("checkout", schema=(Field("price", Float64),))
PROFILE = view("profile")
SPENT = windows(Aggregation("amount", "sum", windows=("1h",)))
RATIO = {"ratio": "price / amount_sum_1h"}


def ratio(inputs: Any) -> Any:
    return {"ratio": inputs["price"]}


def two(inputs: Any, other: Any) -> Any:
    return inputs, other


class Shapes:
    @staticmethod
    def ratio(inputs: Any) -> Any:
        return inputs


def shape(**changes: Any) -> OnDemandFeatureView:
    """Return a valid on-demand view with some arguments replaced."""
    given = {
        "sources": (SPENT, CHECKOUT),
        "schema": (Field("ratio", Float64),),
        "transform": RATIO,
        **changes,
    }
    return OnDemandFeatureView("shape", **given)


@pytest.mark.parametrize("transform", [RATIO, ratio, Code("ratio", "def ratio(): ...", "1", "m")])
def test_a_function_and_sql_for_each_feature_are_right(transform: Any) -> None:
    assert messages(shape(transform=transform)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": (), "transform": {}}, "has no features: give schema= some fields"),
        ({"sources": ()}, "has no sources: give it views, uses of views, or a RequestSource"),
        (
            {"sources": (PAYMENTS,)},
            "sources holds payments, which is a DeltaSource; expected FeatureView or "
            "FeatureReference or RequestSource",
        ),
        ({"sources": (shape(),)}, "sources holds shape, which is an OnDemandFeatureView"),
        ({"sources": [SPENT]}, "sources is a list; write a tuple: sources=(activity,)"),
        ({"sources": (SPENT[["amount_sum_7d"]],)}, "has no feature 'amount_sum_7d'. Did you mean"),
        ({"sources": (SPENT[[]],)}, "takes no feature of view 'activity'"),
        ({"sources": (SPENT.with_prefix("1_"),)}, "prefix '1_' is not letters, digits and"),
        (
            {"sources": (SPENT.with_join_keys({"card": "payer"}),)},
            "view 'activity' has no join key 'card'. Did you mean 'card_id'?",
        ),
        ({"transform": {}}, "transform has no expression for feature 'ratio'"),
        (
            {"transform": {"ratoi": "1"}},
            "transform has 'ratoi', which the schema lacks. Did you mean 'ratio'?",
        ),
        ({"transform": {"ratio": "  "}}, "the expression for 'ratio' is empty"),
        ({"transform": "price / 2"}, "transform is text; expected a dictionary of texts or a fun"),
        ({"transform": {"ratio": 2}}, "transform is a dict; expected a dictionary of texts or"),
        ({"transform": lambda inputs: inputs}, "transform is a lambda, whose changes cannot be"),
        ({"transform": two}, "transform 'two' must take one argument, the table of inputs"),
        ({"transform": Shapes.ratio}, "declare it at the module's top"),
        ({"transform": textwrap.dedent}, "'dedent' is of 'textwrap', which is neither of the"),
        ({"transform": statistics.mean}, "'mean' is of 'statistics', which is neither of the"),
        ({"schema": (Field("ratio", "Float64"),)}, "its type is the text 'Float64'; write the"),
        ({"schema": (Field("ratio", Float64), Field("Ratio", Float64))}, "'Ratio' of on-demand"),
        ({"schema": (Field("event_timestamp", Float64),)}, "the store itself keeps a column of"),
        ({"schema": (Field("price", Float64),)}, "'price' has the name of an input, 'price' of"),
    ],
)
def test_what_is_wrong_is_told(changes: dict[str, Any], message: str) -> None:
    found = messages(shape(**changes))

    assert any(message in text and "on-demand view 'shape'" in text for text in found), found


@pytest.mark.parametrize(
    ("column", "what"),
    [
        ("amount_sum_1h", "activity:amount_sum_1h and 'amount_sum_1h' of source 'other' are both"),
        ("PRICE", "'price' of source 'checkout' and 'PRICE' of source 'other' are both the input"),
        (
            "event_timestamp",
            "the row's own moment and 'event_timestamp' of source 'other' are both",
        ),
    ],
)
def test_inputs_have_different_names(column: str, what: str) -> None:
    other = RequestSource("other", schema=(Field(column, Float64),))

    [message] = messages(shape(sources=(SPENT, CHECKOUT, other)))

    assert what in message
    assert "rename one, or use view.with_prefix('...')" in message


def test_problems_stand_at_the_line_of_the_use() -> None:
    use = SPENT[["nothing"]]
    declared = shape(sources=(use, CHECKOUT))

    [issue] = check(Manifest.of([declared]))

    assert issue.origin == use.origin
    assert issue.origin != declared.origin


def test_a_view_and_an_on_demand_view_have_different_names() -> None:
    named = OnDemandFeatureView(
        "profile", sources=(CHECKOUT,), schema=(Field("ratio", Float64),), transform=ratio
    )

    [message] = messages(PROFILE, named)

    assert "'profile' is declared a second time" in message
    assert message.endswith("rename one")


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ((shape(), shape()), "shape:ratio and shape:ratio both come out as 'ratio'"),
        (
            (shape().with_prefix("p"), view("odd", schema=(Field("pratio", Int64),))),
            "shape:ratio and odd:pratio both come out as 'pratio'",
        ),
        (
            (shape(), view("odd", schema=(Field("price", Int64),))),
            "the spine's column 'price', of source 'checkout', and odd:price both come out",
        ),
        ((shape()[["rato"]],), "on-demand view 'shape' has no feature 'rato'. Did you mean"),
        ((shape()[[]],), "takes no feature of on-demand view 'shape'"),
        ((shape().with_prefix("7"),), "prefix '7' is not letters"),
    ],
)
def test_services_use_them_as_they_use_views(features: Any, message: str) -> None:
    found = messages(FeatureService("scoring", features=features))

    assert any(message in text for text in found), found


def test_keys_of_inputs_count_among_the_services_keys() -> None:
    names = view("names", schema=(Field("owner", String),), entities=())
    taken = shape(sources=(SPENT.with_join_keys({"card_id": "owner"}), CHECKOUT))

    [message] = messages(FeatureService("scoring", features=(taken, names)))

    assert "the spine's key column 'owner' and names:owner both come out as 'owner'" in message


def test_a_request_value_and_a_key_of_one_column_have_one_type() -> None:
    cards = RequestSource("cards", schema=(Field("card_id", Int64),))
    shaped = shape(sources=(SPENT, cards), transform={"ratio": "card_id"})

    [message] = messages(FeatureService("scoring", features=(shaped,)))

    assert message == (
        "service 'scoring': spine column 'card_id' is String for view 'activity', Int64 for "
        "source 'cards'; rename one"
    )


def test_numbers_of_two_widths_may_share_a_column() -> None:
    whole = RequestSource("whole", schema=(Field("price", Int64),))
    other = OnDemandFeatureView(
        "other",
        sources=(whole,),
        schema=(Field("half", Float64),),
        transform={"half": "price / 2"},
    )

    assert messages(FeatureService("scoring", features=(shape(), other))) == []


def test_strictly_before_is_refused_among_the_sources_where_there_are_windows() -> None:
    use = SPENT.strictly_before()

    [issue] = check(Manifest.of([shape(sources=(use, CHECKOUT))]))

    assert issue.message.startswith(
        "on-demand view 'shape': strictly_before() does nothing for view 'activity'"
    )
    assert issue.origin == use.origin
