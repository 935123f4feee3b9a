"""Profiles of the views of the tests' store, as runs record them."""

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from featurestore.monitoring.columns import profiled
from featurestore.monitoring.profile import Profile, ProfileKind
from featurestore.monitoring.records import record_of
from featurestore.monitoring.rows import sketch_table
from featurestore.monitoring.summary import summaries
from featurestore.store.layout import Layout
from featurestore.store.ledger.profiles import Profiles

HOSTILE = "<script>alert(1)</script>"


def profile_of(
    view: str, kind: ProfileKind, rows: pa.Table, at: datetime, personal: tuple[str, ...] = ()
) -> Profile:
    """Return the profile of the columns of a table."""
    columns = [
        profiled(field.name, field.type, personal=field.name in personal) for field in rows.schema
    ]
    statistics = summaries(columns, sketch_table(columns, rows))
    return Profile(view, run_id="r", build_id="t", at=at, kind=kind, columns=statistics)


def put_profiles(layout: Layout, now: datetime) -> None:
    """Record three profiles of window features, of texts and of a personal field."""
    for hours in (3, 2, 1):
        at, count = now - timedelta(hours=hours), 400 - 100 * hours
        chance = np.random.default_rng(hours)
        amounts = pa.array(chance.lognormal(3, 1, count), mask=np.arange(count) < 4 - hours)
        cities = pa.array(["Paris", "Lyon", None, HOSTILE] * (count // 4))
        profiles = [
            profile_of("activity", "features", pa.table({"amount_sum_2h": amounts}), at),
            profile_of("profile", "table", pa.table({"city": cities}), at),
            profile_of("daily", "table", pa.table({"amount": amounts}), at, ("amount",)),
        ]
        Profiles(layout).record(map(record_of, profiles))
