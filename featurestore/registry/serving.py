"""The definitions that answers follow while tables are built again.

A change of a view's stored rows takes effect at one moment: when its new table is built. Until
then readers see the table of before, by the definition that it was built from.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView, OnDemandReference
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import RequestSource
from featurestore.definitions.model.view import FeatureReference, FeatureView
from featurestore.errors import FeatureStoreError, TableError
from featurestore.query.compile import compile_query, compile_view, output_fields
from featurestore.query.nodes import Query
from featurestore.query.selection import Selection
from featurestore.registry.version import RegistryVersion

_D = TypeVar("_D", OnDemandFeatureView, FeatureService)


@dataclass(frozen=True)
class Serving:
    """The definitions that answers follow.

    Args:
        applied: The applied definitions.
        manifest: The definitions that answers follow: the applied ones, but for views whose
            present tables are of earlier definitions, and for what uses these views.
        earlier: For each such view, the version of the registry with its definition.
    """

    applied: Manifest
    manifest: Manifest
    earlier: Mapping[str, int]

    def require(self, features: Selection, call: str) -> dict[str, int]:
        """Check that features can be answered, if they are applied.

        Args:
            features: The features that a call selects.
            call: The user's call, for the message.

        Returns:
            The views among those of the call that are answered by an earlier definition, each with
            the version of the registry that has it.

        Raises:
            TableError: They are applied, and a table that has them is not built yet.
        """
        if not self.earlier:
            return {}
        present = _views(self.manifest, features)
        if present is not None:
            return {name: self.earlier[name] for name in self.earlier if name in present}
        applied = _views(self.applied, features)
        if applied is None:
            return {}  # the call itself says what is wrong
        raise self.not_built([name for name in self.earlier if name in applied], call)

    def note(self, view: str) -> str:
        """Return how a view is answered until its table is built, and which features it lacks.

        Args:
            view: The name of a view that is answered by an earlier definition.
        """
        applied, served = self.applied.view(view), self.manifest.view(view)
        present = served.feature_names if served else ()
        names = applied.feature_names if applied else ()
        lacking = ", ".join(name for name in names if name not in present)
        without = f", without the new {lacking}," if lacking else ""
        return (
            f"view {view!r} is answered by its definition of version {self.earlier[view]}"
            f"{without} until `featurestore materialize {view}` has built its new table"
        )

    def require_fields(self, view: str, fields: Sequence[str], call: str) -> None:
        """Check that the present table of a view has fields that the applied definition has.

        Args:
            view: The name of a view that is answered by an earlier definition.
            fields: The names of fields.
            call: The user's call, for the message.

        Raises:
            TableError: The applied definition has a field that the present table lacks.
        """
        if {*fields} & (_fields(self.applied, view) - _fields(self.manifest, view)):
            raise self.not_built([view], call)

    def not_built(self, views: Sequence[str], call: str) -> TableError:
        """Return the error of a call that needs tables which are not built yet.

        Args:
            views: The names of the views.
            call: The user's call.
        """
        found = "; ".join(
            f"the table of view {name!r} is not built from its applied definition yet, and this "
            f"call needs what the definition of version {self.earlier[name]} lacks"
            for name in views
        )
        fix = f"Run `featurestore materialize {' '.join(views)}`, which builds it."
        return TableError(call, found, fix)


def serving(versions: Sequence[RegistryVersion], fingerprints: Mapping[str, str]) -> Serving:
    """Return the definitions that answers follow.

    A view follows the newest definition of which its present table is made. Services and on-demand
    views follow their newest definition that these views can answer. A view without a table, or
    with a table of an unknown definition, follows the applied one.

    Args:
        versions: The versions of the applied definitions, the oldest first; at least one.
        fingerprints: For each view with a table that readers see, the table's fingerprint.
    """
    applied = versions[-1].manifest
    changed = [
        view
        for view in applied.views
        if fingerprints.get(view.name, own := table_fingerprint(view)) != own
    ]
    found = {
        view.name: definition
        for view in changed
        if (definition := _built_from(versions, view.name, fingerprints[view.name]))
    }
    if not found:
        return Serving(applied, applied, {})
    views = {view.name: found[view.name][1] for view in changed if view.name in found}
    manifest = replace(applied, views=tuple(views.get(view.name, view) for view in applied.views))
    # On-demand views first: services use them.
    manifest = replace(
        manifest,
        on_demand_views=_fitting(
            applied.on_demand_views,
            versions,
            find=Manifest.on_demand_view,
            adapt=partial(_served_on_demand, manifest),
        ),
    )
    services = _fitting(
        applied.services, versions, find=Manifest.service, adapt=partial(_served_service, manifest)
    )
    manifest = replace(manifest, services=services)
    return Serving(applied, manifest, {name: number for name, (number, _) in found.items()})


def _built_from(
    versions: Sequence[RegistryVersion], name: str, fingerprint: str
) -> tuple[int, FeatureView] | None:
    for version in reversed(versions):
        view = version.manifest.view(name)
        if view is not None and table_fingerprint(view) == fingerprint:
            return version.version, view
    return None


def _fitting(
    definitions: Sequence[_D],
    versions: Sequence[RegistryVersion],
    *,
    find: Callable[[Manifest, str], _D | None],
    adapt: Callable[[_D], _D | None],
) -> tuple[_D, ...]:
    """Return the newest version of each definition that the served views can answer.

    Args:
        definitions: The applied definitions of one kind.
        versions: The versions of the applied definitions, the oldest first.
        find: Returns the definition of a name.
        adapt: Returns a definition with the served views; None if they cannot answer it.
    """
    fitting = []
    for definition in definitions:
        earlier = (find(version.manifest, definition.name) for version in reversed(versions))
        adapted = (adapt(each) for each in earlier if each is not None)
        fitting.append(next((each for each in adapted if each is not None), None))
    return tuple(each for each in fitting if each is not None)


def _served_on_demand(served: Manifest, view: OnDemandFeatureView) -> OnDemandFeatureView | None:
    """Return an on-demand view of served views; None if its inputs lack there or change type."""
    sources = tuple(
        source if isinstance(source, RequestSource) else _served_use(served, source)
        for source in view.sources
    )
    if None in sources:
        return None
    candidate = replace(view, sources=sources)  # type: ignore[arg-type]  # no None among them
    return candidate if _inputs(candidate) == _inputs(view) else None


def _served_service(served: Manifest, service: FeatureService) -> FeatureService | None:
    """Return a service of served views; None if they cannot answer it."""
    uses = tuple(_served_use(served, use) for use in service.references)
    if None in uses:
        return None
    candidate = replace(service, features=uses)  # type: ignore[arg-type]  # no None among them
    answered = _views(replace(served, services=(candidate,)), service.name)
    return None if answered is None else candidate


def _served_use(
    served: Manifest, use: FeatureView | FeatureReference | OnDemandFeatureView | OnDemandReference
) -> FeatureReference | OnDemandReference | None:
    """Return a use with the served view; None if that lacks features or keys of it."""
    if isinstance(use, OnDemandFeatureView):
        use = OnDemandReference(use)
    if isinstance(use, OnDemandReference):
        on_demand = served.on_demand_view(use.view.name)
        return None if on_demand is None else replace(use, view=on_demand)
    if isinstance(use, FeatureView):
        use = FeatureReference(use)
    view = served.view(use.view.name)
    if view is None or not {*(use.features or ())} <= {*view.feature_names}:
        return None
    keys = {key.name for key in view.join_keys}
    return replace(use, view=view) if {key for key, _ in use.join_keys} <= keys else None


def _inputs(view: OnDemandFeatureView) -> list[tuple[str, str]]:
    """Return the names and types of an on-demand view's stored inputs."""
    inputs = []
    for use in view.uses:
        fields = output_fields(Query("inputs", (compile_view(use.view),)))
        types = {field.name: str(field.dtype) for field in fields}
        inputs += [(use.prefix + name, types[name]) for name in use.feature_names]
    return sorted(inputs)


def _fields(manifest: Manifest, name: str) -> set[str]:
    view = manifest.view(name)
    return set() if view is None else {field.name for field in view.schema}


def _views(manifest: Manifest, features: Selection) -> set[str] | None:
    """Return the names of the stored views that features need; None if they do not compile."""
    try:
        query = compile_query(manifest, features, call="")
    except FeatureStoreError:
        return None
    return {view.view for view in query.stored.views}
