"""`MonitorCalls`: the call of a store that checks its views."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from featurestore.client.arguments import checked_arguments
from featurestore.client.display.results import Results
from featurestore.definitions.model.manifest import Manifest
from featurestore.query.selection import Selection
from featurestore.store.layout import Layout
from featurestore.times import Clock

if TYPE_CHECKING:
    from featurestore.jobs.monitor.observation import Observation

_SHOWN = ("view", "check", "state", "feature", "measure", "value", "threshold", "found", "fix")


class MonitorCalls:
    """The call of `FeatureStore` that checks its views. It starts no JVM."""

    if TYPE_CHECKING:  # what FeatureStore has
        layout: Layout
        _clock: Clock

        def applied(self) -> Manifest: ...

    @checked_arguments
    def monitor(
        self,
        views: "Selection | None" = None,
        *,
        against: str | None = None,
        run: str | None = None,
        since: str | datetime | timedelta | None = None,
    ) -> "list[Observation]":
        """Return what is unusual about views: drift, late and missing runs, counts of rows.

        Nothing is changed and no table is read: only the ledgers and the profiles of runs.

        Args:
            views: Views, or services for all views that they need. None for all views.
            against: What the newest profiles are compared with: ``"previous"``, ``"first"``,
                ``"training_set:NAME"``, the id of a run, or the path of a file. None for what the
                thresholds of the views say.
            run: The id of the run whose profiles are compared. None for the newest ones.
            since: A moment, or a duration until now. The profiles since then are compared with
                those of the same time before, and missing runs are looked for since then. None
                for the newest profiles, and for the runs of one day.

        Returns:
            What each check has found, breaches first. Features without thresholds are compared
            if one of the arguments asks for a comparison. Else they are there only where they
            have drifted by the usual thresholds, with the state ``undeclared``: no breach.

        Raises:
            NotFoundError: A view is not applied, or a run or a training set does not exist.
            RequestError: ``since`` is no moment of the past.
        """
        # Imported here: NumPy and the profiles, which other calls do not need.
        from featurestore.client.monitoring.monitor import monitor_views  # noqa: PLC0415

        found = monitor_views(
            self.applied(),
            self.layout,
            views,
            now=self._clock(),
            against=against,
            run=run,
            since=since,
        )
        return Results(found, _SHOWN)
