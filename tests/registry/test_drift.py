"""Thresholds of drift in the registry: kept with their lines, and shown in plans."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.drift import Drift
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.references import manifest_of
from featurestore.registry.codec import canonical_json, decode, encode, fingerprint
from featurestore.registry.plan import plan, render
from featurestore.registry.version import RegistryVersion
from tests.registry.manifests import LIMITS

DRIFT = Drift("limit", psi=0.2, nulls=0.05)
STRICTER = replace(DRIFT, psi=0.1)


def manifest(*drift: Drift) -> Manifest:
    return manifest_of([replace(LIMITS, drift=drift)])


def test_the_registry_keeps_thresholds_with_their_lines() -> None:
    [view] = decode(encode(manifest(DRIFT))).views

    assert view.drift == (DRIFT,)
    assert view.drift[0].origin == DRIFT.origin


def test_a_view_without_thresholds_has_no_word_of_them() -> None:
    assert '"drift":' not in canonical_json(encode(manifest()))


@pytest.mark.parametrize(
    ("before", "after", "values"),
    [
        ((), (DRIFT,), (None, "psi 0.2, nulls 0.05 against previous")),
        (
            (DRIFT,),
            (STRICTER,),
            ("psi 0.2, nulls 0.05 against previous", "psi 0.1, nulls 0.05 against previous"),
        ),
        ((DRIFT,), (), ("psi 0.2, nulls 0.05 against previous", None)),
    ],
)
def test_a_plan_shows_the_change_and_builds_nothing(
    before: tuple[Drift, ...], after: tuple[Drift, ...], values: tuple[str | None, str | None]
) -> None:
    declared = manifest(*before)
    applied = RegistryVersion(
        1,
        applied_at=datetime(2026, 1, 1, tzinfo=UTC),
        applied_by="somebody",
        digest=fingerprint(declared),
        changes=(),
        read=lambda: canonical_json(encode(declared)),
    )

    made = plan(applied, manifest(*after))

    [detail] = (detail for change in made.changes for detail in change.details)
    assert (detail.field, (detail.old, detail.new)) == ("drift.limit", values)
    assert (made.builds, made.breaking) == ((), ())
    assert any("drift.limit" in line for line in render(made))


def test_thresholds_are_no_part_of_the_tables_fingerprint() -> None:
    assert table_fingerprint(replace(LIMITS, drift=(DRIFT,))) == table_fingerprint(LIMITS)
