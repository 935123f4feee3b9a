import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.source import RequestSource
from featurestore.definitions.model.types import Field, Float64
from tests.definitions.rules.cases import issues, missing, rules, view


def test_a_view_needs_features() -> None:
    [issue] = issues(view(schema=()))

    assert issue.rule == "views_have_features"
    assert missing(issue, "view 'activity'", "schema=") == []


def test_a_view_that_only_counts_rows_needs_no_schema() -> None:
    counting = view(schema=(), aggregations=(Aggregation("*", "count", windows=("7d",)),))

    assert issues(counting) == []


def test_a_view_without_entities_is_valid() -> None:
    assert issues(view(entities=())) == []


def test_a_view_reads_no_request_source() -> None:
    request = RequestSource("checkout", schema=(Field("amount", Float64),))

    [issue] = issues(view(source=request))

    assert issue.rule == "views_read_stored_sources"
    assert missing(issue, "'activity'", "source 'checkout'", "DeltaSource", "FileSource") == []


@pytest.mark.parametrize("text", ["7x", "d", "", "1.5h", "-1d", "7 d", "P1D"])
def test_texts_that_are_not_durations_are_reported(text: str) -> None:
    ttl, delay = issues(view(ttl=text, available_delay=text))

    assert (ttl.rule, delay.rule) == ("durations_are_durations", "durations_are_durations")
    assert missing(ttl, "'activity'", f"ttl {text!r}", "'15m'", "'7d'") == []
    assert missing(delay, "'activity'", f"available_delay {text!r}", "'15m'", "'7d'") == []


def test_a_ttl_of_zero_is_a_duration() -> None:
    assert issues(view(ttl="0s", available_delay="36h")) == []


def test_a_ttl_with_aggregations_is_reported() -> None:
    timed = view(ttl="7d", aggregations=(Aggregation("amount", "sum", windows=("7d",)),))

    [issue] = issues(timed)

    assert issue.rule == "aggregating_views_have_no_ttl"
    assert missing(issue, "'activity'", "ttl='7d'", "aggregations", "Remove ttl=") == []


def test_all_problems_of_a_view_are_reported() -> None:
    assert rules(view(ttl="7x", schema=())) == [
        "views_have_features",
        "durations_are_durations",
    ]
