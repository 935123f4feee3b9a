"""The addresses of a project's tables under its root, which is a folder or an object-store URL."""

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from featurestore.credentials import without_credentials
from featurestore.errors import TableError
from featurestore.store.paths import address, is_folder_name


@dataclass(frozen=True)
class Layout:
    """The addresses of a project's tables and sources.

    Args:
        root: ``<root>/<project>``: a folder or a URL, without a closing slash.
        folder: The project's folder; relative paths of sources start here.

    Names and ids may come from tables that others can write. One that is no plain name of a
    folder, such as ``../secrets``, raises a TableError. So does an empty id of a build: its
    address would be the folder of all builds.

    Example:
        >>> Layout("store/demo").features("card_activity", "t1")
        'store/demo/features/card_activity/t1'
    """

    root: str
    _: KW_ONLY
    folder: Path = Path()

    def __repr__(self) -> str:
        """Return the root and the folder. Values of environment variables are hidden."""
        return without_credentials(f"Layout({self.root!r}, folder={str(self.folder)!r})")

    def source(self, path: str) -> str:
        """Return the address of a source: its absolute path, or its URL as it is.

        References to environment variables are resolved.

        Raises:
            SetupError: A variable is not set.

        Example:
            >>> Layout("store/demo", folder=Path("/project")).source("data/paid")
            '/project/data/paid'
        """
        return address(path, self.folder)

    def features(self, view: str, table_id: str) -> str:
        """Return the address of one build of a view's feature table; without an id, of all builds.

        The ledger of builds refuses records without an id.
        """
        return f"{self.root}/features/{self._name(view)}/{self._name(table_id)}"

    def builds(self, view: str) -> str:
        """Return the folder of all builds of a view's feature table."""
        return f"{self.root}/features/{self._name(view)}"

    def latest(self, view: str) -> str:
        """Return the address of a view's latest table, which has one row for each key."""
        return f"{self.root}/latest/{self._name(view)}"

    def quarantine(self, view: str, table_id: str) -> str:
        """Return the address of the quarantine of one build: the rows that its table lacks."""
        return f"{self.root}/quarantine/{self._name(view)}/{self._id(table_id)}"

    def staging(self, table_id: str) -> str:
        """Return the folder of the batch of a build that is being checked."""
        return f"{self.root}/staging/{self._id(table_id)}"

    def checkpoint(self, table_id: str, generation: int) -> str:
        """Return the address of a stream's checkpoint; a lost one gets a new generation."""
        return f"{self.root}/checkpoints/{self._id(table_id)}/{generation:d}"

    def checkpoints(self, table_id: str) -> str:
        """Return the address of all checkpoints of a build, which must have an id."""
        return f"{self.root}/checkpoints/{self._id(table_id)}"

    def registry(self) -> str:
        """Return the address of the table of applied manifests."""
        return f"{self.root}/registry/versions"

    def tables(self) -> str:
        """Return the address of the ledger of builds."""
        return f"{self.root}/registry/tables"

    def runs(self) -> str:
        """Return the address of the ledger of runs."""
        return f"{self.root}/runs/runs"

    def files(self) -> str:
        """Return the address of the ledger of source files."""
        return f"{self.root}/runs/files"

    def models(self) -> str:
        """Return the address of the ledger of models."""
        return f"{self.root}/registry/models"

    def training_sets(self) -> str:
        """Return the folder of all saved training sets."""
        return f"{self.root}/training_sets"

    def profiles(self) -> str:
        """Return the address of the ledger of profiles."""
        return f"{self.root}/profiles/profiles"

    def sketches(self, table_id: str) -> str:
        """Return the address of the file from which the profile of a build goes on."""
        return f"{self.root}/profiles/sketches/{self._id(table_id)}.json"

    def training_set(self, name: str) -> str:
        """Return the address of a saved training set."""
        return f"{self.training_sets()}/{self._id(name)}"

    def view_lock(self, view: str) -> str:
        """Return the address of a view's lock: a file, or the object of a lease."""
        return f"{self.root}/locks/views/{self._name(view)}.lock"

    def continuous(self, view: str) -> str:
        """Return the address of what a continuous materialization says of a view."""
        return f"{self.root}/continuous/{self._id(view)}.json"

    def continuous_lock(self, view: str) -> str:
        """Return the address of the lock of a view's continuous materialization."""
        return f"{self.root}/locks/continuous/{self._id(view)}.lock"

    def registry_lock(self) -> str:
        """Return the address of the registry's lock file, which no view shares."""
        return f"{self.root}/locks/registry.lock"

    def _id(self, table_id: str) -> str:
        if table_id:
            return self._name(table_id)
        raise self._damage(table_id, "it is empty, so its path is the folder of all builds")

    def _name(self, name: str) -> str:
        if is_folder_name(name) or not name:  # without a name: the folder of all of them
            return name
        found = "it has more than letters, digits, _, - and ., so its path may leave the root"
        raise self._damage(name, found)

    def _damage(self, name: str, found: str) -> TableError:
        return TableError(
            f"find the folder of {name!r} in {self.root}",
            found,
            f"Somebody changed a table of the store. Restore {self.tables()} and "
            f"{self.registry()}, for example by DeltaTable(path).restore(version) of deltalake.",
        )
