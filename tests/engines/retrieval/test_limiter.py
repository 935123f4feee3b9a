"""Threads that share memory never take more than there is, and wait for one another."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines.retrieval.limiter import Room


@given(sizes=st.lists(st.integers(0, 100), max_size=40), threads=st.integers(1, 6))
def test_all_that_fits_is_taken_in_the_end_and_never_too_much_at_a_time(sizes, threads) -> None:
    room, lock, seen = Room(100), Lock(), []

    def work(size: int) -> None:
        with room.taken(size), lock:
            seen.append((size, room.free))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, sizes))

    assert sorted(size for size, _ in seen) == sorted(sizes)
    assert all(0 <= free <= 100 - size for size, free in seen)
    assert room.free == 100


def test_what_was_taken_is_given_back_when_the_work_fails() -> None:
    room = Room(10)

    try:
        with room.taken(10):
            raise KeyError
    except KeyError:
        pass

    assert (room.free, room.fits(10), room.fits(11)) == (10, True, False)


def test_without_a_limit_everything_fits() -> None:
    room = Room()

    with room.taken(10**15), room.taken(1):
        assert room.fits(10**18)
        assert room.free is None
