from typing import Any

import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.drift import Drift
from featurestore.definitions.model.types import Field, String
from tests.definitions.rules.cases import issues, missing, rules, view

SUM = Aggregation("amount", "sum", windows=("1h",))


def test_thresholds_of_features_and_of_columns_are_valid() -> None:
    drift = [
        Drift("amount_sum_1h", psi=0.2, js=0.1, ks=0.5, nulls=0.05, against="first"),
        Drift("amount_sum_1h", psi=0.3, against="training_set:fraud"),
        Drift("merchant", psi=2, cramers_v=0.2),
        Drift("online", cramers_v=0.2),
    ]

    assert rules(view(aggregations=SUM, drift=drift)) == []


def test_a_single_one_needs_no_tuple() -> None:
    assert view(drift=Drift("amount", psi=0.2)).drift == (Drift("amount", psi=0.2),)


def test_an_unknown_feature_has_near_names() -> None:
    drift = Drift("amount_sum_2h", psi=0.2)

    [issue] = issues(view(aggregations=SUM, drift=drift))

    assert (issue.rule, issue.origin) == ("drift_names_a_feature", drift.origin)
    assert missing(issue, "view 'activity'", "'amount_sum_2h'", "'amount_sum_1h'") == []


@pytest.mark.parametrize(
    ("arguments", "rule", "parts"),
    [
        ({}, "drift_has_a_threshold", ["'amount'", "psi=0.2"]),
        ({"psi": 0}, "thresholds_are_in_range", ["psi is 0"]),
        ({"psi": -1.0}, "thresholds_are_in_range", ["psi is -1.0"]),
        ({"psi": float("nan")}, "thresholds_are_in_range", ["psi is nan"]),
        ({"psi": float("inf")}, "thresholds_are_in_range", ["psi is inf"]),
        ({"nulls": 1.5}, "thresholds_are_in_range", ["nulls is 1.5"]),
        ({"ks": True}, "arguments_have_their_types", ["ks is a boolean"]),
        ({"psi": "0.2"}, "arguments_have_their_types", ["psi is text"]),
        ({"cramers_v": 0.1}, "measures_fit_the_type", ["cramers_v", "Float64", "psi"]),
        ({"psi": 0.1, "against": "last"}, "drift_is_against_a_profile", ["previous"]),
        ({"psi": 0.1, "against": "training_set:"}, "drift_is_against_a_profile", []),
    ],
)
def test_what_is_wrong_has_a_rule(arguments: dict[str, Any], rule: str, parts: list[str]) -> None:
    [issue] = issues(view(drift=Drift("amount", **arguments)))

    assert issue.rule == rule
    assert missing(issue, "view 'activity'", *parts) == []


@pytest.mark.parametrize(("feature", "measure"), [("merchant", "ks"), ("online", "ks")])
def test_texts_and_booleans_have_no_order(feature: str, measure: str) -> None:
    assert rules(view(drift=Drift(feature, **{measure: 0.1}))) == ["measures_fit_the_type"]


def test_a_feature_is_declared_once_against_each_profile() -> None:
    drift = [Drift("amount", psi=0.2), Drift("amount", nulls=0.2)]

    assert rules(view(drift=drift)) == ["drift_is_declared_once"]


@pytest.mark.parametrize("measure", ["psi", "js", "cramers_v"])
def test_values_of_a_personal_text_cannot_be_compared(measure: str) -> None:
    schema = (Field("merchant", String, personal=True),)
    drift = Drift("merchant", nulls=0.1, **{measure: 0.2})

    assert rules(view(schema=schema, drift=drift)) == ["measures_fit_the_type"]
    assert rules(view(schema=schema, drift=Drift("merchant", nulls=0.1))) == []
