"""The three domains: a function for each, from its labelled spine to its report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

import featurestore as fs
from demo.ecommerce.model import evaluate_linear, evaluate_regression
from demo.ecommerce.recommend import Segment, evaluate_als, find_segments
from demo.ecommerce.spine import labelled_ratings
from demo.fraud import model as fraud_model
from demo.fraud.data import read_chargebacks, read_transactions
from demo.fraud.leak import count_unseen
from demo.fraud.simulator import START
from demo.fraud.spine import labelled_payments
from demo.healthcare import model as healthcare_model
from demo.healthcare.data import Cohort
from demo.healthcare.spine import labelled_visits
from demo.report import Grid, Report
from featurestore.client.frame.frame import FeatureFrame
from featurestore.integrations.mllib import FeatureLookup
from featurestore.times import Clock

WARM_UP = timedelta(days=20)
ENTITIES_SHOWN = 3
# The request values that a terminal sends.
CHECKOUT = ("amount", "category", "online", "latitude", "longitude")
FRAUD_SHOWN = ("payments_24h", "amount_mean_30d", "last_at", "sales_30d", "amount_by_mean")


@dataclass(frozen=True)
class Inputs:
    """The data of the domains' spines.

    Args:
        project: The project's folder.
        cohort: The NAFLD cohort.
        ratings: MovieLens.
        now: The present moment in the simulation of payments.
    """

    project: Path
    cohort: Cohort
    ratings: pd.DataFrame
    now: datetime


def healthcare(inputs: Inputs) -> Report:
    """Return the report on early diagnosis."""
    visits = labelled_visits(inputs.cohort)
    end = visits["event_timestamp"].max().to_pydatetime()
    store = fs.FeatureStore(inputs.project, clock=_fixed_clock(end))
    frame = store.get_training_set("diabetes_early_v1", visits, label="diagnosed")
    newest = _newest(visits["patient_id"])
    return Report(
        "healthcare",
        "diabetes_early_v1",
        "visits",
        len(frame),
        len(frame.features),
        healthcare_model.evaluate(frame, FeatureLookup.from_store(store, "diabetes_early_v1")),
        [
            _latest(
                store,
                end,
                "diabetes_early_v1",
                [{"patient_id": patient} for patient in newest],
                [
                    "patient_id",
                    "bmi",
                    "hdl_last_lifetime",
                    "sbp_mean_730d",
                    "labs_730d",
                    "diagnoses_lifetime",
                ],
            )
        ],
    )


def ecommerce(inputs: Inputs) -> Report:
    """Return the report on recommendations."""
    ratings = labelled_ratings(inputs.ratings)
    end = ratings["event_timestamp"].max().to_pydatetime()
    store = fs.FeatureStore(inputs.project, clock=_fixed_clock(end))
    frame = store.get_training_set("next_rating_v1", ratings, label="rating")
    users = pd.DataFrame({"user_id": sorted(ratings["user_id"].unique()), "event_timestamp": end})
    segments, silhouette = find_segments(
        store.get_historical_features("user_segments_v1", users),
        FeatureLookup.from_store(store, "user_segments_v1"),
    )
    popular = ratings["movie_id"].value_counts().index[:ENTITIES_SHOWN]
    return Report(
        "ecommerce",
        "next_rating_v1",
        "ratings",
        len(frame),
        len(frame.features),
        [
            evaluate_regression(frame),
            evaluate_linear(frame, FeatureLookup.from_store(store, "next_rating_v1")),
            evaluate_als(
                frame, FeatureLookup.from_store(store, ["user_taste", "movie_popularity"])
            ),
        ],
        [
            _segment_grid(segments, silhouette),
            _latest(
                store,
                end,
                "movie_page_v1",
                [{"movie_id": int(movie)} for movie in popular],
                ["movie_id", "title", "release_year", "movie_mean_lifetime", "raters_lifetime"],
            ),
        ],
    )


def fraud(inputs: Inputs) -> Report:
    """Return the report on card fraud."""
    transactions = read_transactions(inputs.project)
    chargebacks = read_chargebacks(inputs.project)
    spine = labelled_payments(transactions, chargebacks, inputs.now, START + WARM_UP)
    store = fs.FeatureStore(inputs.project)
    frame = store.get_training_set("fraud_v1", spine, label="is_fraud")
    saved = frame.save("labelled_payments")
    model = inputs.project / "models" / f"fraud_{saved.version}.joblib"
    fraud_model.keep(frame, inputs.now, model)
    store.record_model(
        "fraud_boosting",
        training_set=saved.name,
        version=saved.version,
        uri=model.relative_to(inputs.project).as_posix(),
        description="Whether a payment will be charged back",
    )
    newest = transactions.sort_by([("event_timestamp", "descending")]).slice(0, ENTITIES_SHOWN)
    return Report(
        "fraud",
        "fraud_v1",
        "payments",
        len(frame),
        len(frame.features),
        [
            *fraud_model.evaluate(frame, chargebacks, inputs.now),
            fraud_model.evaluate_linear(
                frame, inputs.now, FeatureLookup.from_store(store, "fraud_v1")
            ),
        ],
        [
            _latest(
                fs.FeatureStore(inputs.project, clock=_fixed_clock(inputs.now)),
                inputs.now,
                "fraud_v1",
                newest.select(["card_id", "merchant_id", *CHECKOUT]).to_pylist(),
                ["card_id", "merchant_id", "amount", *FRAUD_SHOWN],
            )
        ],
        (_lateness(frame, transactions),),
    )


def _fixed_clock(now: datetime) -> Clock:
    """Return a clock that always gives the end of a domain's data, for the newest values."""
    return lambda: now


def _newest(keys: pd.Series) -> list[Any]:
    return list(keys[::-1].drop_duplicates().head(ENTITIES_SHOWN).tolist())


def _latest(
    store: fs.FeatureStore,
    now: datetime,
    service: str,
    rows: list[dict[str, Any]],
    shown: Sequence[str],
) -> Grid:
    frame = store.get_latest_features(service, rows)
    title = f"newest values of {service}, as of {now:%Y-%m-%d %H:%M} UTC"
    return Grid(title, list(shown), _cells(frame, shown))


def _cells(frame: FeatureFrame, columns: Sequence[str]) -> list[list[str]]:
    rows = frame.to_arrow().select(list(columns)).to_pylist()
    return [[_cell(value) for value in row.values()] for row in rows]


def _cell(value: Any) -> str:
    if value is None:
        return "·"
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value)


def _segment_grid(segments: list[Segment], silhouette: float) -> Grid:
    return Grid(
        f"kinds of users, MLlib KMeans (silhouette {silhouette:.2f})",
        ["users", "mean rating", "spread", "films rated (median)"],
        [
            [str(kind.users), f"{kind.stars:.2f}", f"{kind.spread:.2f}", f"{kind.ratings:.0f}"]
            for kind in segments
        ],
    )


def _lateness(frame: FeatureFrame, transactions: pa.Table) -> str:
    lag = pc.subtract(transactions["ingested_at"], transactions["event_timestamp"])
    late = pc.mean(pc.greater(lag.cast(pa.int64()), 300_000_000)).as_py()
    unseen = count_unseen(frame, transactions)
    return (
        f"{late:.1%} of payments arrive more than 5 minutes late. For {unseen:,} of "
        f"{len(frame):,} payments, a join by event time alone would count payments that had not "
        "arrived yet."
    )
