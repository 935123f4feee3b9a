"""Nothing that the registry says is executed: it is text, wherever it is written."""

import ast
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

import featurestore as fs
from featurestore.integrations.airflow import airflow_files
from featurestore.integrations.cron import cron_files
from featurestore.integrations.dagster import dagster_files
from featurestore.integrations.project import scheduled_project
from featurestore.integrations.systemd import systemd_files
from featurestore.registry.codec import document_fingerprint
from featurestore.times import to_micros
from tests.client.shop import write_view
from tests.effort import is_soak
from tests.tables import feature_table

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DEFINITIONS = """\
import featurestore as fs

thing = fs.Entity("thing", join_keys=(fs.Field("id", fs.Int64),), description="A thing.")
source = fs.DeltaSource("source", path="source", timestamp_field="ts", owner="o", tags=("t",))
rows = fs.FeatureView(
    "rows", entities=(thing,), source=source, schema=(fs.Field("x", fs.Int64),),
    transform="SELECT * FROM {source}", description="Rows.", schedule="*/15 * * * *",
)
request = fs.RequestSource("request", schema=(fs.Field("n", fs.Int64),))
twice = fs.OnDemandFeatureView(
    "twice", sources=(rows, request), schema=(fs.Field("m", fs.Int64),),
    transform={"m": "n * 2"}, description="Twice.",
)


def double(inputs):
    return {"d": inputs["n"]}


doubled = fs.OnDemandFeatureView(
    "doubled", sources=(request,), schema=(fs.Field("d", fs.Int64),), transform=double
)
service = fs.FeatureService("service", features=(rows, twice), description="All.")
"""
HTML = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("project")
    (made / "featurestore.toml").write_text('project = "p"\n')
    (made / "feature_defs").mkdir()
    (made / "feature_defs" / "d.py").write_text(DEFINITIONS)
    (made / "beside.py").write_text(f"open({str(made / 'MARK')!r}, 'w').close()\n")
    store = fs.FeatureStore(made)
    store.apply(store.plan())
    rows = feature_table({"id": [1]}, [to_micros(NOON)], {"x": [7]})
    write_view(store, "rows", rows, table_id="t")
    return made


def payloads(mark: Path) -> list[str]:
    return [
        f"__import__('pathlib').Path({str(mark)!r}).touch()",
        f"$(touch {mark}); `touch {mark}`",
        f"1); COPY (SELECT 1) TO '{mark}'; --",
        f"(SELECT count(*) FROM read_text('{mark.parent / 'beside.py'}'))",
        f"!!python/object/apply:os.system ['touch {mark}']",
        "beside",
        f"a\n* * * * * touch {mark}\n",
        f'x"]); open("{mark}", "w") #',
        HTML,
    ]


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each text of a document."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        if isinstance(value, str):
            yield (*path, key)
        elif isinstance(value, dict | list):
            yield from leaves(value, (*path, key))


def with_text(document: Any, path: tuple[Any, ...], text: str) -> Any:
    changed = json.loads(json.dumps(document))
    node = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = text
    return changed


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)


def use(folder: Path) -> list[str]:
    """Use all that the registry says, and return the HTML that a notebook would show."""
    shown = []
    store = fs.FeatureStore(folder)
    calls = [
        lambda store: store.status(),
        lambda store: store.history(),
        lambda store: store.plan(),
        lambda store: store.views(),
        lambda store: store.features(),
        lambda store: store.sources(),
        lambda store: store.search("x"),
        lambda store: store.describe("rows"),
        lambda store: store.describe("service"),
        lambda store: store.health(store.applied()),
        lambda store: store,
        lambda store: store.registry.latest().manifest.view("rows"),
        lambda store: store.registry.latest().manifest.service("service"),
        lambda store: store.get_latest_features("service", [{"id": 1, "n": 2}]),
        lambda store: store.get_latest_features(["twice:m"], [{"id": 1, "n": 2}]),
        lambda store: store.get_latest_features(["doubled:d"], [{"n": 2}]),
        lambda store: store.sql("SELECT * FROM rows"),
        lambda store: store.materialize(due=True, dry_run=True),
    ]
    for call in calls:
        with suppress(fs.FeatureStoreError, AttributeError, TypeError):
            answer: Any = call(store)
            if hasattr(answer, "_repr_html_"):
                shown.append(answer._repr_html_())
    return shown


def exported(folder: Path) -> dict[str, str]:
    """Return what schedulers would run of the exported files: their code without its texts."""
    store = fs.FeatureStore(folder)
    latest = store.registry.latest()
    assert latest is not None
    try:
        project = scheduled_project(store.settings, latest.manifest, NOON, NOON)
        files = {
            name: text
            for write in (cron_files, systemd_files, airflow_files, dagster_files)
            for name, text in write(project).items()
        }
    except (fs.FeatureStoreError, ValueError):  # a text that is no schedule
        return {}
    return {name: _code(name, text) for name, text in files.items()}


def _code(name: str, text: str) -> str:
    if not name.endswith(".py"):
        return "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = 0
    return ast.dump(tree)


def texts_of(folder: Path) -> tuple[pa.Table, list[tuple[Any, ...]]]:
    """Return the registry's row as it was applied, and the path of each text in it."""
    table = DeltaTable(fs.FeatureStore(folder).layout.registry(), version=0)
    row = pa.table(table.scan().read_all())
    document = json.loads(row["manifest"][0].as_py())
    return row, [path for path in leaves(document) if path[-1] != "kind"]


def try_texts(folder: Path, paths: list[tuple[Any, ...]], *, with_html: bool) -> None:
    """Write hostile texts in place of others, and check that none of them does anything."""
    registry, mark = fs.FeatureStore(folder).layout.registry(), folder / "MARK"
    applied, _ = texts_of(folder)
    write_deltalake(registry, applied, mode="overwrite")
    [row] = applied.to_pylist()
    code = exported(folder)
    assert len(code) == 5
    for number, path in enumerate(paths):
        texts = payloads(mark)
        # Each text gets one after another of them; in a soak HTML too.
        for text in {texts[number % len(texts)], *(texts[-1:] if with_html else ())}:
            changed = with_text(json.loads(row["manifest"]), path, text)
            new = row | {"manifest": json.dumps(changed), "digest": document_fingerprint(changed)}
            rows = pa.Table.from_pylist([new], schema=applied.schema)
            write_deltalake(registry, rows, mode="overwrite")

            shown = use(folder)

            assert not mark.exists(), (path, text)
            assert path[-1] == "name" or exported(folder) in ({}, code), (path, text)
            tags = set().union(*(Tags(html).tags for html in shown))
            assert not tags & {"script", "img"}, (path, text)


@pytest.mark.parametrize("field", ["description", "schedule", "transform", "module"])
def test_a_text_of_the_registry_is_not_executed_and_is_no_html(folder: Path, field: str) -> None:
    _, paths = texts_of(folder)

    try_texts(folder, [path for path in paths if path[-1] == field][:1], with_html=True)


@pytest.mark.slow
@pytest.mark.soak
def test_no_text_of_the_registry_is_executed_or_becomes_html(folder: Path) -> None:
    _, paths = texts_of(folder)
    assert {"text", "path", "name", "owner"} <= {path[-1] for path in paths}

    try_texts(folder, paths, with_html=is_soak())
