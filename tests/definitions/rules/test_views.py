import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.source import RequestSource
from featurestore.definitions.model.types import Field, Float64
from tests.definitions.rules.cases import messages, view

DURATION = (
    "is not a whole number followed by s, m (minutes), h, d or w. "
    "Write for example '30s', '15m', '24h', '7d' or '4w'."
)


def test_a_view_needs_features() -> None:
    assert messages(view(schema=())) == [
        "view 'activity' has no features: give schema= some fields"
    ]


def test_a_view_that_only_counts_rows_needs_no_schema() -> None:
    counting = view(schema=(), aggregations=(Aggregation("*", "count", windows=("7d",)),))

    assert messages(counting) == []


def test_a_view_without_entities_is_fine() -> None:
    assert messages(view(entities=())) == []


def test_a_view_reads_no_request_source() -> None:
    request = RequestSource("checkout", schema=(Field("amount", Float64),))

    assert messages(view(source=request)) == [
        "view 'activity' reads source 'checkout', which comes only with requests; "
        "give a DeltaSource or a FileSource"
    ]


@pytest.mark.parametrize("text", ["7x", "d", "", "1.5h", "-1d", "7 d", "P1D"])
def test_durations_that_are_none_are_reported(text: str) -> None:
    assert messages(view(ttl=text, available_delay=text)) == [
        f"view 'activity': ttl {text!r} {DURATION}",
        f"view 'activity': available_delay {text!r} {DURATION}",
    ]


def test_a_ttl_of_nothing_is_a_duration() -> None:
    assert messages(view(ttl="0s", available_delay="36h")) == []


def test_a_ttl_with_aggregations_is_reported() -> None:
    timed = view(ttl="7d", aggregations=(Aggregation("amount", "sum", windows=("7d",)),))

    assert messages(timed) == [
        "view 'activity': ttl='7d' has no meaning with aggregations; "
        "their windows say how old a row may be"
    ]
