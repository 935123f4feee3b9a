import json
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable
from filelock import FileLock

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.references import manifest_of
from featurestore.errors import ConflictError, NotFoundError, TableError
from featurestore.registry.plan import plan
from featurestore.registry.registry import Registry
from featurestore.store.layout import Layout
from featurestore.times import Clock
from tests.registry.manifests import LIMITS, SMALL
from tests.registry.racing import NOON, Unshared, race

START = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


def ticking() -> Clock:
    moments: Iterator[datetime] = iter(START + timedelta(hours=hour) for hour in range(99))
    return lambda: next(moments)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(Layout(str(tmp_path / "store" / "demo")), ticking())


def limits(ttl: str) -> Manifest:
    return manifest_of([replace(LIMITS, ttl=ttl)])


def test_nothing_is_applied_at_first(registry: Registry, tmp_path: Path) -> None:
    assert registry.latest() is None
    assert registry.history() == []
    assert not (tmp_path / "store").exists()
    with pytest.raises(NotFoundError) as caught:
        registry.version(1)
    assert caught.value.call == "registry version 1"
    assert "`featurestore apply`" in caught.value.fix


def test_an_applied_manifest_is_read_back(registry: Registry) -> None:
    version = registry.apply(plan(None, SMALL))

    latest = registry.latest()
    assert latest is not None
    assert version == latest
    assert latest.version == 1
    assert latest.applied_at == START
    assert latest.manifest == SMALL
    assert latest.changes == (
        "+ entity card",
        "+ source payments",
        "+ view activity",
        "+ view limits",
        "+ service scoring",
    )
    assert json.loads(latest.document)["schema"] == "featurestore.manifest/1"


def test_a_plan_just_applied_is_empty(registry: Registry) -> None:
    registry.apply(plan(registry.latest(), SMALL))

    made = plan(registry.latest(), SMALL)

    assert made.is_empty
    assert registry.apply(made).version == 1
    assert len(registry.history()) == 1


def test_each_version_can_be_read_back(registry: Registry) -> None:
    for ttl in ("1d", "2d", "3d"):
        registry.apply(plan(registry.latest(), limits(ttl)))

    history = registry.history()

    assert [version.version for version in history] == [1, 2, 3]
    assert [version.manifest.views[0].ttl for version in history] == ["1d", "2d", "3d"]
    assert [version.changes for version in history] == [
        ("+ entity card", "+ source payments", "+ view limits"),
        ("~ view limits",),
        ("~ view limits",),
    ]
    assert [version.applied_at for version in history] == [
        START,
        START + timedelta(hours=1),
        START + timedelta(hours=2),
    ]
    assert registry.version(2).manifest == limits("2d")
    with pytest.raises(NotFoundError) as caught:
        registry.version(4)
    assert caught.value.call == "registry version 4"
    assert "1 to 3" in caught.value.found
    assert "`featurestore history`" in caught.value.fix


def test_a_stale_plan_is_refused_and_changes_nothing(registry: Registry) -> None:
    registry.apply(plan(None, limits("1d")))
    stale = plan(registry.latest(), limits("2d"))
    registry.apply(plan(registry.latest(), limits("3d")))

    with pytest.raises(ConflictError) as caught:
        registry.apply(stale)

    assert caught.value.call == "apply the plan for version 2"
    assert ["version 1" in caught.value.found, "version 2" in caught.value.found] == [True, True]
    assert "`featurestore plan`" in caught.value.fix
    assert caught.value.exit_code == 5
    assert [version.manifest.views[0].ttl for version in registry.history()] == ["1d", "3d"]


def test_a_first_plan_that_came_second_is_refused(registry: Registry) -> None:
    first, second = plan(None, limits("1d")), plan(None, limits("2d"))
    registry.apply(first)

    with pytest.raises(ConflictError) as caught:
        registry.apply(second)

    assert caught.value.call == "apply the plan for version 1"
    assert ["version 0" in caught.value.found, "version 1" in caught.value.found] == [True, True]


def test_an_empty_project_can_be_applied(registry: Registry) -> None:
    assert registry.apply(plan(None, Manifest())).manifest == Manifest()


def test_a_definition_that_only_moved_is_no_change(registry: Registry) -> None:
    registry.apply(plan(None, manifest_of([LIMITS])))

    moved = manifest_of([replace(LIMITS)])

    assert moved.views[0].origin.file == __file__ != LIMITS.origin.file
    assert plan(registry.latest(), moved).is_empty


def test_the_table_keeps_the_plain_delta_protocol(registry: Registry, tmp_path: Path) -> None:
    for ttl in ("1d", "2d"):
        registry.apply(plan(registry.latest(), limits(ttl)))

    table = DeltaTable(str(tmp_path / "store" / "demo" / "registry" / "versions"))

    protocol = table.protocol()
    assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2)
    assert {field.name: str(field.type.type) for field in table.schema().fields} == {
        "version": "long",
        "applied_at": "timestamp",
        "applied_by": "string",
        "digest": "string",
        "changes": "string",
        "manifest": "string",
    }
    assert table.version() == 1


def test_a_registry_that_cannot_be_written_is_an_error_with_its_address(
    registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "store" / "demo").mkdir(parents=True)
    (tmp_path / "store" / "demo" / "registry").write_text("a file, not a folder")

    with pytest.raises(TableError) as caught:
        registry.apply(plan(None, SMALL))

    assert str(tmp_path) in str(caught.value)


def test_a_held_lock_is_a_conflict(
    tmp_path: Path,
) -> None:
    registry = Registry(Layout(str(tmp_path / "store" / "demo")), ticking(), patience=0.05)
    locks = tmp_path / "store" / "demo" / "locks"
    locks.mkdir(parents=True)

    with FileLock(locks / "registry.lock"), pytest.raises(ConflictError) as caught:
        registry.apply(plan(None, SMALL))

    assert str(locks / "registry.lock") in caught.value.found
    assert "0.05 s" in caught.value.found
    assert registry.latest() is None


def test_the_first_commit_wins_even_without_a_lock(tmp_path: Path) -> None:
    layout = Unshared(str(tmp_path / "store" / "demo"))
    quick, slow_plan = Registry(layout, lambda: NOON), plan(None, limits("1d"))

    def slow_clock() -> datetime:
        # Called after the table is opened and before the commit.
        quick.apply(plan(quick.latest(), limits(f"{len(quick.history()) + 10}d")))
        return NOON

    slow = Registry(layout, slow_clock)
    with pytest.raises(ConflictError) as first:
        slow.apply(slow_plan)
    with pytest.raises(ConflictError) as later:
        slow.apply(plan(slow.latest(), limits("2d")))

    assert first.value.call == "apply the plan for version 1"
    assert later.value.call == "apply the plan for version 2"
    assert "`featurestore plan`" in later.value.fix
    assert [version.manifest.views[0].ttl for version in quick.history()] == ["10d", "11d"]


@pytest.mark.parametrize(("kind", "base"), [(Layout, 0), (Unshared, 1)])
def test_of_two_processes_that_apply_at_once_one_wins(
    tmp_path: Path, kind: type[Layout], base: int
) -> None:
    layout = kind(str(tmp_path / "store" / "demo"))
    registry = Registry(layout, lambda: NOON)
    for _ in range(base):
        registry.apply(plan(None, limits("1d")))
    made = [plan(registry.latest(), limits(ttl)) for ttl in ("2d", "3d")]
    context = multiprocessing.get_context("spawn")
    start, outcomes = context.Barrier(2), context.Queue()
    racers = [context.Process(target=race, args=(layout, each, start, outcomes)) for each in made]

    for racer in racers:
        racer.start()
    results = sorted(outcomes.get(timeout=300) for _ in racers)
    for racer in racers:
        racer.join()

    assert results == ["conflict", f"v{base + 1}"]
    assert len(registry.history()) == base + 1


def test_reading_the_registry_does_not_import_pandas(registry: Registry, tmp_path: Path) -> None:
    registry.apply(plan(None, SMALL))
    program = f"""
import sys
from featurestore.registry.registry import Registry
from featurestore.store.layout import Layout
from featurestore.times import system_clock
Registry(Layout({str(tmp_path / "store" / "demo")!r}), system_clock).latest().manifest
print("pandas" in sys.modules)
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert done.stdout.decode().strip() == "False"
