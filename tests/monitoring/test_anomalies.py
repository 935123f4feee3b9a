import pytest

from featurestore.monitoring.anomalies import GREATEST_SCORE, usual


def test_too_few_numbers_say_nothing() -> None:
    assert usual([1.0] * 7) is None


def test_one_wild_number_does_not_change_what_is_usual() -> None:
    calm, wild = (
        usual([98, 99, 100, 101, 102, 97, 103, 100]),
        usual([98, 99, 100, 101, 102, 97, 103, 100_000]),
    )

    assert calm is not None and wild is not None
    assert wild.median == pytest.approx(calm.median, abs=1)
    assert wild.greatest < 130
    assert wild.score(200) > GREATEST_SCORE > abs(wild.score(101))


def test_equal_numbers_leave_a_band_around_them() -> None:
    found = usual([1000] * 8)

    assert found is not None
    assert (found.least, found.greatest) == (825.0, 1175.0)


def test_mostly_equal_numbers_use_the_mean_deviation() -> None:
    found = usual([100] * 6 + [400] * 2)

    assert found is not None
    assert found.deviation == pytest.approx(1.2533 * 75)


def test_zeros_make_an_anomaly_of_any_other_number() -> None:
    found = usual([0] * 8)

    assert found is not None
    assert (found.score(0), found.score(1), found.score(-1)) == (0, float("inf"), float("-inf"))
