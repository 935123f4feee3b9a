"""Everything that needs Spark, through a Spark Connect server: no part of it needs its Java."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.fraud.data import load_next, read_chargebacks, read_transactions
from demo.fraud.simulator import Size, simulate
from tests.cluster.connect_server import running_server
from tests.cluster.project import PAYMENTS, ROOT, Signs, fraud_project, waiting_project

pytestmark = pytest.mark.integration


def test_two_projects_run_through_spark_connect(tmp_path: Path) -> None:
    fraud = fraud_project(tmp_path / "fraud", {})
    loaded = load_next(fraud, simulate(Size(payments=3_000, cards=150, merchants=80)), 3_020)
    waiting = waiting_project(tmp_path / "waiting", {})
    Signs(waiting).go()
    (tmp_path / "server").mkdir()

    with running_server(tmp_path / "server") as url:
        arguments = [url, fraud, waiting, loaded.now.isoformat()]
        process = subprocess.run(
            [sys.executable, "-m", "tests.cluster.through_connect", *arguments],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip

    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    payments, disputed = read_transactions(fraud), read_chargebacks(fraud).num_rows
    at_terminals = payments["online"].to_pylist().count(False)
    assert found["fraud"].pop("rows") == found["fraud"].pop("to_spark") > 500
    assert found["fraud"] == {
        "results": {
            "card_activity": ["done", payments.num_rows],
            "card_whereabouts": ["done", at_terminals],
            "merchant_activity": ["done", payments.num_rows],
            "merchant_chargebacks": ["done", disputed],
            "card_chargebacks": ["done", disputed],
        },
        "equal": True,
    }
    aggregate, chance = found["waiting"].pop("refused")
    assert "Aggregate" in aggregate
    assert "rand" in chance
    assert found["waiting"] == {
        "statuses": ["done", "nothing"],
        "rows": PAYMENTS,
        "types": {"features": ["string"], "latest": ["string"], "written": ["string"]},
        "equal": True,
        "vectors": True,
    }
