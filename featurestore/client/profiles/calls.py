"""`ProfileCalls`: the calls of a store about the statistics that runs have recorded."""

from typing import TYPE_CHECKING, Literal

from featurestore.client.arguments import checked_arguments
from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import NotFoundError, RequestError, nearest
from featurestore.store.layout import Layout

if TYPE_CHECKING:
    from featurestore.monitoring.profile import Profile

_KINDS = ("table", "rows", "features")


class ProfileCalls:
    """The calls of `FeatureStore` about recorded statistics. They start no JVM."""

    if TYPE_CHECKING:  # what FeatureStore has
        layout: Layout

        def applied(self) -> Manifest: ...

    @checked_arguments
    def profile(
        self, view: str, kind: Literal["table", "rows", "features"] = "table"
    ) -> "Profile | None":
        """Return the newest statistics of a view's columns. No JVM starts.

        Args:
            view: The view's name.
            kind: ``"table"`` for all rows of its table, ``"rows"`` for the rows of the last run
                that stored some, ``"features"`` for its window features at the end of that run.

        Returns:
            The profile; None if there is none, or if it is damaged.

        Raises:
            NotFoundError: The view is not applied.
        """
        if kind not in _KINDS:
            call = f"profile({view!r}, kind={kind!r})"
            raise RequestError(call, f"kind is {kind!r}", nearest(kind, _KINDS))
        from featurestore.monitoring.records import newest_profile  # noqa: PLC0415 - as below

        self._require_applied("profile", view)
        return newest_profile(self.layout, view, kind)

    @checked_arguments
    def profiles(self, view: str) -> "list[Profile]":
        """Return all statistics that runs have recorded of a view, the oldest first.

        Args:
            view: The view's name.

        Raises:
            NotFoundError: The view is not applied.
        """
        # Imported here: NumPy and the sketches, which `plan` and `status` do not need.
        from featurestore.monitoring.records import stored_profiles  # noqa: PLC0415 - see above

        self._require_applied("profiles", view)
        return list(stored_profiles(self.layout, view))

    def _require_applied(self, verb: str, view: str) -> None:
        applied = self.applied()
        if applied.view(view) is None:
            fix = nearest(view, [each.name for each in applied.views])
            raise NotFoundError(f"{verb}({view!r})", f"view {view!r} is not applied", fix)
