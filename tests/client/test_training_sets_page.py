"""The examples of the page on training sets are run with its definitions and rows."""

import doctest
import re
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

import featurestore as fs
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME, ROW_HASH, UTC_MICROS
from tests.client.shop import write_view

PAGE = (Path(__file__).parents[2] / "docs" / "training-sets.md").read_text("utf-8")
DEFINITIONS, *EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TODAY = datetime(2026, 4, 10, tzinfo=UTC)


@pytest.fixture
def page_store(tmp_path: Path) -> fs.FeatureStore:
    (tmp_path / "featurestore.toml").write_text('project = "page"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "shop.py").write_text(DEFINITIONS)
    store = fs.FeatureStore(tmp_path, clock=lambda: TODAY)
    store.apply(store.plan())
    payments, chargebacks = tables()
    for view, rows in (("payment", payments), ("activity", payments), ("chargeback", chargebacks)):
        write_view(store, view, rows)
    return store


def tables() -> list[pa.Table]:
    """Return the page's tables of stored rows."""
    found = re.findall(r"\| card_id .*?\n\n", PAGE, re.DOTALL)
    return [stored(text.strip().splitlines()) for text in found]


def stored(lines: list[str]) -> pa.Table:
    names, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    table = pa.table({name: [row[number] for row in rows] for number, name in enumerate(names)})
    types = {EVENT_TIME: UTC_MICROS, AVAILABLE_TIME: UTC_MICROS, "card_id": pa.string()}
    columns = {name: table[name].cast(types.get(name, pa.float64())) for name in names}
    columns.setdefault(AVAILABLE_TIME, columns[EVENT_TIME])
    return pa.table(columns | {ROW_HASH: pa.array(range(len(rows)), pa.int64())})


def test_the_examples_have_the_results_that_the_page_shows(page_store: fs.FeatureStore) -> None:
    run = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    failures: list[str] = []
    test = doctest.DocTestParser().get_doctest(
        "\n".join(EXAMPLES), {"fs": fs, "store": page_store}, "training-sets.md", None, 0
    )

    run.run(test, out=failures.append)

    assert test.examples
    assert "".join(failures) == ""


def test_the_page_shows_the_warning_of_a_gap_that_is_too_short(
    page_store: fs.FeatureStore,
) -> None:
    (shown,) = re.findall(r"```text\n(split_by_time\(.*?)```", PAGE, re.DOTALL)
    label = fs.Label("chargeback", "*", "count", horizon="3d", maturity="30d", immature="flag")
    cards = [{"card_id": "a"}, {"card_id": "b"}]
    grid = fs.time_grid(cards, start="2026-01-01", end="2026-03-06", every="1d")
    frame = page_store.get_training_set(["activity"], grid, label=label)

    with pytest.warns(UserWarning, match=r"^split_by_time") as caught:
        frame.split_by_time("2026-03-01", gap="2d")

    assert [str(each.message) for each in caught] == [" ".join(shown.split())]
