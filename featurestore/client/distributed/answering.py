"""`answering_engine`: which engine answers a call, as far as this process can decide about it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featurestore.client.distributed.engine_name import require_engine
from featurestore.definitions.model.manifest import Manifest
from featurestore.engines.choose import Undecided

if TYPE_CHECKING:
    from featurestore.client.frame.retrieval_plan import RetrievalPlan
    from featurestore.client.label import Label
    from featurestore.client.reader import Reader
    from featurestore.client.request import Request


@dataclass(frozen=True)
class Answering:
    """The engine that answers a call, and the spine.

    Args:
        engine: The name of the engine.
        spine: The spine, as it was passed or as it was read for the choice.
        plan: The plan of the engine in process, if ``engine="auto"`` has chosen it.
        undecided: The size of the call, and the machine that it does not fit.
    """

    engine: str
    spine: Any
    plan: "RetrievalPlan | None" = None
    undecided: Undecided | None = None

    @property
    def is_local(self) -> bool:
        """Whether the engine in process answers."""
        return self.engine == "local"


def answering_engine(
    manifest: Manifest,
    reader: "Reader",
    request: "Request",
    spine: Any,
    engine: str,
    label: "str | Label | None" = None,
) -> Answering:
    """Return the engine that answers a call; ``"auto"`` compares its size with this machine.

    Args:
        manifest: The definitions that the answer follows.
        reader: Pins the tables.
        request: The features, and the spine's time column.
        spine: The rows, in any form.
        engine: The name that the user passed.
        label: The label's column, a label to compute, or None for no label.

    Raises:
        NotFoundError: A name is not applied.
        RequestError: There is no such engine.
        SpineError: The spine does not fit.
        TableError: A view was changed since its table was built.
    """
    require_engine(request.call, engine)
    if engine != "auto":
        return Answering(engine, spine)
    # Imported here, as in `FeatureStore`: plans and states need no kernel.
    from featurestore.client.distributed.engines import sized_call  # noqa: PLC0415 - see above

    call = sized_call(manifest, reader, request, spine, label)
    plan = call.local_plan()
    if plan is not None:
        return Answering("local", call.spine, plan)
    return Answering(engine, call.spine, undecided=Undecided(call.work, call.machine))
