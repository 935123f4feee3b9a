"""The choice of an engine from the size of a call, the machine and the probe."""

from featurestore.engines.choose import (
    LOCAL_BYTES_PER_CORE,
    Machine,
    Unreadable,
    Work,
    choose,
)

GB = 10**9
SMALL = Work(1000, needed_memory=10**6, stored_rows=10**6, stored_bytes=10**7)
IN_SPARK = Work(None, needed_memory=0, stored_rows=10**6, stored_bytes=10**7)
LAPTOP = Machine(2, 2 * GB)
LOST = Unreadable("payments", uri="/data/payments", problem="no such folder", host="worker-7")


def test_work_that_fits_one_process_needs_no_probe():
    choice = choose(SMALL, LAPTOP)

    assert (choice.engine, choice.work, choice.unreadable) == ("local", SMALL, ())


def test_a_spine_in_spark_stays_in_spark():
    assert choose(IN_SPARK, LAPTOP) is None
    assert choose(IN_SPARK, LAPTOP, ()).engine == "scan"


def test_without_a_machine_the_engine_in_process_is_left_out():
    assert choose(SMALL, None) is None
    assert choose(SMALL, None, ()).engine == "scan"


def test_a_spine_beyond_the_memory_limit_is_answered_by_spark():
    large = Work(10**8, needed_memory=2 * GB + 1, stored_rows=1, stored_bytes=1)

    assert choose(large, LAPTOP, ()).engine == "scan"
    assert choose(large, Machine(2), ()).engine == "local"


def test_without_a_limit_the_memory_of_the_machine_counts():
    large = Work(10**8, needed_memory=2 * GB + 1, stored_rows=1, stored_bytes=1)

    assert choose(large, Machine(2, available=2 * GB), ()).engine == "scan"
    assert choose(large, Machine(2, available=3 * GB), ()).engine == "local"
    assert choose(large, Machine(2, 3 * GB, available=GB), ()).engine == "local"


def test_more_bytes_than_the_cores_read_in_a_minute_are_left_to_spark():
    most = 2 * LOCAL_BYTES_PER_CORE
    works = [Work(1, needed_memory=1, stored_rows=1, stored_bytes=most + more) for more in (0, 1)]

    assert [choose(work, LAPTOP, ()).engine for work in works] == ["local", "scan"]


def test_tables_that_executors_cannot_read_are_shuffled_and_the_reason_names_them():
    choice = choose(IN_SPARK, LAPTOP, [LOST])

    assert (choice.engine, choice.unreadable) == ("shuffle", (LOST,))
    for part in ("payments", "no such folder", "worker-7"):
        assert part in choice.reason


def test_a_view_without_a_table_is_shuffled_without_a_probe():
    work = Work(
        1000, needed_memory=1, stored_rows=0, stored_bytes=0, without_table=("new", "newer")
    )

    choice = choose(work, LAPTOP)

    assert choice.engine == "shuffle"
    assert "'new', 'newer'" in choice.reason
