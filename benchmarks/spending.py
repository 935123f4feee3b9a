"""The small project that two benchmarks use: payments of cards, and a view of their amounts."""

from pathlib import Path

_DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("card_id", fs.Int64),))
payments = fs.DeltaSource("payments", path="payments", timestamp_field="event_timestamp")
spending = fs.FeatureView(
    "spending",
    entities=(card,),
    source=payments,
    schema=(fs.Field("amount", fs.Float64),),
    aggregations=({aggregations},),
    latest=False,
)
"""
SUM_OF_WEEK = 'fs.Aggregation("amount", "sum", windows=("7d",))'


def write_project(folder: Path, *aggregations: str) -> None:
    """Write the project. Its source has no rows yet.

    Args:
        folder: The project's folder.
        aggregations: The aggregations of view ``spending``, in Python.
    """
    (folder / "feature_defs").mkdir(parents=True)
    (folder / "featurestore.toml").write_text(f'project = "{folder.name}"\n')
    definitions = _DEFINITIONS.format(aggregations=", ".join(aggregations))
    (folder / "feature_defs" / "views.py").write_text(definitions)
