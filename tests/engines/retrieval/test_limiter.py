"""Threads that share a limiter never reserve more than it has, and wait for one another."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines.retrieval.limiter import Limiter


@given(sizes=st.lists(st.integers(0, 100), max_size=40), threads=st.integers(1, 6))
def test_every_reservation_that_fits_succeeds_and_never_too_much_is_reserved(sizes, threads):
    limiter, lock, running, totals = Limiter(100), Lock(), [], []

    def work(size: int) -> None:
        with limiter.reserved(size):
            with lock:
                running.append(size)
                totals.append(sum(running))
            with lock:
                running.remove(size)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, sizes))

    assert len(totals) == len(sizes)
    assert max(totals, default=0) <= 100
    assert running == []


def test_a_reservation_waits_until_enough_is_free() -> None:
    limiter, entered = Limiter(100), Event()

    def reserve() -> None:
        with limiter.reserved(60):
            entered.set()

    with ThreadPoolExecutor(1) as pool:
        with limiter.reserved(60):
            waiting = pool.submit(reserve)
            assert not entered.wait(0.05)
        waiting.result(60)

    assert entered.is_set()


def test_reserved_bytes_are_free_again_after_an_error() -> None:
    limiter = Limiter(10)

    with pytest.raises(KeyError), limiter.reserved(10):
        raise KeyError

    with limiter.reserved(10), ThreadPoolExecutor(1) as pool:
        assert pool.submit(limiter.fits, 10).result(60)


def test_no_more_than_the_size_fits() -> None:
    assert [Limiter(10).fits(size) for size in (0, 10, 11)] == [True, True, False]


def test_without_a_limit_everything_fits() -> None:
    limiter = Limiter()

    with limiter.reserved(10**15), limiter.reserved(1):
        assert limiter.fits(10**18)
