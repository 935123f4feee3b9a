"""The demo's own project: one Delta table of payments, and the features of a card."""

import shutil
from pathlib import Path

SETTINGS = 'project = "stream"\nprofile = false\n'
DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=[fs.Field("card_id", fs.Int64)])
payments = fs.DeltaSource("payments", path="payments", timestamp_field="paid_at")
card_activity = fs.FeatureView(
    "card_activity",
    entities=[card],
    source=payments,
    schema=[fs.Field("amount", fs.Float64)],
    aggregations=[
        fs.Aggregation("*", "count", windows=["60s", "1h"]),
        fs.Aggregation("amount", "sum", windows=["60s", "1h"]),
        fs.Aggregation("amount", "mean", windows=["1d"]),
    ],
    latest=False,
)
fraud_live_v1 = fs.FeatureService("fraud_live_v1", features=[card_activity])
"""


def write_project(folder: Path) -> None:
    """Write the settings and the definitions to a folder."""
    (folder / "feature_defs").mkdir(parents=True, exist_ok=True)
    (folder / "featurestore.toml").write_text(SETTINGS, "utf-8")
    (folder / "feature_defs" / "stream.py").write_text(DEFINITIONS, "utf-8")


def remove_own_project(folder: Path) -> None:
    """Remove the demo's project, if it is there.

    Args:
        folder: Its folder.

    Raises:
        SystemExit: The folder has something else. It is left as it is.
    """
    if not folder.exists():
        return
    settings = folder / "featurestore.toml"
    is_own = settings.is_file() and settings.read_text("utf-8") == SETTINGS
    is_empty = folder.is_dir() and not any(folder.iterdir())
    if not (is_own or is_empty):
        raise SystemExit(
            f"{folder} is not a project of this demo, which would remove it. "
            "Name an empty or a new folder with --folder."
        )
    shutil.rmtree(folder)
