"""`store.monitor` and its verb, on ledgers and profiles that are written without Spark."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import featurestore as fs
from featurestore.cli.operations.monitor import print_observations
from featurestore.client.monitoring.baselines import profile_of_file
from featurestore.client.profiles.frame import frame_profile
from featurestore.errors import NotFoundError, RequestError, SpineError
from featurestore.jobs.monitor.observation import Observation
from featurestore.monitoring.profile import ColumnProfile, Profile
from featurestore.monitoring.records import record_of
from featurestore.store.ledger.profiles import Profiles
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs
from tests.cli.conftest import run
from tests.client.shop import DEFINITIONS, NOW, write_view
from tests.monitoring.profiles import numbers
from tests.tables import feature_table

__all__ = ["run"]

Run = Callable[..., tuple[int, str, str]]
LOW, HIGH = [float(each % 10) for each in range(500)], [float(each % 40) for each in range(500)]
DRIFT = 'schema=(fs.Field("amount", fs.Float64),), drift=fs.Drift("amount", psi=0.2),'


@pytest.fixture
def watched(tmp_path: Path) -> fs.FeatureStore:
    """A store whose view `activity` has a threshold, and the profiles of two runs."""
    (tmp_path / "featurestore.toml").write_text('project = "shop"\n')
    (tmp_path / "feature_defs").mkdir()
    plain = 'schema=(fs.Field("amount", fs.Float64),),'
    (tmp_path / "feature_defs" / "shop.py").write_text(DEFINITIONS.replace(plain, DRIFT))
    store = fs.FeatureStore(tmp_path, clock=lambda: NOW)
    store.apply(store.plan())
    record(store, "r1", 48, LOW)
    record(store, "r2", 24, LOW)
    return store


def record(
    store: fs.FeatureStore,
    run_id: str,
    hours_ago: float,
    values: list[float],
    answers: list[float] | None = None,
) -> None:
    """Record a run that stored values, with its profiles."""
    at = NOW - timedelta(hours=hours_ago)
    amount = replace(numbers(values, listed=50), column="amount")
    sums = replace(numbers(answers or values, listed=50), column="amount_sum_2h")
    own = {"run_id": run_id, "build_id": "t1", "at": at}
    Profiles(store.layout).record(
        record_of(Profile("activity", kind=kind, columns=(column,), **own))  # type: ignore[arg-type]  # one of its kinds
        for kind, column in (("rows", amount), ("features", sums))
    )
    Runs(store.layout).record(
        RunRecord(
            run_id,
            view="activity",
            table_id="t1",
            kind="run",
            status="done",
            started_at=at,
            ended_at=at,
            outcome=Outcome(rows_in=len(values), rows_out=len(values)),
        )
    )


def states(found: list[object], check: str = "drift") -> dict[str, str]:
    return {
        f"{each.measure} of {each.feature}": each.state  # type: ignore[attr-defined]  # observations
        for each in found
        if each.check == check  # type: ignore[attr-defined]  # as above
    }


def test_a_run_whose_process_was_killed_is_a_breach(watched: fs.FeatureStore) -> None:
    assert run_states(watched) == ["ok"]
    Runs(watched.layout).record(replace(Runs(watched.layout).records()[0], run_id="r3",
        status="running", started_at=NOW, ended_at=None, outcome=Outcome()))  # fmt: skip

    assert run_states(watched) == ["breach"]


def run_states(store: fs.FeatureStore) -> list[str]:
    return [each.state for each in store.monitor("activity") if each.check == "run"]


def test_declared_thresholds_are_checked(watched: fs.FeatureStore) -> None:
    calm = watched.monitor("activity")
    record(watched, "r3", 1, HIGH)

    drifted = watched.monitor("activity")

    assert states(calm) == {"psi of amount": "ok"}
    assert states(drifted) == {
        "psi of amount": "breach",
        "psi of amount_sum_2h": "undeclared",
    }
    assert drifted[0].state == "breach"
    assert [each.declared for each in drifted if each.check == "drift"] == [True, False]


def test_all_views_are_checked_and_one_without_runs_says_so(watched: fs.FeatureStore) -> None:
    found = watched.monitor()

    assert {each.view for each in found} == {"activity", "profile", "rate"}
    assert {each.state for each in found if each.view == "rate"} == {"not compared"}


def test_a_question_compares_all_features(watched: fs.FeatureStore) -> None:
    record(watched, "r3", 1, HIGH)

    previous = states(watched.monitor("activity", against="previous"))
    two_runs = states(watched.monitor("activity", run="r2", against="r1"))

    assert previous["psi of amount_sum_2h"] == "breach"
    assert previous["nulls of amount_sum_2h"] == "ok"
    assert previous["None of count_2h"] == "not compared"
    assert two_runs["psi of amount_sum_2h"] == "ok"


def test_weeks_are_compared(watched: fs.FeatureStore) -> None:
    record(watched, "r3", 1, HIGH)

    found = watched.monitor("activity", since="30h")

    assert states(found)["psi of amount"] == "breach"
    assert states(watched.monitor("activity", since=timedelta(hours=10)))["None of amount"] == (
        "not compared"
    )


@pytest.mark.parametrize(("values", "state"), [(LOW, "ok"), (HIGH, "breach")])
def test_a_file_is_compared_with_the_present(
    watched: fs.FeatureStore, tmp_path: Path, values: list[float], state: str
) -> None:
    file = tmp_path / "training.parquet"
    pq.write_table(pa.table({"amount_sum_2h": values, "label": [True] * len(values)}), file)

    found = states(watched.monitor("activity", against=str(file)))

    assert found["psi of amount_sum_2h"] == state


def test_a_file_and_a_training_set_of_the_same_rows_have_the_same_profile(
    watched: fs.FeatureStore, tmp_path: Path
) -> None:
    sums = np.random.default_rng(1).lognormal(size=5_000)
    rows = pa.table({"amount_sum_2h": sums, "bought": np.arange(5_000) % 2})
    pq.write_table(rows, tmp_path / "same.parquet")
    views = [watched.applied().view("activity")]

    of_rows = frame_profile(rows, ["amount_sum_2h"], personal=(), name="same", at=NOW)
    of_file = profile_of_file(str(tmp_path / "same.parquet"), views, NOW)  # type: ignore[arg-type]  # a stored view

    assert of_file.columns == of_rows.columns


def test_a_saved_training_set_is_compared(watched: fs.FeatureStore) -> None:
    spine = [{"event_timestamp": NOW, "bought": True}] * 500
    write_view(watched, "rate", feature_table({}, [1], {"euro": [1.5]}))
    watched.get_training_set("rate", spine, label="bought").save("rates")

    found = states(watched.monitor(["activity", "rate"], against="training_set:rates"))

    assert found["None of euro"] == "not compared"
    assert found["None of amount_sum_2h"] == "not compared"
    rates = replace(numbers([1.5] * 500, listed=9), column="euro")
    profile = Profile(
        "rate", run_id="r9", build_id="rate-1", at=NOW, kind="rows", columns=(rates,)
    )
    Profiles(watched.layout).record([record_of(profile)])
    compared = states(watched.monitor("rate", against="training_set:rates"))
    assert compared == {"psi of euro": "ok", "nulls of euro": "ok"}


def test_a_damaged_profile_is_a_breach_and_the_others_are_compared(
    watched: fs.FeatureStore,
) -> None:
    empty = ColumnProfile("amount", type="Float64", rows=0, nulls=0)
    profile = Profile(
        "activity", run_id="r3", build_id="t1", at=NOW, kind="rows", columns=(empty,)
    )
    Profiles(watched.layout).record([replace(record_of(profile), columns='[{"column": 1}]')])

    found = watched.monitor("activity")

    assert [(each.state, "r3" in each.found) for each in found if each.check == "profile"] == [
        ("breach", True)
    ]
    assert states(found) == {"psi of amount": "ok"}


def test_what_does_not_exist_is_an_error_with_near_names(watched: fs.FeatureStore) -> None:
    with pytest.raises(NotFoundError) as unknown_run:
        watched.monitor(against="r22")
    with pytest.raises(NotFoundError) as unknown_set:
        watched.monitor(against="training_set:fraud")
    with pytest.raises(SpineError) as no_file:
        watched.monitor(against="no/such.parquet")
    with pytest.raises(NotFoundError):
        watched.monitor("activities")
    with pytest.raises(RequestError) as future:
        watched.monitor(since="1970-01-02T00:00Z")
    with pytest.raises(RequestError) as neither:
        watched.monitor(since="7 days")
    with pytest.raises(RequestError) as both:
        watched.monitor(run="r1", since="7d")

    assert no_file.value.call == "monitor(against='no/such.parquet')"
    assert "spine" not in no_file.value.found
    assert both.value.fix
    assert "'r2'" in unknown_run.value.fix
    assert "fraud" in unknown_set.value.found
    assert future.value.fix
    assert "'7d'" in neither.value.fix


def test_drift_without_a_threshold_is_shown_and_does_not_change_the_exit_code(
    watched: fs.FeatureStore, tmp_path: Path, run: Run
) -> None:
    record(watched, "r3", 1, LOW, answers=HIGH)

    code, out, _ = run("monitor", "activity", "-p", tmp_path)
    _, text, _ = run("monitor", "activity", "-p", tmp_path, "--json")

    assert code == 0
    assert "amount_sum_2h" in out
    first = json.loads(text)["monitor"][0]
    assert (first["state"], first["feature"], first["declared"]) == (
        "undeclared",
        "amount_sum_2h",
        False,
    )
    # What the fix says to write is a threshold that the present values exceed.
    drift = eval(first["fix"].partition("drift=[")[2].partition("]")[0], {"fs": fs})
    assert drift.thresholds == {"psi": first["threshold"]}
    assert first["value"] > first["threshold"]


def test_a_distance_above_its_threshold_that_is_no_breach_has_its_reason(
    watched: fs.FeatureStore, tmp_path: Path, run: Run
) -> None:
    record(watched, "r3", 2, [1.0, 2.0, 3.0, 4.0])
    record(watched, "r4", 1, [1.0, 2.0, 3.0, 9.0])

    code, out, _ = run("monitor", "activity", "-p", tmp_path)
    [own] = [each for each in watched.monitor("activity") if each.check == "drift"]

    assert (code, own.state, own.is_explained) == (0, "ok", True)
    assert own.value is not None and own.threshold is not None and own.value > own.threshold
    assert own.found in " ".join(out.split())


def test_the_verb_has_exit_code_1_on_a_breach(
    watched: fs.FeatureStore, tmp_path: Path, run: Run
) -> None:
    calm, _, _ = run("monitor", "activity", "-p", tmp_path)
    record(watched, "r3", 1, HIGH)

    code, out, _ = run("monitor", "activity", "-p", tmp_path)
    as_json, text, _ = run("monitor", "activity", "-p", tmp_path, "--json")

    assert (calm, code, as_json) == (0, 1, 1)
    assert "psi of amount" in out
    breach = json.loads(text)["monitor"][0]
    assert (breach["state"], breach["measure"], breach["view"]) == ("breach", "psi", "activity")
    assert breach["value"] > breach["threshold"]
    assert breach["fix"]


@pytest.mark.parametrize(
    "arguments", [["--week", "--since", "7d"], ["--against", "nothing"], ["--since", "x"], ["vw"]]
)
def test_wrong_usage_has_exit_code_2(
    watched: fs.FeatureStore, tmp_path: Path, run: Run, arguments: list[str]
) -> None:
    code, out, err = run("monitor", "-p", tmp_path, *arguments)

    assert (code, out) == (2, "")
    assert err


def test_the_table_fits_a_terminal_of_80_columns(
    watched: fs.FeatureStore, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    record(watched, "r3", 1, HIGH)

    _, out, _ = run("monitor", "-p", tmp_path, "--against", "previous")

    assert max(map(len, out.splitlines())) <= 80


def test_a_notebook_shows_a_table(watched: fs.FeatureStore) -> None:
    assert "<td>activity</td>" in watched.monitor("activity")._repr_html_()  # type: ignore[attr-defined]  # of Results


def test_an_older_damaged_profile_is_no_breach(watched: fs.FeatureStore) -> None:
    column = replace(numbers([1.0, 2.0] * 50), column="amount")
    profile = Profile(
        "activity", run_id="r3", build_id="t1", at=NOW, kind="rows", columns=(column,)
    )
    damaged = replace(record_of(profile), columns="{")
    Profiles(watched.layout).record([damaged, record_of(replace(profile, run_id="r4"))])

    assert [each for each in watched.monitor("activity") if each.check == "profile"] == []


def test_a_reason_that_several_checks_have_is_printed_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = {"check": "drift", "state": "not compared", "found": "no earlier profile"}
    print_observations([Observation("v", feature=name, **own) for name in ("city", "amount")])  # type: ignore[arg-type]  # as in own

    text = capsys.readouterr().out

    assert text.count("no earlier profile") == 1
    assert text.count("city") == text.count("amount") == 2  # in the table and above the reason
