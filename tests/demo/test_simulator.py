"""The simulated payments depend only on the seed and have the patterns of the docstring."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from demo.fraud.patterns import PATTERNS
from demo.fraud.simulator import Simulation, Size, simulate

SIZE = Size(payments=30_000, cards=600, merchants=200, days=120)


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate(SIZE)


@pytest.fixture(scope="module")
def payments(simulation: Simulation) -> pd.DataFrame:
    """All payments in the order of their times, with their true patterns."""
    table = simulation.transactions.join(simulation.truth, "transaction_id")
    return table.to_pandas().sort_values(["event_timestamp", "transaction_id"])


def test_the_same_seed_gives_the_same_simulation(simulation: Simulation) -> None:
    again = simulate(SIZE)

    assert again.transactions.equals(simulation.transactions)
    assert again.chargebacks.equals(simulation.chargebacks)
    assert again.truth.equals(simulation.truth)


def test_another_seed_gives_another_simulation(simulation: Simulation) -> None:
    assert not simulate(SIZE, seed=1).transactions.equals(simulation.transactions)


def test_rows_are_in_the_order_of_their_arrival(simulation: Simulation) -> None:
    arrived = simulation.transactions["ingested_at"].to_numpy()
    reported = simulation.chargebacks["reported_at"].to_numpy()

    assert (np.diff(arrived) >= np.timedelta64(0, "us")).all()
    assert (np.diff(reported) >= np.timedelta64(0, "us")).all()


def test_two_percent_of_rows_arrive_late_and_none_before_its_payment(
    payments: pd.DataFrame,
) -> None:
    lag = (payments["ingested_at"] - payments["event_timestamp"]).dt.total_seconds()

    assert (lag > 0).all()
    assert lag.max() <= 5 * 86_400
    assert (lag >= 300).mean() == pytest.approx(0.02, abs=0.003)
    assert not lag.between(20, 300, inclusive="neither").any()


def test_every_pattern_occurs_and_frauds_are_about_one_in_a_hundred(
    payments: pd.DataFrame,
) -> None:
    share = payments["pattern"].value_counts(normalize=True)

    assert set(share.index) == {"honest", *PATTERNS}
    assert 1 - share["honest"] == pytest.approx(0.0125, abs=0.004)


def test_frauds_are_charged_back_and_honest_payments_hardly_ever(
    simulation: Simulation, payments: pd.DataFrame
) -> None:
    disputed = set(simulation.chargebacks["transaction_id"].to_pylist())

    share = (
        payments["transaction_id"].isin(disputed).groupby(payments["pattern"] != "honest").mean()
    )

    assert share[True] == pytest.approx(0.95, abs=0.03)
    assert 0 < share[False] < 0.001


def test_a_chargeback_is_reported_one_to_thirty_days_after_the_payment(
    simulation: Simulation,
) -> None:
    chargebacks = simulation.chargebacks.to_pandas()
    days = (chargebacks["reported_at"] - chargebacks["event_timestamp"]) / timedelta(days=1)

    assert days.between(1, 30).all()


def test_a_jump_follows_a_payment_elsewhere_within_ninety_minutes(payments: pd.DataFrame) -> None:
    terminals = payments[~payments["online"]]
    before = terminals.groupby("card_id")["event_timestamp"].shift()
    since = terminals["event_timestamp"] - before

    jumps = terminals["pattern"] == "jump"

    assert jumps.any()
    assert (since[jumps] <= timedelta(minutes=90)).all()


def test_no_source_has_the_true_pattern(simulation: Simulation) -> None:
    columns = {*simulation.transactions.column_names, *simulation.chargebacks.column_names}

    assert not columns & {"pattern", "is_fraud"}


def test_every_payment_has_one_card_and_one_merchant(simulation: Simulation) -> None:
    transactions: pa.Table = simulation.transactions

    assert len(transactions["transaction_id"].unique()) == transactions.num_rows
    assert transactions["card_id"].null_count == transactions["merchant_id"].null_count == 0
