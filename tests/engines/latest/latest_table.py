"""A feature table that grows, and its `latest` table, refreshed as in Spark's tasks."""

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, WriterProperties, write_deltalake

from featurestore.engines.latest.answer import LatestTask, answer_range
from featurestore.engines.latest.freshness import LATEST_SCHEMA
from featurestore.engines.latest.plan import ChangedKeys, WholeTable, plan_refresh
from featurestore.engines.latest.ranges import KeyRange, key_ranges
from featurestore.engines.latest.refreshed import Refreshed, commit_rewritten
from featurestore.engines.latest.rewrite import Rewritten, rewrite
from featurestore.query.nodes import ViewQuery
from featurestore.store.delta.compaction import compact
from featurestore.store.delta.log import latest_version
from featurestore.store.delta.replacement import replace_files, write_files
from featurestore.store.delta.snapshot import Snapshot, open_snapshot
from featurestore.times import from_micros


@dataclass
class LatestTable:
    """Two tables in a folder.

    Args:
        folder: The folder.
        query: The view's query, with the spine's columns named like the keys.
        rows_per_range: The number of stored rows of a range, and so of a file.
        row_group: The rows of a row group.
    """

    folder: Path
    query: ViewQuery
    rows_per_range: int = 3
    row_group: int = 2

    @property
    def features(self) -> str:
        return str(self.folder / "features")

    @property
    def latest(self) -> str:
        return str(self.folder / "latest")

    @cached_property
    def order(self) -> list[str]:
        """The columns by which files are sorted."""
        return [*(key.key for key in self.query.keys), "event_timestamp"]

    def store(self, rows: pa.Table) -> None:
        """Append rows as one commit, sorted, as a run does."""
        for name in self.order:
            rows = rows.filter(rows[name].is_valid())
        write_deltalake(
            self.features,
            rows.sort_by([(name, "ascending") for name in self.order]),
            mode="append",
            writer_properties=WriterProperties(max_row_group_size=self.row_group),
        )

    def compact(self) -> None:
        """Join the small files."""
        compact(self.features, self.order)

    def task(self, moment: int) -> LatestTask:
        version = latest_version(self.features) or 0
        return LatestTask(
            self.query, as_of=moment, uri=self.features, version=version, rows_per_answer=2
        )

    def refresh(self, moment: int, **others: object) -> Refreshed:
        """Bring the `latest` table to a moment; ``others`` are notes of the refresh."""
        task, features = self.task(moment), open_snapshot(self.features)
        wanted = self._wanted(features) | others
        notes = json.dumps(wanted | {"as_of": from_micros(moment).isoformat()})
        plan = plan_refresh(self.latest, task, features, wanted)
        if isinstance(plan, ChangedKeys):
            done = [Rewritten() for _ in plan.groups]
            for number in plan.changing:
                group = plan.groups[number]
                done[number] = rewrite(task, features, plan.latest, plan.since, group)
            return commit_rewritten(plan, done, notes)
        return self._replace(task, features, plan, notes)

    def plan(self, moment: int) -> tuple[Snapshot, ChangedKeys | WholeTable]:
        """Return the feature table, and how a refresh would be done."""
        features = open_snapshot(self.features)
        wanted = self._wanted(features)
        return features, plan_refresh(self.latest, self.task(moment), features, wanted)

    def _wanted(self, features: Snapshot) -> dict[str, object]:
        return {
            "schema": LATEST_SCHEMA,
            "table_id": "t1",
            "query": "q",
            "source_version": features.version,
        }

    def whole(self, moment: int) -> pa.Table:
        """Return the rows of a refresh that answers all keys."""
        task, features = self.task(moment), open_snapshot(self.features)
        return pa.concat_tables(self._ranges(task, features))

    def rows(self) -> pa.Table:
        """Return the rows of the `latest` table."""
        return pa.table(DeltaTable(self.latest).scan())

    def _ranges(self, task: LatestTask, features: Snapshot) -> list[pa.Table]:
        first = next(iter(task.keys), None)
        ranges = key_ranges(features, first, self.rows_per_range)
        return [table for each in ranges for table in answer_range(task, features, each.keys)] or [
            self._no_rows(task, features)
        ]

    def _no_rows(self, task: LatestTask, features: Snapshot) -> pa.Table:
        bare = replace(task, query=replace(self.query, keys=()))
        (table,) = answer_range(bare, features, KeyRange())
        columns = {key.key: features.schema.field(key.key).type for key in self.query.keys}
        empty = {name: pa.array([], kind) for name, kind in columns.items()}
        return pa.table(empty | {name: table[name].slice(0, 0) for name in table.column_names})

    def _replace(
        self, task: LatestTask, features: Snapshot, plan: WholeTable, notes: str
    ) -> Refreshed:
        parts = self._ranges(task, features)
        no_rows = parts[0].slice(0, 0)
        write_deltalake(self.latest, no_rows, mode="overwrite", schema_mode="overwrite")
        empty = open_snapshot(self.latest)
        filled = [part.cast(empty.schema) for part in parts if part.num_rows]
        new = [file for part in filled for file in write_files(empty, part)]
        names = (empty.files[name].to_pylist() for name in ("path", "size_bytes"))
        old = dict(zip(*names, strict=True))
        version = replace_files(empty, old, new, notes, changes_rows=True)
        keys = sum(part.num_rows for part in parts)
        return Refreshed(version, keys=keys, files_written=len(new), reason=plan.reason)
