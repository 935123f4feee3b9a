"""Whether a payment will be charged back; and the same model with a leak, for comparison.

The model is trained on payments whose labels are mature when the test month begins, and measured
on the newest month with mature labels. The baseline uses only the request values of the terminal:
amount, hour, category, online or not. The score is average precision: about 1% of the rows are
frauds.

The leaky model is the same model, but its features count chargebacks by the time of the payment,
as if each dispute were known at once. On test rows with the same leak it looks better. On the
features that exist in production it is worse than the correct model.
"""

from datetime import datetime, timedelta
from pathlib import Path

import joblib  # type: ignore[import-untyped]  # it has no types
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.ml import Transformer
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score

from demo.fraud.leak import replace_by_leaky
from demo.fraud.spine import MATURITY
from demo.fraud.world import CATEGORIES
from demo.measure import Score, to_matrix, varying_columns
from demo.pipelines import Learner, evaluate_pipeline
from featurestore.client.frame.frame import FeatureFrame

TEST_PERIOD = timedelta(days=30)
BASELINE = ("amount", "hour", "category_code", "online")
LABEL = "is_fraud"


def evaluate(payments: FeatureFrame, chargebacks: pa.Table, now: datetime) -> list[Score]:
    """Return the score of the correct model, and of the leaky one with and without its leak."""
    frame = with_columns(payments)
    leaky = with_columns(replace_by_leaky(payments, chargebacks))
    train, test = split(frame, now)
    leaky_train, leaky_test = split(leaky, now)
    columns = (*BASELINE, *feature_columns(payments))
    baseline = _precision(_fit(train, BASELINE), test, BASELINE)
    leaky_model = _fit(leaky_train, columns)

    def score(model: str, value: float, note: str) -> Score:
        return Score(model, "average precision", len(train), len(test), baseline, value, note)

    return [
        score(
            "fraud, scikit-learn boosting",
            _precision(_fit(train, columns), test, columns),
            "each feature as of the payment",
        ),
        score(
            "  ... leaky model, measured with the leak",
            _precision(leaky_model, leaky_test, columns),
            "chargebacks are counted before they are reported",
        ),
        score(
            "  ... leaky model, as it works in production",
            _precision(leaky_model, test, columns),
            "the same model, each feature as of the payment",
        ),
    ]


def keep(payments: FeatureFrame, now: datetime, path: Path) -> None:
    """Write the correct model to a file.

    Args:
        payments: The labelled payments with their features.
        now: The present moment in the simulation.
        path: The file.
    """
    train, _ = split(with_columns(payments), now)
    path.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump(_fit(train, (*BASELINE, *feature_columns(payments))), path)


def evaluate_linear(payments: FeatureFrame, now: datetime, lookup: Transformer) -> Score:
    """Return the score of MLlib's logistic regression.

    Args:
        payments: The labelled payments with their features.
        now: The present moment in the simulation.
        lookup: Looks up the features in the pipeline.
    """
    computed = with_columns(payments).to_arrow().drop_columns(["chargeback_rate"])
    online = payments.to_arrow()["online"].cast(pa.int8())
    frame = FeatureFrame(
        computed.append_column("is_online", online),
        payments.features,
        label=payments.label,
        _spark_session=payments._spark_session,
    )
    train, test = split(frame, now)
    learner = Learner(
        "fraud, MLlib logistic regression",
        "average precision",
        ("amount", "hour", "category_code", "is_online"),
        LogisticRegression(labelCol=LABEL, maxIter=20, regParam=0.01),
        BinaryClassificationEvaluator(labelCol=LABEL, metricName="areaUnderPR"),
    )
    features = [name for name in payments.features if not name.startswith("last_")]
    return evaluate_pipeline(learner, train, test, lookup, features)


def split(payments: FeatureFrame, now: datetime) -> tuple[FeatureFrame, FeatureFrame]:
    """Return the training payments, and those of the newest month with mature labels."""
    begin = now - MATURITY - TEST_PERIOD
    return payments.split_by_time(begin, gap=f"{MATURITY.days}d")


def with_columns(payments: FeatureFrame) -> FeatureFrame:
    """Return the payments with the columns of the baseline, and with the chargeback rate.

    The rate is no on-demand feature, because the leaky model computes it from its own counts.
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


def feature_columns(payments: FeatureFrame) -> tuple[str, ...]:
    """Return the names of the store's features that the model uses, and of the chargeback rate."""
    # The last location and its time are inputs of `card_travel`, not of the model.
    features = (name for name in payments.features if not name.startswith("last_"))
    return (*features, "chargeback_rate")


def _chargeback_rate(table: pa.Table) -> pa.ChunkedArray:
    sales = pc.add(pc.multiply(table["sales_30d"].cast(pa.float64()), 2.0), 1.0)
    return pc.divide(table["merchant_chargebacks_60d"].cast(pa.float64()), sales)


def _fit(train: FeatureFrame, columns: tuple[str, ...]) -> HistGradientBoostingClassifier:
    rows = to_matrix(train, columns)
    # A column with one value teaches nothing. It becomes zeros, so that all matrices have the same
    # columns.
    rows[:, ~varying_columns(rows)] = 0.0
    return HistGradientBoostingClassifier(
        max_iter=150,
        learning_rate=0.06,
        max_leaf_nodes=15,
        min_samples_leaf=40,
        l2_regularization=1.0,
        random_state=0,
    ).fit(rows, train.to_arrow()[LABEL].to_numpy())


def _precision(
    model: HistGradientBoostingClassifier, test: FeatureFrame, columns: tuple[str, ...]
) -> float:
    chance = model.predict_proba(to_matrix(test, columns))[:, 1]
    return float(average_precision_score(test.to_arrow()[LABEL].to_numpy(), chance))
