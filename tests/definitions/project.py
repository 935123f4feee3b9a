"""A definitions folder written from text, as a user would write it."""

from pathlib import Path
from textwrap import dedent

IMPORTS = """\
from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import DeltaSource, FileSource, RequestSource
from featurestore.definitions.model.types import *
from featurestore.definitions.model.view import FeatureView
"""
"""Six lines: the definitions of a test start at line 7."""


def write(folder: Path, modules: dict[str, str]) -> Path:
    """Write modules below ``folder``, each after `IMPORTS`, and return it."""
    for name, text in modules.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(IMPORTS + dedent(text))
    return folder


CARDS = """\
card = Entity("card", join_keys=(Field("card_id", String),))
payments = DeltaSource("payments", path="data/payments", timestamp_field="paid_at")
activity = FeatureView(
    "activity",
    entities=(card,),
    source=payments,
    schema=(Field("amount", Float64),),
    ttl="1d",
)
"""
