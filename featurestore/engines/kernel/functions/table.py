"""The table of the aggregation functions, collected from the modules of this folder.

To add a function, see ``featurestore/definitions/model/functions.py``.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from featurestore.definitions.model.functions import require_every_function
from featurestore.engines.kernel import functions
from featurestore.engines.kernel.functions import Aggregator


def _entries() -> Iterator[tuple[str, Aggregator]]:
    """Yield the functions of each other module in this folder."""
    for module in iter_modules(functions.__path__, f"{functions.__name__}."):
        if module.name != __name__:
            yield from getattr(import_module(module.name), "AGGREGATORS", {}).items()


AGGREGATORS = dict(_entries())
"""The aggregation functions by name."""

require_every_function(AGGREGATORS, "featurestore/engines/kernel/functions")
