"""The pages' code runs from top to bottom, in the project that `featurestore init` writes."""

import doctest
import os
import re
import shlex
import shutil
import textwrap
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import featurestore as fs
from featurestore.cli import main
from tests.client.shop import write_view
from tests.tables import feature_table

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[1]
EPOCH, DAY = datetime(1970, 1, 1, tzinfo=UTC), timedelta(days=1)
BLOCK = re.compile(r"^```(shell|python|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
RUN_ON_THE_PROJECT = ("docs/commands.md", "docs/transforms.md")
RUN_ALONE = (
    *("docs/site.md", "docs/health.md", "docs/impact.md", "docs/finding.md"),
    *("docs/monitoring.md", "docs/settings.md"),
)
# tests/test_tutorial.py; tests/packaging/test_feast.py, with the package feast; and
# tests/jobs/continuous/test_killed.py, since a continuous process ends by a signal only.
RUN_ELSEWHERE = ("docs/tutorial.md", "docs/feast.md", "docs/streams.md")
# What a page's reader does before: it needs a network, or a clone.
BEFOREHAND = ("make", "pip", ".venv/bin/python", "git")


def blocks(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / page).read_text("utf-8"))


def section(page: str, heading: str) -> str:
    """Return the text below a heading, up to the next one."""
    text = (ROOT / page).read_text("utf-8")
    _, _, below = text.partition(f"\n## {heading}\n")
    return below.partition("\n## ")[0]


def commands(shell: str) -> list[list[str]]:
    """Return the commands of a block, without comments."""
    lines = shell.replace("\\\n", " ").splitlines()
    parts = [part for line in lines for part in re.split(r" && ", line.partition(" #")[0])]
    return [shlex.split(part) for part in parts if part.strip()]


def run_python(text: str, page: str, names: dict[str, object]) -> None:
    """Run one block of Python: statements, or a session with the results that it shows."""
    if not text.startswith(">>>"):
        exec(compile(text, page, "exec"), names)
        return
    session = doctest.DocTestParser().get_doctest(text, names, page, None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    failures: list[str] = []
    runner.run(session, out=failures.append, clear_globs=False)
    names.update(session.globs)
    assert "".join(failures) == ""


def store_of(folder: Path, definitions: str, tables: dict[str, pa.Table]) -> fs.FeatureStore:
    """Return the store of a page's definitions, with these stored rows."""
    (folder / "feature_defs").mkdir()
    (folder / "feature_defs" / "page.py").write_text(definitions)
    (folder / "featurestore.toml").write_text('project = "page"\n')
    store = fs.FeatureStore(folder)
    store.apply(store.plan())
    for view, rows in tables.items():
        write_view(store, view, rows)
    return store


def run_command(words: list[str]) -> int:
    if words[0] == "cd":
        os.chdir(words[1])
        return 0
    assert words[0] == "featurestore", words
    with pytest.raises(SystemExit) as ended:
        main(words[1:])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def project(spark: "SparkSession", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write, apply and materialize the example project."""
    folder = tmp_path_factory.mktemp("pages")
    assert run_command(["featurestore", "init", str(folder / "shop")]) == 0
    with fs.FeatureStore(folder / "shop") as store:
        store.apply(store.plan())
        assert {run.status for run in store.materialize()} == {"done"}
    return folder / "shop"


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_first_project_of_the_readme(
    spark: "SparkSession", empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, object] = {}

    for kind, text in BLOCK.findall(section("README.md", "The first project")):
        if kind == "python":
            exec(compile(text, "README.md", "exec"), names)
        else:
            assert [run_command(words) for words in commands(text)] == [0] * len(commands(text))

    out = capsys.readouterr().out
    assert "accuracy: " in out
    assert (empty_folder / "shop" / "training.parquet").is_file()


@pytest.mark.slow
def test_the_readme_of_the_written_project(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    lines = [each for each in Path("README.md").read_text().splitlines() if each[:4] == "    "]
    shell, python = [], []
    for line in textwrap.dedent("\n".join(lines)).splitlines():
        (shell if line.startswith("featurestore ") else python).append(line)

    codes = [run_command(words) for words in commands("\n".join(shell))]
    run_python("\n".join(python), "README.md", {})

    assert codes == [0] * len(shell)
    assert "'returned'" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.slow
def test_the_checks_of_the_readme(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    [(_, text)] = BLOCK.findall(section("README.md", "Is it right?"))

    assert [run_command(words) for words in commands(text)] == [0, 1]


@pytest.mark.slow
def test_the_commands_of_the_pages(
    project: Path, empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(project, empty_folder / "shop")
    os.chdir(empty_folder / "shop")
    shown = [each for page in RUN_ON_THE_PROJECT for each in blocks(page)]
    examples = [words for kind, text in shown if kind == "shell" for words in commands(text)]

    codes = {" ".join(words): run_command(words) for words in examples}

    assert len(codes) >= 4
    assert {text for text, code in codes.items() if code} == {
        "featurestore verify returns_v1 --spine spine.csv --leakage"
    }


@pytest.mark.parametrize("page", ["README.md", "docs/feast.md"])
def test_definitions_of_a_page_load_as_a_whole(page: str, tmp_path: Path) -> None:
    text = (ROOT / page).read_text("utf-8")
    shown = [
        block
        for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        if "fs.Entity(" in block
    ]
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "page.py").write_text("\n".join(shown))
    (tmp_path / "featurestore.toml").write_text('project = "page"\n')

    store = fs.FeatureStore(tmp_path)

    declared = re.findall(r'= fs\.\w+\(\s*(?:#.*\n\s*)?"(\w+)"', "\n".join(shown))
    assert sorted(each.name for each in store.load().definitions) == sorted(declared)
    assert len(declared) >= 4
    assert not store.plan().is_empty


def test_the_page_of_on_demand_features_runs_from_top_to_bottom(empty_folder: Path) -> None:
    page = "docs/on-demand.md"
    first, *others = [text for kind, text in blocks(page) if kind == "python"]
    rows = feature_table({"card_id": ["c1", "c2"]}, [0, 1], {"amount": [30.0, 60.0]})
    spine = [
        {"card_id": "c1", "event_timestamp": EPOCH + DAY, "amount": 90.0, "is_fraud": 1},
        {"card_id": "c2", "event_timestamp": EPOCH + DAY, "amount": 30.0, "is_fraud": 0},
    ]
    names: dict[str, object] = {
        "store": store_of(empty_folder, first, {"card_activity": rows}),
        "spine": pa.Table.from_pylist(spine),
    }

    run_python(first, page, names)
    for text in others:
        run_python(text, page, names)

    assert names["report"].ok
    training = names["store"].get_training_set("fraud", names["spine"], label="is_fraud")
    assert training.to_arrow()["amount_ratio"].to_pylist() == [3.0, 0.5]


def test_the_calls_of_the_readme_run_on_its_definitions(empty_folder: Path) -> None:
    texts = [text for _, text in BLOCK.findall(section("README.md", "Your own tables"))]
    definitions, shown, calls = texts
    users = {"customer_id": [7, 8]}
    tables = {
        "activity": feature_table(users, [0, 1], {"amount": [1.0, 2.0]}),
        "profile": feature_table(
            users, [0, 1], {"country": ["FR", "NO"], "age": pa.array([30, 40], pa.int32())}
        ),
    }
    times = [EPOCH + DAY, datetime(2026, 2, 1, tzinfo=UTC)]
    spine = pa.table({"customer_id": [7, 8], "event_timestamp": times, "churned": [0, 1]})
    store_of(empty_folder, definitions, tables)
    names: dict[str, object] = {"spine": spine}

    for text in (definitions, shown, calls):
        run_python(text, "README.md", names)

    assert [len(names["train"]), len(names["test"])] == [1, 1]
    assert names["scores"].to_arrow()["country"].to_pylist() == ["FR"]


def test_the_calls_of_the_page_about_feast_run(empty_folder: Path) -> None:
    page = "docs/feast.md"
    texts = [text for kind, text in blocks(page) if kind == "python"]
    rows = feature_table(
        {"driver_id": [1001]},
        [0],
        {"conv_rate": pa.array([0.5], pa.float32()), "trips": [3]},
    )
    store_of(empty_folder, texts[0], {"stats": rows})
    orders = [{"driver_id": 1001, "event_timestamp": EPOCH + DAY / 2}]
    names: dict[str, object] = {"orders": orders}

    for text in texts:
        run_python(text, page, names)

    assert list(names["training"]["trips"]) == [3]
    assert names["latest"]["conv_rate"].isna().all()  # older than the ttl


SPENDING = """
payments = fs.DeltaSource("payments", path="data/payments", timestamp_field="paid_at")
card = fs.Entity("card", join_keys=fs.Field("card_id", fs.String))
spending = fs.FeatureView(
    "spending", entities=card, source=payments, schema=fs.Field("euros", fs.Float64),
)
campaign = fs.FeatureView(
    "campaign",
    entities=fs.Entity("customer", join_keys=fs.Field("customer_id", fs.String)),
    source=visits,
    schema=[fs.Field("euros", fs.Decimal(10, 2)), fs.Field("campaign", fs.String)],
)
place = fs.FeatureView(
    "place",
    entities=fs.Entity("shop", join_keys=fs.Field("shop", fs.String)),
    source=shop_lists,
    schema=fs.Field("city", fs.String),
)
"""


@pytest.mark.slow
def test_the_page_of_sources_runs_from_top_to_bottom(
    spark: "SparkSession", empty_folder: Path
) -> None:
    texts = [text for kind, text in blocks("docs/sources.md") if kind == "python"]
    calls = [text for text in texts if "store." in text]
    definitions = "\n".join([*(text for text in texts if text not in calls), SPENDING])
    files = {
        "exports/a/visits-1.csv": "customer_id;visited_at;euros\n007;2026-01-31 09:30;1.50\n",
        "exports/b/visits-2.csv": "customer_id;visited_at;euros;campaign\n8;2026-02-01;NULL;é\n",
        "data/countries.csv": "country,continent\nNO,Europe\n",
        "data/shop_lists/day=2026-01-31/part.csv": "shop,city\ns1,Oslo\n",
    }
    for name, text in files.items():
        (empty_folder / name).parent.mkdir(parents=True, exist_ok=True)
        (empty_folder / name).write_text(text, encoding="cp1252")
    (empty_folder / "feature_defs").mkdir()
    (empty_folder / "feature_defs" / "page.py").write_text(definitions)
    (empty_folder / "featurestore.toml").write_text('project = "page"\n')
    names: dict[str, object] = {
        "payments_frame": pa.table({"card_id": ["c"], "paid_at": [EPOCH + DAY], "euros": [2.5]})
    }

    for text in calls:
        run_python(text, "docs/sources.md", names)

    store = names["store"]
    store.materialize(["geography", "campaign", "place"])
    for view, key, expected in (
        ("spending", {"card_id": "c"}, {"euros": 2.5}),
        ("geography", {"country": "NO"}, {"continent": "Europe"}),
        ("campaign", {"customer_id": "007"}, {"euros": Decimal("1.50"), "campaign": None}),
        ("campaign", {"customer_id": "8"}, {"euros": None, "campaign": "é"}),
        ("place", {"shop": "s1"}, {"city": "Oslo"}),
    ):
        [row] = store.get_latest_features(view, [key]).to_arrow().to_pylist()
        assert {name: row[name] for name in expected} == expected


@pytest.mark.slow
def test_the_block_that_closes_a_store(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    [text] = [t for kind, t in blocks("docs/settings.md") if kind == "python" and "with " in t]
    names: dict[str, object] = {"fs": fs}

    run_python(text, "docs/settings.md", names)

    assert names["store"].status()[0].state == "current"


def test_the_settings_of_the_page_are_read(tmp_path: Path) -> None:
    text, _ = (text for kind, text in blocks("docs/settings.md") if kind == "toml")
    (tmp_path / "featurestore.toml").write_text(text)

    settings = fs.FeatureStore(tmp_path).settings

    assert (settings.project, settings.memory_limit) == ("shop", 2_000_000_000)
    assert settings.spark_conf_file == tmp_path / "spark-conf" / "local.conf"


def test_the_commands_of_the_page_with_environments(empty_folder: Path) -> None:
    assert run_command(["featurestore", "init", "."]) == 0
    _, text = (text for kind, text in blocks("docs/settings.md") if kind == "toml")
    (empty_folder / "featurestore.toml").write_text(text)
    [(_, shell)] = [each for each in blocks("docs/settings.md") if each[0] == "shell"]

    assert [run_command(words) for words in commands(shell)] == [0] * 2

    assert (empty_folder / "store-dev" / "shop" / "registry").is_dir()


def test_the_commands_of_the_page_on_the_website(empty_folder: Path) -> None:
    (empty_folder / "featurestore.toml").write_text('project = "shop"\n')

    shown = [words for _, text in blocks("docs/site.md") for words in commands(text)]
    served = [words for words in shown if words[:3] == ["featurestore", "docs", "serve"]]

    # A server runs until Ctrl-C: tests/site/serve runs it.
    assert [run_command(words) for words in shown if words not in served] == [0, 0, 0]
    assert len(served) == 2

    assert (empty_folder / "site" / "index.html").is_file()
    assert (empty_folder / "public" / "index.html").is_file()


def test_the_commands_of_the_page_on_health(empty_folder: Path) -> None:
    assert run_command(["featurestore", "init", "."]) == 0
    store = fs.FeatureStore(".")
    store.apply(store.plan())
    [(_, text)] = [each for each in blocks("docs/health.md") if each[0] == "shell"]
    [(_, toml)] = [each for each in blocks("docs/health.md") if each[0] == "toml"]

    assert [run_command(words) for words in commands(text)] == [1, 0, 1, 1]
    Path("featurestore.toml").write_text(toml)
    assert fs.FeatureStore(".").settings.lint_ignore == ("unvalidated", "unused:chargebacks")


def test_the_commands_of_the_page_on_impact(empty_folder: Path) -> None:
    assert run_command(["featurestore", "init", "."]) == 0
    store = fs.FeatureStore(".")
    store.apply(store.plan())
    names: dict[str, object] = {"store": store}

    for kind, text in blocks("docs/impact.md"):
        if kind == "shell":
            assert [run_command(words) for words in commands(text)] == [0, 0]
        else:
            run_python(text, "docs/impact.md", names)

    assert not names["found"].is_unused


def test_the_calls_and_commands_of_the_page_on_finding_features(empty_folder: Path) -> None:
    assert run_command(["featurestore", "init", "."]) == 0
    store = fs.FeatureStore(".")
    store.apply(store.plan())
    [(_, text)] = [each for each in blocks("docs/finding.md") if each[0] == "shell"]
    [(_, python)] = [each for each in blocks("docs/finding.md") if each[0] == "python"]

    run_python(python, "docs/finding.md", {"store": store})
    assert [run_command(words) for words in commands(text)] == [0] * 5


def test_the_commands_of_the_page_on_monitoring(empty_folder: Path) -> None:
    assert run_command(["featurestore", "init", "."]) == 0
    store = fs.FeatureStore(".")
    store.apply(store.plan())
    pq.write_table(pa.table({"amount_sum_7d": [1.0, 2.0]}), "training.parquet")
    [(_, text)] = [each for each in blocks("docs/monitoring.md") if each[0] == "shell"]

    # The views have a schedule, and no run has succeeded yet.
    assert [run_command(words) for words in commands(text)] == [1] * 4


def test_every_shell_block_is_run_here_or_is_done_beforehand() -> None:
    pages = ["README.md", *(str(each.relative_to(ROOT)) for each in ROOT.glob("docs/*.md"))]
    others = {
        page: [words for kind, text in blocks(page) if kind == "shell" for words in commands(text)]
        for page in pages
        if page
        not in ("README.md", *RUN_ON_THE_PROJECT, "docs/installing.md", *RUN_ALONE, *RUN_ELSEWHERE)
    }

    assert [
        (page, words)
        for page, several in others.items()
        for words in several
        if words[0] not in BEFOREHAND
    ] == []
