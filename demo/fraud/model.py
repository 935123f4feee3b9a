"""Whether a payment will be charged back, and what a join that forgets availability would claim.

Trained on payments whose 30 days for a chargeback were over when the test month begins, measured
on the newest month whose labels are known. The baseline knows what the terminal sends: amount,
hour, category, online or not. The score is average precision: about 1% of the rows are frauds.

The leaky model is the same one, but its chargeback counts go by the payment's time alone, as if
every dispute were known the moment the fraud happened. It looks better on the test rows; served
with what is truly known at that moment, it is worse than the honest one.
"""

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score

from demo.fraud.leak import replace_by_leaky
from demo.fraud.spine import MATURITY
from demo.fraud.world import CATEGORIES
from demo.measure import Score, informative, to_matrix
from featurestore.client.frame.frame import FeatureFrame

TEST_PERIOD = timedelta(days=30)
BASELINE = ("amount", "hour", "category_code", "online")
LABEL = "is_fraud"


def evaluate(payments: FeatureFrame, chargebacks: pa.Table, now: datetime) -> list[Score]:
    """Return the honest score, and the leaky one as it would be claimed and as it would be."""
    frame = with_columns(payments)
    leaky = with_columns(replace_by_leaky(payments, chargebacks))
    train, test = split(frame, now)
    leaky_train, leaky_test = split(leaky, now)
    columns = (*BASELINE, *derived_and_stored(payments))
    without = _precision(_fit(train, BASELINE), test, BASELINE)
    careless = _fit(leaky_train, columns)

    def score(model: str, value: float, note: str) -> Score:
        return Score(model, "average precision", len(train), len(test), without, value, note)

    return [
        score(
            "fraud, scikit-learn boosting",
            _precision(_fit(train, columns), test, columns),
            "every value as it was known at the payment",
        ),
        score(
            "  ... leaky join: what it claims",
            _precision(careless, leaky_test, columns),
            "chargebacks counted before anybody reported them",
        ),
        score(
            "  ... leaky join: what it then delivers",
            _precision(careless, test, columns),
            "that model, served with what is known",
        ),
    ]


def split(payments: FeatureFrame, now: datetime) -> tuple[FeatureFrame, FeatureFrame]:
    """Return the payments to train on and those of the newest month with known labels."""
    begin = now - MATURITY - TEST_PERIOD
    return payments.split_by_time(begin, gap=f"{MATURITY.days}d")


def with_columns(payments: FeatureFrame) -> FeatureFrame:
    """Return the payments with what the baseline knows, and with the rate of chargebacks.

    The rate is no on-demand feature: the leaky model has to compute it from its own counts.
    """
    table = payments.to_arrow()
    added = {
        "hour": pc.hour(table["event_timestamp"]),
        "category_code": pc.index_in(table["category"], value_set=pa.array(CATEGORIES)),
        "chargeback_rate": _chargeback_rate(table),
    }
    for name, column in added.items():
        table = table.append_column(name, column)
    return FeatureFrame(table, payments.features, label=payments.label)


def derived_and_stored(payments: FeatureFrame) -> tuple[str, ...]:
    """Return the columns that the store gives, and the rate of chargebacks."""
    as_they_are = (name for name in payments.features if not name.startswith("last_"))
    return (*as_they_are, "chargeback_rate")


def _chargeback_rate(table: pa.Table) -> pa.ChunkedArray:
    sales = pc.add(pc.multiply(table["sales_30d"].cast(pa.float64()), 2.0), 1.0)
    return pc.divide(table["merchant_chargebacks_60d"].cast(pa.float64()), sales)


def _fit(train: FeatureFrame, columns: tuple[str, ...]) -> HistGradientBoostingClassifier:
    seen = to_matrix(train, columns)
    # A column that teaches nothing stays in its place, as zeros, so that all rows look alike.
    seen[:, ~informative(seen)] = 0.0
    return HistGradientBoostingClassifier(
        max_iter=150,
        learning_rate=0.06,
        max_leaf_nodes=15,
        min_samples_leaf=40,
        l2_regularization=1.0,
        random_state=0,
    ).fit(seen, train.to_arrow()[LABEL].to_numpy())


def _precision(
    model: HistGradientBoostingClassifier, test: FeatureFrame, columns: tuple[str, ...]
) -> float:
    chance = model.predict_proba(to_matrix(test, columns))[:, 1]
    return float(average_precision_score(test.to_arrow()[LABEL].to_numpy(), chance))
