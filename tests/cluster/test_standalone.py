"""The example domain and one with Python code, on a cluster of several processes."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

import featurestore as fs
from demo.fraud.data import load_next, read_chargebacks, read_transactions
from demo.fraud.simulator import START, Size, simulate
from demo.fraud.spine import labelled_payments
from tests.cluster.project import (
    PAYMENTS,
    Signs,
    fraud_project,
    spine,
    waiting_project,
)
from tests.cluster.standalone import Cluster

pytestmark = pytest.mark.integration


def test_the_example_domain_is_materialized_by_two_workers(
    standalone: Cluster, tmp_path: Path
) -> None:
    project = fraud_project(tmp_path, standalone.settings)
    loaded = load_next(project, simulate(Size(payments=7_000, cards=150, merchants=80)), 7_040)

    with fs.FeatureStore(project, clock=lambda: loaded.now) as store:
        store.apply(store.plan())
        results = store.materialize()
        executors = len(standalone.executors())

    transactions, chargebacks = read_transactions(project), read_chargebacks(project)
    assert executors == 2
    assert {result.view: (result.status, result.rows_out) for result in results} == {
        "card_activity": ("done", transactions.num_rows),
        "card_whereabouts": ("done", transactions["online"].to_pylist().count(False)),
        "merchant_activity": ("done", transactions.num_rows),
        "merchant_chargebacks": ("done", chargebacks.num_rows),
        "card_chargebacks": ("done", chargebacks.num_rows),
    }
    rows = labelled_payments(transactions, chargebacks, loaded.now, START)
    local = fs.FeatureStore(project).get_training_set("fraud_v1", rows, label="is_fraud")
    assert len(local) == rows.num_rows > 1_000


def test_workers_run_code_of_a_project_that_they_do_not_have(
    local_cluster: dict[str, str], tmp_path: Path
) -> None:
    project = waiting_project(tmp_path, local_cluster)
    Signs(project).go()

    with fs.FeatureStore(project) as store:
        store.apply(store.plan())
        (result,) = store.materialize()
        frame = store.get_historical_features("all_of_it", spine())

    assert (result.status, result.rows_out) == ("done", PAYMENTS)
    assert pa.table(DeltaTable(store.layout.latest("spending")).scan()).num_rows == 37
    assert frame.to_arrow().num_rows == 500
