"""A project whose root is in an object store, without Spark: it reads and writes as on a disk."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.cli import main
from featurestore.errors import ConflictError, StorageError
from featurestore.jobs.materialize.lock import is_locked, view_lock
from featurestore.store.file_system import list_folders, list_names, read_text, remove, write_text
from featurestore.store.ledger.tables import Tables
from tests.client.shop import DEFINITIONS, HOUR, NOW, at, write_view
from tests.object_store.s3_server import BUCKET, SECRET_KEY, S3Server
from tests.tables import feature_table


@pytest.fixture
def store(root: str, tmp_path: Path) -> fs.FeatureStore:
    (tmp_path / "featurestore.toml").write_text(f'project = "shop"\nroot = "{root}"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "shop.py").write_text(DEFINITIONS)
    return fs.FeatureStore(tmp_path, clock=lambda: NOW)


@pytest.fixture
def filled(store: fs.FeatureStore) -> fs.FeatureStore:
    store.apply(store.plan())
    hours = [1 * HOUR, 2 * HOUR, 3 * HOUR]
    cities = feature_table({"id": [1, 1, 2]}, hours, {"city": ["a", "b", None]})
    write_view(store, "profile", cities)
    first = feature_table({"id": [1, 2]}, hours[:2], {"amount": [1.0, 10.0]})
    second = feature_table({"id": [1, 1]}, hours[1:], {"amount": [2.0, 4.0]})
    write_view(store, "activity", first, second)
    write_view(store, "rate", feature_table({}, hours[:1], {"euro": [1.5]}))
    return store


def test_features_are_read_as_from_a_disk(filled: fs.FeatureStore) -> None:
    spine = pa.table({"id": [1, 2, 1], "event_timestamp": [at(2.5), at(2.5), at(0.5)]})

    answer = filled.get_historical_features("fraud", spine).to_arrow()

    assert answer["city"].to_pylist() == ["b", None, None]
    assert answer["amount_sum_2h"].to_pylist() == [3.0, 10.0, None]
    assert answer["spot_euro"].to_pylist() == [1.5, 1.5, None]
    latest = filled.get_latest_features("fraud", [{"id": 2}]).to_arrow()
    assert latest["amount_sum_lifetime"].to_pylist() == [10.0]


def test_a_small_spine_in_the_object_store_is_answered_in_process(
    filled: fs.FeatureStore, root: str
) -> None:
    spine = pa.table({"id": [1, 2], "event_timestamp": [at(2.5), at(2.5)]})
    write_deltalake(f"{root}/spine", spine)

    frame = filled.get_historical_features("fraud", f"{root}/spine", engine="auto")

    assert (frame.plan().mode, frame.plan().spine_rows) == ("local", 2)
    assert frame.to_arrow() == filled.get_historical_features("fraud", spine).to_arrow()


def test_status_doctor_and_the_website_read_the_tables(
    filled: fs.FeatureStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {each.view: (each.state, each.rows) for each in filled.status()} == {
        "activity": ("current", 4),
        "profile": ("current", 3),
        "rate": ("current", 1),
    }
    assert {each.code for each in filled.doctor()} == {"D501"}  # no latest tables yet
    with pytest.raises(SystemExit) as ended:
        main(["docs", "build", "-p", str(tmp_path), "--out", str(tmp_path / "site")])

    assert not ended.value.code, capsys.readouterr()
    assert (tmp_path / "site" / "views" / "activity.html").is_file()
    texts = [each.read_text("utf-8") for each in (tmp_path / "site").rglob("*.html")]
    assert not any(SECRET_KEY in text for text in texts)


def test_of_two_plans_for_one_version_one_is_applied(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    """Several stores apply at once, as processes do: each has a table and a client of its own."""
    stores = [fs.FeatureStore(tmp_path, clock=lambda: NOW) for _ in range(4)]
    plans = [each.plan() for each in stores]

    def applied(number: int) -> bool:
        try:
            stores[number].apply(plans[number])
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as workers:
        assert sum(workers.map(applied, range(4))) == 1
    assert [each.version for each in store.registry.history()] == [1]


def test_an_apply_that_is_overtaken_at_its_commit_changes_nothing(
    store: fs.FeatureStore, s3: S3Server, tmp_path: Path
) -> None:
    store.apply(store.plan())
    more = "\nmore = fs.Entity('more', join_keys=(fs.Field('x', fs.String),))\n"
    (tmp_path / "feature_defs" / "shop.py").write_text(DEFINITIONS + more)
    plan = store.plan()
    log = store.layout.registry().removeprefix(f"s3://{BUCKET}/") + "/_delta_log"
    commit = b'{"commitInfo":{"timestamp":1,"operation":"WRITE"}}\n'
    s3.before_put(f"{log}/{1:020}.json", commit)

    with pytest.raises(ConflictError):
        store.apply(plan)

    assert [each.version for each in store.registry.history()] == [1]
    assert read_text(f"{store.layout.registry()}/_delta_log/{1:020}.json") == commit.decode()


def test_processes_append_to_a_ledger_without_losing_a_record(store: fs.FeatureStore) -> None:
    program = (
        "import sys, datetime\n"
        "from featurestore.store.layout import Layout\n"
        "from featurestore.store.ledger.tables import TableRecord, Tables\n"
        "now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)\n"
        "for number in range(5):\n"
        "    name = f'{sys.argv[2]}-{number}'\n"
        "    Tables(Layout(sys.argv[1])).record(TableRecord(name, table_id=name, "
        "fingerprint='f', state='current', at=now))\n"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program, store.layout.root, name],
            cwd=Path(__file__).parents[2],
        )
        for name in "ab"
    ]

    assert [each.wait(120) for each in workers] == [0, 0]
    records = Tables(store.layout).records()
    assert sorted(each.view for each in records) == [f"{w}-{n}" for w in "ab" for n in range(5)]


def test_small_files_are_written_listed_read_and_removed(root: str) -> None:
    write_text(f"{root}/a/b.json", "1")
    write_text(f"{root}/a/c/d.json", "2")

    assert (list_names(f"{root}/a"), list_folders(f"{root}/a")) == (("b.json",), ("c",))
    assert (read_text(f"{root}/a/c/d.json"), read_text(f"{root}/a/x")) == ("2", None)
    remove(f"{root}/a/b.json")
    remove(f"{root}/a/b.json")
    assert (list_names(f"{root}/a"), list_names(f"{root}/none")) == ((), ())


@pytest.mark.parametrize("call", [lambda s: s.plan(), lambda s: s.status()])
def test_a_bucket_that_does_not_exist_is_an_error_that_names_it(
    s3: S3Server, store: fs.FeatureStore, call: Callable[[fs.FeatureStore], object]
) -> None:
    (store.settings.folder / "featurestore.toml").write_text(
        'project = "shop"\nroot = "s3://no-such-bucket/x"\n'
    )

    with pytest.raises(StorageError) as refused:
        call(fs.FeatureStore(store.settings.folder))

    assert "no-such-bucket" in str(refused.value)
    assert SECRET_KEY not in str(refused.value)


def test_saved_training_sets_sql_and_maintenance_work_on_the_tables(
    filled: fs.FeatureStore,
) -> None:
    spine = pa.table({"id": [1, 2], "event_timestamp": [at(2.5), at(2.5)], "label": [0, 1]})
    frame = filled.get_training_set("fraud", spine, label="label")

    assert [frame.save("churn").version, frame.save("churn").version] == [0, 1]
    assert [each.name for each in filled.training_sets("churn")] == ["churn"] * 2
    assert filled.sql("SELECT count(*) AS n FROM activity")["n"].to_pylist() == [4]
    assert {str(each.error) for each in filled.maintain()} == {"None"}
    assert {each.state for each in filled.status()} == {"current"}


def test_the_address_by_hadoops_name_is_the_same_store(filled: fs.FeatureStore) -> None:
    folder = filled.settings.folder
    text = (folder / "featurestore.toml").read_text()
    (folder / "featurestore.toml").write_text(text.replace("s3://", "s3a://"))
    again = fs.FeatureStore(folder, clock=lambda: NOW)

    assert again.plan().is_empty
    assert {each.state for each in again.status()} == {"current"}
    rows = again.get_latest_features("fraud", [{"id": 2}]).to_arrow()
    assert rows["amount_sum_lifetime"].to_pylist() == [10.0]
    with view_lock(filled.layout, "activity", "r1", NOW):
        assert is_locked(again.layout, "activity")
