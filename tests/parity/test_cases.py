"""The cases of the rules on Spark: all examples in one spine, each under its number."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import write_deltalake

from featurestore.definitions.model.types import Int64
from featurestore.engines.reference import agree
from featurestore.engines.spark.retrieve.arrow_frame import spark_frame
from featurestore.engines.spark.retrieve.scan import scan
from featurestore.engines.spark.retrieve.shuffle import shuffle
from featurestore.engines.spark.retrieve.task import SliceTask, SpineTimes, TableVersion
from featurestore.engines.spark.session.child import own_session
from featurestore.query.nodes import KeyBinding, Query, ViewQuery
from featurestore.store.columns import EVENT_TIME, UTC_MICROS, arrow_type
from featurestore.store.delta.snapshot import Snapshot
from tests.effort import is_soak
from tests.semantics.case import Example
from tests.semantics.cases import CASES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

EXAMPLES = [example for case in CASES for example in case.examples]
CHOSEN = range(0, len(EXAMPLES), -(-len(EXAMPLES) // 20))
"""The numbers of examples that a shuffle answers in each test run: a use is a part of its plan."""
NUMBER, POSITION = "example", "position"
NUMBER_KEY = KeyBinding(NUMBER, NUMBER, Int64)

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Cases:
    """The tables of examples, and one call for all of them."""

    numbers: range
    task: SliceTask

    def require_right(self, rows: "DataFrame") -> None:
        """Fail if a feature of an example differs from its answers."""
        answers = rows.toArrow().sort_by(POSITION)
        for number in self.numbers:
            example = EXAMPLES[number]
            own = answers.filter(pc.equal(answers[NUMBER], number))
            for name, expected in example.answers.items():
                values = own[f"e{number}_{name}"].to_pylist()
                assert len(values) == len(expected), (example.caption, name)
                for want, got in zip(expected, values, strict=True):
                    assert agree(want, got, 0.0), (example.caption, name, want, got)


@pytest.fixture(scope="module")
def session(spark: "SparkSession") -> "SparkSession":
    return own_session(spark)


def test_the_scan_gives_the_answers_of_all_examples(
    session: "SparkSession", tmp_path: Path
) -> None:
    numbers = range(len(EXAMPLES))
    tables = {f"e{number}": TableVersion(str(tmp_path / f"e{number}"), 0) for number in numbers}
    for number in numbers:
        write_deltalake(tables[f"e{number}"].uri, stored_rows(number, EXAMPLES[number]))
    cases = cases_of(numbers, tables)

    cases.require_right(scan(spine_of(session, cases), cases.task, by=[NUMBER], tasks=2))


@pytest.mark.parametrize(
    "numbers",
    [
        CHOSEN,
        pytest.param(
            range(len(EXAMPLES)),
            marks=[
                pytest.mark.soak,
                pytest.mark.skipif(not is_soak(), reason="`make soak` runs it"),
            ],
        ),
    ],
    ids=["chosen", "all"],
)
def test_the_shuffle_gives_the_answers_of_examples(
    session: "SparkSession", numbers: range
) -> None:
    # From memory: to open so many tables takes Spark minutes.
    stored = {f"e{number}": stored_rows(number, EXAMPLES[number]) for number in numbers}
    features = {view: spark_frame(session, rows) for view, rows in stored.items()}
    few = {view: without_rows(view, rows.schema) for view, rows in stored.items()}
    cases = cases_of(numbers, {})

    planned = shuffle(cases.task, spine_of(session, cases), features, snapshots=few)

    cases.require_right(planned.rows)


def cases_of(numbers: range, tables: Mapping[str, TableVersion]) -> Cases:
    """Return one call for some examples."""
    uses = tuple(use for number in numbers for use in uses_of(number, EXAMPLES[number]))
    query = Query("cases", uses, EVENT_TIME)
    return Cases(numbers, SliceTask(query, times=SpineTimes(null_times="keep"), tables=tables))


def without_rows(view: str, schema: pa.Schema) -> Snapshot:
    """Return a table that has no rows by its log, so that no key with many rows is looked for."""
    return Snapshot(view, 0, pa.table({"path": [], "num_records": []}), schema)


def uses_of(number: int, example: Example) -> Iterator[ViewQuery]:
    """Yield an example's uses of its view, with its number as a key and in all names."""
    prefix = f"e{number}"
    for use in example.query().views:
        yield replace(
            use,
            view=prefix,
            keys=(NUMBER_KEY, *use.keys),
            columns=tuple(replace(each, output=f"{prefix}_{each.output}") for each in use.columns),
            aggregates=tuple(
                replace(each, output=f"{prefix}_{each.output}") for each in use.aggregates
            ),
        )


def stored_rows(number: int, example: Example) -> pa.Table:
    """Return the rows of an example that have a key and a time, with its number, sorted."""
    rows = example.stored()
    names = [*(key.name for key in example.view.join_keys), EVENT_TIME]
    for name in names:
        rows = rows.filter(rows[name].is_valid())
    numbered = rows.append_column(NUMBER, pa.array([number] * rows.num_rows, pa.int64()))
    return numbered.sort_by([(name, "ascending") for name in names])


def spine_of(session: "SparkSession", cases: Cases) -> "DataFrame":
    """Return the spine rows of examples, with their numbers and positions."""
    uses = cases.task.query.views
    types = {use.timestamp_field: UTC_MICROS for use in uses}
    types |= {key.spine_column: arrow_type(key.dtype) for use in uses for key in use.keys}
    rows = [{**row, NUMBER: each} for each in cases.numbers for row in EXAMPLES[each].spine]
    columns = {
        name: pa.array([row.get(name) for row in rows], kind) for name, kind in types.items()
    }
    table = pa.table(columns | {POSITION: pa.array(range(len(rows)), pa.int64())})
    return spark_frame(session, table)
