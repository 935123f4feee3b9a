"""Models in the ledger: `store.record_model` and `store.models`."""

from collections.abc import Sequence

from featurestore.client.lineage.training_sets import require_name, user_name
from featurestore.credentials import without_credentials
from featurestore.store.layout import Layout
from featurestore.store.ledger.models import ModelRecord, Models
from featurestore.store.training_sets.table import version_of
from featurestore.times import Clock


def record_model(  # noqa: PLR0913 - what there is to say of a model
    layout: Layout,
    clock: Clock,
    name: str,
    training_set: str,
    version: int | None,
    *,
    uri: str = "",
    description: str = "",
    tags: Sequence[str] = (),
) -> ModelRecord:
    """Append a model to the ledger, as the next version of its name.

    Args:
        layout: The addresses of the tables.
        clock: Returns the moment of the record.
        name: The model's name.
        training_set: The name of the saved training set that it learned from.
        version: The version of the training set. None for the newest.
        uri: Where the model is.
        description: A description.
        tags: Search terms.

    Raises:
        NotFoundError: There is no such training set or version.
        RequestError: The name is not valid, or differs from that of another model only in case.
    """
    call = f"record_model({name!r})"
    ledger = Models(layout)
    require_name(name, {each.name for each in ledger.records()}, call)
    learned = version_of(layout, training_set, version, call)
    return ledger.record(
        ModelRecord(
            name,
            training_set=training_set,
            training_set_version=learned.version or 0,
            # The ledger is read by everybody who reads the store.
            uri=without_credentials(uri),
            features=tuple(f"{each.view}:{each.feature}" for each in learned.features),
            description=without_credentials(description),
            tags=tuple(map(without_credentials, [tags] if isinstance(tags, str) else tags)),
            recorded_at=clock(),
            recorded_by=user_name(),
        )
    )
