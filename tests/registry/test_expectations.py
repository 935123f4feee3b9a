"""Expectations in the registry: texts and fingerprints, shown in plans; no table is built."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pandera.polars as pandera
import polars as pl
import pytest

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.expectations import DeclaredCheck, Expectations
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.references import manifest_of
from featurestore.registry.codec import canonical_json, decode, encode, fingerprint
from featurestore.registry.plan import Plan, plan, render
from featurestore.registry.version import RegistryVersion
from tests.registry.manifests import LIMITS


def below(data: object, most: float = 10) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key) < most)  # type: ignore[attr-defined]  # pandera's


def checks(*limit: object) -> object:
    return pandera.DataFrameSchema({"limit": pandera.Column(checks=list(limit), nullable=True)})


def manifest(expectations: object) -> Manifest:
    return manifest_of([replace(LIMITS, expectations=expectations)])


def change(before: object, after: object) -> Plan:
    """Return the plan from one declaration of expectations to another."""
    declared = manifest(before)
    applied = RegistryVersion(
        1,
        applied_at=datetime(2026, 1, 1, tzinfo=UTC),
        applied_by="somebody",
        digest=fingerprint(declared),
        changes=(),
        read=lambda: canonical_json(encode(declared)),
    )
    return plan(applied, manifest(after))


def test_the_document_has_texts_and_no_schema() -> None:
    rows = pandera.DataFrameSchema(
        {
            "limit": pandera.Column(checks=[pandera.Check.in_range(0, 9), pandera.Check(below)]),
            "rank": pandera.Column(checks=pandera.Check.isin([1, 2])),
        },
        checks=pandera.Check(lambda data: data.lazyframe.select(pl.col("rank") > 0)),
    )
    expected = Expectations(rows, max_bad_share=0.1, severity={"rank": "warn"})

    document = json.loads(canonical_json(encode(manifest(expected))))
    (view,) = decode(document).views

    *built_in, own, lambda_check = (
        view.expectations.checks[0],
        view.expectations.checks[1],
        view.expectations.checks[3],
        view.expectations.checks[4],
        view.expectations.checks[2],
        view.expectations.checks[5],
    )
    assert built_in == [
        DeclaredCheck("limit:not_null", "not_null"),
        DeclaredCheck(
            "limit:in_range",
            "in_range(min_value=0, max_value=9, include_min=True, include_max=True)",
        ),
        DeclaredCheck("rank:not_null", "not_null", severity="warn"),
        DeclaredCheck("rank:isin", "isin(allowed_values=[1, 2])", severity="warn"),
    ]
    assert (own.name, len(own.fingerprint)) == ("limit:below", 16)
    assert (lambda_check.name, len(lambda_check.fingerprint)) == ("check", 16)
    assert view.expectations.max_bad_share == 0.1


def test_a_document_is_the_same_after_a_round_trip() -> None:
    declared = encode(manifest(checks(pandera.Check.ge(0))))

    assert encode(decode(declared)) == declared
    assert fingerprint(decode(declared)) == fingerprint(manifest(checks(pandera.Check.ge(0))))


def test_a_view_without_expectations_has_no_word_of_them() -> None:
    (view,) = json.loads(canonical_json(encode(manifest(None))))["views"]

    assert "expectations" not in view


def test_expectations_are_no_part_of_the_tables_fingerprint() -> None:
    plain, checked = LIMITS, replace(LIMITS, expectations=checks(pandera.Check.ge(0)))

    assert table_fingerprint(plain) == table_fingerprint(checked)


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        (
            None,
            checks(pandera.Check.ge(0)),
            {"expectations", "expectations.limit:greater_than_or_equal_to"},
        ),
        (
            checks(pandera.Check.ge(0)),
            checks(pandera.Check.ge(1)),
            {"expectations.limit:greater_than_or_equal_to"},
        ),
        (
            checks(pandera.Check.ge(0)),
            Expectations(checks(pandera.Check.ge(0)), max_bad_share=0.2),
            {"expectations.max_bad_share"},
        ),
        (
            checks(pandera.Check.ge(0)),
            Expectations(checks(pandera.Check.ge(0)), severity={"limit": "warn"}),
            {"expectations.limit:greater_than_or_equal_to"},
        ),
        (
            checks(pandera.Check(lambda data: data.lazyframe.select(pl.col(data.key) < 1))),
            checks(pandera.Check(lambda data: data.lazyframe.select(pl.col(data.key) < 2))),
            {"expectations.limit:check"},
        ),
        (checks(pandera.Check.ge(0)), lambda: checks(pandera.Check.ge(0)), set()),
    ],
)
def test_a_plan_names_what_changes_and_builds_nothing(
    before: object, after: object, fields: set[str]
) -> None:
    made = change(before, after)

    changed = {detail.field for each in made.changes for detail in each.details}
    assert (changed, made.builds, made.breaking) == (fields, (), ())
    assert all(any(field in line for line in render(made)) for field in fields)


def test_a_plan_shows_severities_and_the_gate() -> None:
    expected = Expectations(
        checks(pandera.Check.ge(0)), max_bad_share=0.25, severity={"limit": "warn"}
    )

    [line] = (each for each in render(plan(None, manifest(expected))) if "expectations" in each)

    assert line.split(", ")[1:] == ["limit:greater_than_or_equal_to (warn)", "max_bad_share 0.25"]
