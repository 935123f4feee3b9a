"""When a view that failed is tried again, and when it is given up."""

from datetime import timedelta

from featurestore.errors import ContractError, FeatureStoreError, SourceError, StorageError
from featurestore.jobs.continuous.failing import Failing, after_failure, is_given_up, waits
from tests.jobs.world import DERIVED, NOON, SPENDING


def failures(error: FeatureStoreError | None, count: int) -> Failing:
    state = Failing()
    for _ in range(count):
        state = after_failure(state, error, NOON, 30.0)
    return state


def test_a_failure_that_may_pass_is_tried_again_without_limit() -> None:
    for error in (SourceError("read", "no broker", "start"), StorageError("put", "503", "again")):
        for count, seconds in ((1, 30), (2, 60), (6, 600), (2000, 600)):
            state = failures(error, count)

            assert (state.count, state.retry_at) == (count, NOON + timedelta(seconds=seconds))


def test_a_failure_that_time_does_not_heal_ends_the_tries() -> None:
    state = after_failure(failures(None, 3), ContractError("run", "changed", "accept"), NOON, 30.0)

    assert (state.count, state.is_given_up) == (4, True)


def test_a_view_waits_and_is_given_up_with_the_view_that_it_derives_from() -> None:
    later = NOON + timedelta(seconds=31)
    passing, lasting = {"spending": failures(None, 1)}, {"spending": Failing(1)}

    assert [waits(DERIVED, each, NOON) for each in ({}, passing, lasting)] == [False, True, True]
    assert [waits(DERIVED, each, later) for each in (passing, lasting)] == [False, True]
    assert [is_given_up(DERIVED, each) for each in (passing, lasting)] == [False, True]
    assert not is_given_up(SPENDING, {"copied": Failing(1)})
