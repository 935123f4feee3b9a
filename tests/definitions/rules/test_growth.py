"""The work of checking definitions grows with what is declared, not with who uses what."""

import cProfile
import pstats

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Float64
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules import check


def calls(services: int, windows: int) -> int:
    """Return the number of function calls to check services of one view."""
    view = FeatureView(
        "wide",
        entities=(),
        source=DeltaSource("paid", path="paid", timestamp_field="at"),
        schema=(Field("amount", Float64),),
        aggregations=tuple(
            Aggregation("amount", "sum", windows=(f"{n + 1}m",)) for n in range(windows)
        ),
    )
    uses = [FeatureService(f"s{n}", features=(view[["amount_sum_1m"]],)) for n in range(services)]
    with cProfile.Profile() as profile:
        assert check(Manifest.of([*uses])) == []
    return pstats.Stats(profile).total_calls  # type: ignore[attr-defined]  # typeshed lacks it


def test_a_service_costs_the_same_however_much_its_view_contains() -> None:
    small = calls(services=200, windows=10) - calls(services=100, windows=10)
    large = calls(services=200, windows=100) - calls(services=100, windows=100)

    assert large < 2 * small


def test_twice_as_many_services_are_twice_the_work() -> None:
    one, two = calls(services=200, windows=2), calls(services=400, windows=2)

    assert two < 2.5 * one
