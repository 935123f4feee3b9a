"""A run that begins or ends while the doctor looks is no finding."""

import shutil
from dataclasses import replace
from pathlib import Path

from featurestore.jobs.doctor.doctor import VIEW_CHECKS, examine, findings
from featurestore.jobs.doctor.files import unknown_builds
from featurestore.jobs.doctor.subjects import read_again, view_subjects
from featurestore.jobs.materialize.lock import view_lock
from featurestore.store.ledger.tables import Tables
from tests.jobs.world import NOON, SPENDING, Store, stored_rows


def test_a_run_that_ended_after_the_ledger_was_read_is_no_finding(shop: Store) -> None:
    shop.build()
    shop.run(stored_rows("a"))
    (subject,) = view_subjects(shop.job, [SPENDING])

    shop.run(stored_rows("b", hour=1))

    assert list(findings(subject, VIEW_CHECKS)) == []


def test_a_build_that_ended_in_between_is_looked_at(shop: Store) -> None:
    shop.build()
    shop.run(stored_rows("a"))
    (subject,) = view_subjects(shop.job, [SPENDING])

    shop.build("t1", "retired")
    shop.build("t2")
    shop.run(stored_rows("a"), "t2", pays=False)

    assert read_again(subject).uri == shop.uri("t2")


def test_a_build_that_began_in_between_is_no_finding(shop: Store) -> None:
    shop.build()
    shop.run(stored_rows("a"))
    before = Tables(shop.layout).records()
    shop.build("t2", "building")
    shop.run(stored_rows("a"), "t2", pays=False)

    assert list(unknown_builds(shop.layout, "spending", before)) == []


def test_what_an_active_run_changes_is_no_finding(shop: Store) -> None:
    shop.views = (replace(SPENDING, latest=True),)
    shop.build()
    shop.run(stored_rows("a"))
    shutil.rmtree(shop.layout.checkpoint("t1", 0))  # as a rebuilt stream begins

    with view_lock(shop.layout, "spending", "r", NOON):
        during = [each.code for each in examine(shop.job)]
    after = [each.code for each in examine(shop.job)]

    assert (during, after) == ([], ["D401", "D501"])


def test_what_no_run_leaves_is_found_beside_an_active_run(shop: Store) -> None:
    shop.build()
    shop.run(stored_rows("a"))
    Path(shop.uri(), "_delta_log", f"{0:020}.json").write_bytes(b"")

    with view_lock(shop.layout, "spending", "r", NOON):
        codes = [each.code for each in examine(shop.job)]

    assert codes == ["D102"]
