"""The time zone of a process changes nothing; `latest` equals `historical` at this moment."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st

import featurestore as fs
from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.manifest import Manifest
from featurestore.registry.plan import plan
from featurestore.store.columns import EVENT_TIME, UTC_MICROS
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.times import from_micros
from tests.effort import examples
from tests.engines.kernel.worlds import World, worlds
from tests.laws.answers import NUMBER, answers_from_table, stored_world
from tests.laws.samples import SPINE_TIME, Sample, samples, spine_table
from tests.laws.shapes import SHAPES, Shape

ZONES = ("Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati", "Europe/Berlin")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@given(worlds(), st.sampled_from(ZONES))
@examples(40)
def test_the_zone_of_the_machine_changes_nothing(world: World, zone: str) -> None:
    with machine_in(zone):
        in_zone = answers_from_table(world)

    assert in_zone == answers_from_table(world)


@contextmanager
def machine_in(zone: str) -> Iterator[None]:
    """Set the process's time zone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        yield
    time.tzset()


@given(data=st.data())
@examples(40)
def test_latest_features_are_the_historical_ones_at_this_moment(
    shop: "Shop", data: st.DataObject
) -> None:
    shape = data.draw(st.sampled_from(SHAPES))
    sample = data.draw(samples(shape))
    moments = [row["at"] for row in sample.rows if row["at"] is not None] or [shape.start]
    shop.now = from_micros(data.draw(st.sampled_from(moments)))
    shop.fill(shape, sample)
    keys = spine_table(shape, [(NUMBER, row) for row in sample.spine]).drop([SPINE_TIME])
    now = pa.array([shop.now] * keys.num_rows, UTC_MICROS)

    latest = shop.store.get_latest_features(f"service_{shape.name}", keys).to_arrow()
    historical = shop.store.get_historical_features(
        f"service_{shape.name}", keys.append_column(EVENT_TIME, now)
    ).to_arrow()

    assert latest.schema == historical.schema
    assert repr(latest.to_pylist()) == repr(historical.to_pylist())


class Shop:
    """A project in which all shapes are applied; their tables are written anew for each world."""

    def __init__(self, folder: Path) -> None:
        (folder / "featurestore.toml").write_text('project = "laws"\n')
        self.now = NOON
        self.store = fs.FeatureStore(folder, clock=lambda: self.now)
        manifest = Manifest.of(
            [
                definition
                for shape in SHAPES
                for definition in (
                    *(shape.view.entities),
                    shape.view.source,
                    shape.view,
                    fs.FeatureService(f"service_{shape.name}", features=shape.uses),
                )
            ]
        )
        self.store.apply(plan(None, manifest))
        Tables(self.store.layout).record(*(record(shape) for shape in SHAPES))

    def fill(self, shape: Shape, sample: Sample) -> None:
        """Replace the rows of the last world by those of another one."""
        uri = self.store.layout.features(shape.name, "t1")
        write_deltalake(uri, stored_world(shape, sample).rows_table(), mode="overwrite")


def record(shape: Shape) -> TableRecord:
    """Return the ledger's record of a shape's table."""
    return TableRecord(
        shape.name,
        table_id="t1",
        fingerprint=table_fingerprint(shape.view),
        state="current",
        at=NOON,
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))
