"""The example definitions, tested with source rows and expected features."""

from datetime import UTC, datetime, timedelta

import feature_defs.ecommerce.views as ecommerce
import feature_defs.fraud.views as fraud
import feature_defs.healthcare.views as healthcare
from featurestore.testing import assert_features

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(**duration: float) -> datetime:
    return NOON + timedelta(**duration)


def payment(at: datetime, amount: float, late: timedelta = timedelta(0), **rest: object) -> dict:
    location = {"latitude": 48.9, "longitude": 2.3, "online": False}
    return {
        "card_id": "c1", "merchant_id": "m1", "event_timestamp": at, "ingested_at": at + late,
        "amount": amount, **location, **rest,
    }  # fmt: skip


def test_a_late_payment_counts_from_its_arrival_on(spark):
    rows = [payment(NOON, 10.0), payment(after(minutes=5), 5.0, late=timedelta(minutes=30))]

    assert_features(
        fraud.card_activity,
        given=rows,
        expect=[
            {"card_id": "c1", "event_timestamp": after(minutes=20), "payments_1h": 1},
            {"card_id": "c1", "event_timestamp": after(minutes=35), "payments_1h": 2,
             "amount_sum_1h": 15.0, "amount_min_1h": 5.0, "merchant_id_count_distinct_1h": 1},
            {"card_id": "c1", "event_timestamp": after(minutes=70), "amount_sum_1h": None,
             "payments_24h": 2, "amount_mean_lifetime": 7.5},
        ],
        spark=spark,
    )  # fmt: skip


def test_online_payments_do_not_move_a_card(spark):
    rows = [payment(NOON, 1.0), payment(after(hours=1), 1.0, online=True, latitude=0.0)]

    assert_features(
        fraud.card_whereabouts,
        given=rows,
        expect=[
            {"card_id": "c1", "event_timestamp": after(hours=2), "last_latitude": 48.9},
            {"card_id": "c1", "event_timestamp": after(days=14), "last_latitude": 48.9},
            {"card_id": "c1", "event_timestamp": after(days=14, seconds=1), "last_latitude": None},
        ],
        spark=spark,
    )


def test_a_dispute_counts_from_its_report_on(spark):
    dispute = {"merchant_id": "m1", "card_id": "c1", "event_timestamp": NOON,
               "reported_at": after(days=10), "amount": 99.0}  # fmt: skip

    assert_features(
        fraud.merchant_chargebacks,
        given=[dispute],
        expect=[
            {"merchant_id": "m1", "event_timestamp": after(days=9), "merchant_chargebacks_30d": 0},
            {"merchant_id": "m1", "event_timestamp": after(days=10), "merchant_chargebacks_30d": 1,
             "merchant_charged_back_60d": 99.0},
        ],
        spark=spark,
    )  # fmt: skip


def test_a_visit_does_not_use_a_sample_of_the_same_day(spark):
    labs = [("hdl", 50.0, 0), ("hdl", 40.0, 10), ("sbp", 13_682.0, 10), ("sbp", 130.0, 11)]
    rows = [
        {"patient_id": 7, "taken_at": after(days=day), "test": test, "value": value}
        for test, value, day in labs
    ]

    assert_features(
        healthcare.lab_history,
        given=rows,
        expect=[
            {"patient_id": 7, "event_timestamp": after(days=10, hours=12),
             "hdl_last_lifetime": 50.0, "labs_730d": 1},
            {"patient_id": 7, "event_timestamp": after(days=12), "hdl_last_lifetime": 40.0,
             "hdl_mean_lifetime": 45.0, "sbp_last_730d": 130.0, "sbp_max_lifetime": 130.0},
        ],
        spark=spark,
    )  # fmt: skip


def test_a_diagnosis_counts_once_it_is_coded(spark):
    rows = [{"patient_id": 7, "diagnosed_at": NOON, "condition": "htn"}]

    assert_features(
        healthcare.diagnosis_history,
        given=rows,
        expect=[
            {"patient_id": 7, "event_timestamp": after(days=6), "has_hypertension_lifetime": 0,
             "diagnoses_lifetime": 0},
            {"patient_id": 7, "event_timestamp": after(days=7), "has_hypertension_lifetime": 1,
             "has_fatty_liver_lifetime": 0, "diagnoses_lifetime": 1},
        ],
        spark=spark,
    )  # fmt: skip


def test_a_rating_counts_for_each_genre_of_its_film(spark):
    rows = [
        {"user_id": 1, "rated_at": int(NOON.timestamp()), "rating": 5.0, "genres": "Drama|Comedy"},
        {
            "user_id": 1,
            "rated_at": int(after(days=1).timestamp()),
            "rating": 2.0,
            "genres": "Drama",
        },
    ]

    assert_features(
        ecommerce.user_genre_taste,
        given=rows,
        expect=[
            {"user_id": 1, "genre": "Drama", "mean_lifetime": 3.5, "ratings_lifetime": 2},
            {"user_id": 1, "genre": "Comedy", "mean_lifetime": 5.0, "ratings_lifetime": 1},
            {"user_id": 1, "genre": "Horror", "mean_lifetime": None, "ratings_lifetime": 0},
        ],
        now=after(days=2),
        spark=spark,
    )
