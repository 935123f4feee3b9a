"""A view's expectations as the functions that the engine calls while it stores a batch."""

from featurestore.definitions.code.expectations import expectations_of
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.write.masks import Validation
from featurestore.quality.gate import Gate
from featurestore.quality.schema import checks_of


def validation_of(view: FeatureView) -> Validation | None:
    """Return the checks of a view's rows; None if it has no expectations.

    Args:
        view: The view, as loaded.

    Raises:
        SetupError: pandera or Polars is not installed.
    """
    expectations = expectations_of(view)
    if expectations is None:
        return None
    checks = checks_of(view)
    gate = Gate(view.name, checks.checks, expectations.max_bad_share)
    return Validation(checks.evaluate, columns=tuple(checks.columns.values()), gate=gate.refusal)
