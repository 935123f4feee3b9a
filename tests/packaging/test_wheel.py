"""The wheel in clean environments, as people get it: each extra alone does what it is for."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.packaging.environments import Environment, make_environment, uv
from tests.packaging.interpreters import OWN, interpreter, other_interpreter
from tests.packaging.project_copy import ROOT

integration = pytest.mark.integration

# What the core alone does in a project whose tables are materialized.
READS = """\
import featurestore as fs
store = fs.FeatureStore(".")
training = store.get_training_set("returns_v1", "spine.csv", label="returned")
latest = store.get_latest_features("returns_v1", [{"customer_id": 1}])
assert training.to_arrow().num_rows > 50
assert latest.to_arrow()["city"][0].as_py() in {"Lyon", "Oslo", "Porto"}
numbers = ["customer_activity:amount_sum_7d", "customer_activity:count_30d"]
x, y = store.get_training_set(numbers, "spine.csv", label="returned").to_numpy()
assert x.shape == (training.to_arrow().num_rows, 2)
"""
# And what each extra is for.
USES = {
    "": "",
    "pandas": """\
import pandas as pd
spine = pd.read_csv("spine.csv", parse_dates=["event_timestamp"])
again = store.get_training_set("returns_v1", spine, label="returned").to_pandas()
assert len(again) == len(x)
assert str(again["count_7d"].dtype) in {"int64", "Int64"}
""",
    "polars": """\
import polars as pl
spine = pl.from_arrow(training.to_arrow().select(["customer_id", "event_timestamp"]))
again = store.get_historical_features("returns_v1", spine).to_polars()
assert again.height == len(x)
""",
    "duckdb": """\
rows = store.sql("SELECT count(*) AS n FROM customer_activity")
assert rows["n"][0].as_py() == 1500
""",
    "sklearn": """\
from sklearn.ensemble import HistGradientBoostingClassifier
assert 0.5 < HistGradientBoostingClassifier().fit(x, y).score(x, y) <= 1
""",
    "object-store": """\
from featurestore.store.lease import Lease
lease = Lease("memory:///v.lock", {"run": "r1"})
lease.acquire()
assert lease.confirm()
lease.release()
""",
    "mcp": """\
import anyio
from mcp import Client
from featurestore.mcp.server import mcp_server
async def found():
    async with Client(mcp_server(store)) as client:
        return await client.call_tool("search", {"text": "amuont 7d"})
assert anyio.run(found).structured_content["total"] == 1
""",
}


def make_shop(environment: Environment, folder: Path) -> str:
    """Make the example project and its tables by the command line; return what it printed."""
    environment.output("featurestore", "init", "shop", cwd=folder)
    shop = folder / "shop"
    environment.output("featurestore", "plan", cwd=shop)
    environment.output("featurestore", "apply", "--yes", cwd=shop)
    done = environment.run("featurestore", "materialize", cwd=shop)
    assert done.returncode == 0, done.stderr
    answer = environment.output(
        "featurestore", "latest", "returns_v1", "customer_id=1", "--format", "json", cwd=shop
    )
    row = json.loads(answer)
    assert row["customer_id"] == 1
    assert row["city"] in {"Lyon", "Oslo", "Porto"}
    return done.stderr


@pytest.fixture(scope="session")
def shop(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the example project with its tables, made by the wheel with its Spark extra."""
    folder = tmp_path_factory.mktemp("with spark")
    environment = make_environment(folder / "env", interpreter(OWN), f"{wheel}[spark]")
    make_shop(environment, folder)
    return folder / "shop"


@pytest.mark.slow
def test_the_core_alone_plans_and_names_the_extra_that_builds(
    pure_wheel: Path, tmp_path: Path
) -> None:
    environment = make_environment(tmp_path / "env", interpreter(OWN), str(pure_wheel))

    version = environment.output("featurestore", "--version")
    environment.output("featurestore", "init", "shop", cwd=tmp_path)
    plan = environment.output("featurestore", "plan", "--json", cwd=tmp_path / "shop")
    environment.output("featurestore", "apply", "--yes", cwd=tmp_path / "shop")
    built = environment.run("featurestore", "materialize", cwd=tmp_path / "shop")

    assert version.split() == ["featurestore", pure_wheel.name.split("-")[1]]
    assert json.loads(plan)["plan"]["builds"] == ["customer_activity", "customer_profile"]
    assert environment.packages() & {"pandas", "pyspark", "polars", "duckdb"} == set()
    assert built.returncode == 2
    assert "featurestore[spark]" in built.stderr


@integration
def test_the_spark_extra_by_pip_builds_and_fetches_the_jars_once(
    wheel: Path, tmp_path: Path
) -> None:
    subprocess.run([interpreter(OWN), "-m", "venv", tmp_path / "env"], check=True)
    home = tmp_path / "home"
    home.mkdir()
    environment = Environment(tmp_path / "env", {"HOME": str(home), "XDG_CACHE_HOME": ""})
    environment.output("pip", "install", "-q", f"{wheel}[spark]")

    first = make_shop(environment, tmp_path)
    again = environment.run("featurestore", "materialize", "--full", cwd=tmp_path / "shop")

    jars = next((home / ".cache/featurestore/jars").glob("spark-*-delta-*[!k]"))
    assert first.count(str(jars)) == 1
    assert again.returncode == 0, again.stderr
    assert str(jars) not in again.stderr
    assert sum(jar.stat().st_size for jar in jars.glob("*.jar")) == pytest.approx(13e6, rel=0.1)


@integration
def test_the_wheel_without_compiled_loops_answers_the_same(
    shop: Path, wheel: Path, pure_wheel: Path, tmp_path: Path
) -> None:
    version, python = other_interpreter()
    program = READS + "print(training.to_arrow().to_pydict())"
    loaded = "from importlib import import_module as load\nprint(load({!r}).compiled() is None)"
    module = loops_module(wheel)

    answers, missing = [], []
    for name, built in ("compiled", wheel), ("pure", pure_wheel):
        environment = make_environment(tmp_path / name, python, str(built))
        answers.append(environment.output("python", "-c", program, cwd=shop))
        missing.append(environment.output("python", "-c", loaded.format(module)).strip())

    assert missing == ["False", "True"]
    assert answers[0] == answers[1]
    assert version != OWN


def loops_module(wheel: Path) -> str:
    """Return the name of the module that loads the compiled loops."""
    source = next(ROOT.glob("featurestore/**/loops.c"))
    return ".".join(source.relative_to(ROOT).with_suffix("").parts)


@integration
@pytest.mark.parametrize("extra", USES)
def test_an_extra_alone_does_what_it_is_for(
    shop: Path, wheel: Path, tmp_path: Path, extra: str
) -> None:
    environment = make_environment(tmp_path / "env", interpreter(OWN), named(wheel, extra))

    environment.output("python", "-W", "error", "-c", READS + USES[extra], cwd=shop)

    others = {"pandas", "polars", "duckdb", "scikit-learn", "pyspark"} - {extra}
    present = environment.packages() & others
    assert present == ({"scikit-learn"} if extra == "sklearn" else set())


@integration
def test_the_demo_extra_alone_has_what_the_demo_imports(wheel: Path, tmp_path: Path) -> None:
    environment = make_environment(tmp_path / "env", interpreter(OWN), named(wheel, "demo"))
    modules = ".".join(("demo", "domains"))

    environment.output("python", "-c", f"import {modules}, demo.runner", cwd=ROOT)


@integration
@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_the_oldest_versions_of_every_range_do_the_same(
    wheel: Path, tmp_path: Path, version: str
) -> None:
    lowest = ["--resolution", "lowest-direct", "-r", str(ROOT / "pyproject.toml")]
    lowest += ["--only-binary", ":all:", "--no-binary", "pyspark"]  # it is published as source
    for extra in ("spark", "pandas", "polars", "duckdb", "sklearn", "mcp"):
        lowest += ["--extra", extra]
    environment = make_environment(tmp_path / "env", interpreter(version), *lowest)
    uv("pip", "install", "-q", "--python", str(environment.folder), "--no-deps", str(wheel))

    make_shop(environment, tmp_path)

    for program in USES.values():
        environment.output("python", "-c", READS + program, cwd=tmp_path / "shop")


def named(wheel: Path, extras: str) -> str:
    return f"{wheel}[{extras}]" if extras else str(wheel)
