"""`LineageCalls`: the calls of a store about what is made from what.

They are a class of their own because `FeatureStore` has no room for them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from featurestore.client.arguments import checked_arguments
from featurestore.client.display import results as shown
from featurestore.client.display.results import Results
from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import NotFoundError, nearest
from featurestore.query.selection import Selection
from featurestore.registry.registry import Registry
from featurestore.registry.serving import Serving
from featurestore.store.layout import Layout
from featurestore.store.ledger.models import ModelRecord, Models
from featurestore.store.training_sets.notes import TrainingSet
from featurestore.times import Clock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from featurestore.client.frame.frame import FeatureFrame
    from featurestore.client.lineage.training_sets import Saver
    from featurestore.registry.lineage.impact import Impact


class LineageCalls:
    """The calls of `FeatureStore` about what is made from what. They start no JVM."""

    if TYPE_CHECKING:  # what FeatureStore has
        layout: Layout
        registry: Registry
        _clock: Clock

        _served_by: tuple[Any, Serving] | None

        def _spark(self) -> "SparkSession": ...

        def applied(self) -> Manifest: ...

    def _savable(self, frame: "FeatureFrame", selection: Selection) -> "FeatureFrame":
        """Return the frame of a call with what `save` and `to_spark` need."""
        frame = replace(frame, _spark_session=self._spark)
        saver = self._saver(selection)
        return frame if saver is None else replace(frame, _saver=saver)

    def _saver(self, selection: Selection) -> "Saver | None":
        """Return what saves the frames of a call; None before a call."""
        from featurestore.client.lineage.training_sets import Saver  # noqa: PLC0415 - see below

        if self._served_by is None:  # never after a call: it has looked at the definitions
            return None
        (version, *_), served = self._served_by
        return Saver(
            self.layout,
            clock=self._clock,
            selection=selection,
            manifest=served.manifest,
            registry_version=version,
        )

    @checked_arguments
    def impact(self, column: str) -> "Impact":
        """Return everything that a source column reaches, directly or not, and how.

        It follows from the applied definitions: from SQL by a parser, else from the names of
        columns. What a PySpark function uses, or SQL that is not understood, is not
        known: then each column of its source counts.

        Args:
            column: The column, as ``"source.column"``, such as ``"payments.amount"``.

        Raises:
            NotFoundError: There is no such source or column. The message offers near names.
            RequestError: The name has no dot.
        """
        # Imported here: a parser, which other calls do not need.
        from featurestore.client.lineage.impact import impact  # noqa: PLC0415 - see above

        return impact(self.applied(), self.layout, column)

    @checked_arguments
    def load_training_set(self, name: str, version: int | None = None) -> "FeatureFrame":
        """Return a saved training set as the frame that it was: the same columns, types and rows.

        Args:
            name: Its name.
            version: The number of the version, from 0. None for the newest.

        Raises:
            NotFoundError: There is no such training set or version. The message offers near names.
            TableError: Its table is damaged.
        """
        # Imported here: Arrow's functions, which `status` and `plan` do not need.
        from featurestore.client.lineage.training_sets import (  # noqa: PLC0415 - see above
            load_training_set,
        )

        frame = load_training_set(self.layout, name, version)
        return replace(frame, _spark_session=self._spark)

    @checked_arguments
    def training_sets(self, name: str | None = None) -> list[TrainingSet]:
        """Return the newest version of each saved training set, or all versions of one.

        Args:
            name: The training set. None for all of them. One that is damaged has an ``error``.

        Raises:
            NotFoundError: There is no training set of that name.
        """
        from featurestore.store.training_sets.table import (  # noqa: PLC0415 - as above
            newest_of_all,
            versions_of,
        )

        if name is None:
            return Results(newest_of_all(self.layout), shown.TRAINING_SETS)
        versions = versions_of(self.layout, name, f"training_sets({name!r})")
        return Results(versions, shown.TRAINING_SETS)

    @checked_arguments
    def record_model(
        self,
        name: str,
        *,
        training_set: str,
        version: int | None = None,
        uri: str = "",
        description: str = "",
        tags: Sequence[str] = (),
    ) -> ModelRecord:
        """Record that a model was trained on a saved training set, and return the record.

        Each record of a name is a new version of the model, from 1. Nothing is checked or read at
        the ``uri``. The website, `impact` and `models` show which features a model uses.

        Args:
            name: The model's name: letters, digits and underscores.
            training_set: The name of the saved training set.
            version: The version of the training set. None for the newest.
            uri: Where the model is, for people. Credentials in it are not recorded.
            description: A description.
            tags: Search terms.

        Raises:
            NotFoundError: There is no such training set or version.
            RequestError: The name is not valid.
        """
        from featurestore.client.lineage.models import record_model  # noqa: PLC0415 - as above

        own = {"uri": uri, "description": description}
        return record_model(
            self.layout, self._clock, name, training_set, version, **own, tags=tags
        )

    @checked_arguments
    def models(self, name: str | None = None) -> list[ModelRecord]:
        """Return the recorded models, by name and version, with the features that they use.

        Args:
            name: A model. None for all of them.

        Raises:
            NotFoundError: No model of that name is recorded.
            TableError: The ledger of models is damaged.
        """
        records = Models(self.layout).records()
        names = {each.name for each in records}
        if name is not None and name not in names:
            found = f"no model {name!r} is recorded"
            raise NotFoundError(f"models({name!r})", found, nearest(name, names))
        chosen = [each for each in records if name in (None, each.name)]
        return Results(chosen, shown.MODELS)
