"""`StoreState`: whether a store has changed since a site was built, by versions of tables."""

from deltalake import DeltaTable

from featurestore.errors import FeatureStoreError
from featurestore.store.delta.cache import TableCache
from featurestore.store.layout import Layout
from featurestore.store.training_sets.table import names_of


class StoreState:
    """The state of everything that a site shows.

    It asks the ledgers for their newest versions. No file of data is read, and no folder is
    watched.

    Args:
        layout: The addresses of the tables.

    Example:
        >>> state = StoreState(Layout("no/such/store"))
        >>> state.now() == state.now()
        True
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._caches: dict[str, TableCache[int]] = {}

    def now(self) -> tuple[object, ...]:
        """Return a value that is another one after something was applied, run or saved."""
        layout = self._layout
        ledgers = (
            *(layout.registry(), layout.tables(), layout.runs()),
            *(layout.profiles(), layout.models()),
        )
        try:
            saved = tuple(layout.training_set(name) for name in names_of(layout))
        except FeatureStoreError as error:
            saved = (str(error),)
        return tuple((uri, self._version(uri)) for uri in (*ledgers, *saved))

    def _version(self, uri: str) -> object:
        cache = self._caches.setdefault(uri, TableCache(uri, DeltaTable.version))
        try:
            return cache.newest()
        except FeatureStoreError as error:
            return str(error)  # a damaged ledger is a state too; its repair is another one
