"""The features and views that a call selects: by names, or by the definitions themselves.

Only applied definitions are read. A definition that is passed stands for the applied one of its
name, and must mean the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import singledispatch
from typing import NamedTuple, TypeVar

from featurestore.definitions.code.fingerprint import table_fingerprint, transform_fingerprint
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView, OnDemandReference
from featurestore.definitions.model.service import FeatureService, Use
from featurestore.definitions.model.view import FeatureReference, FeatureView
from featurestore.errors import DefinitionError, NotFoundError, RequestError, nearest

_T = TypeVar("_T")

Selected = str | FeatureService | FeatureView | OnDemandFeatureView | Use
"""A name, ``"view:feature"``, a service, a view, or a use of a view such as ``view[["a"]]``."""

Selection = Selected | Sequence[Selected]
"""One or several of these."""

_SELECTED = (
    str,
    FeatureService,
    FeatureView,
    OnDemandFeatureView,
    FeatureReference,
    OnDemandReference,
)
_SHOWN = 5
"""A message names so many of the views that have a feature of one name."""
_APPLY = "Run `featurestore plan` and `featurestore apply` first"
_IF_NEW = "If it is new, run `featurestore plan` and `featurestore apply` first."


def selected_uses(manifest: Manifest, features: Selection, call: str) -> tuple[Use, ...]:
    """Return the uses of applied views that a call selects; neighbouring uses of one view as one.

    Args:
        manifest: The applied definitions.
        features: What the call selects.
        call: The user's call, for messages.

    Raises:
        NotFoundError: A service, view or feature is not applied.
        RequestError: A definition that was passed is not the applied one, or something else was
            passed.

    Example:
        >>> selected_uses(Manifest(), [], "nothing")
        ()
    """
    uses: list[Use] = []
    for each in _items(features, call):
        for use in _uses(each, manifest, call):
            if uses and isinstance(each, str) and _is_plain(uses[-1]) and _is_plain(use):
                uses.extend(_joined(uses.pop(), use))
            else:
                uses.append(use)
    return tuple(uses)


def selected_views(
    manifest: Manifest, views: Selection, call: str
) -> tuple[FeatureView | OnDemandFeatureView, ...]:
    """Return the applied views that a call selects, each once.

    A service stands for the views that it needs: those of its features, those of the inputs of its
    on-demand views, and those from which they are derived.

    Args:
        manifest: The applied definitions.
        views: Names or definitions of views and services.
        call: The user's call, for messages.

    Raises:
        NotFoundError: A view or a service is not applied.
        RequestError: A definition that was passed is not the applied one, or something else was
            passed.

    Example:
        >>> selected_views(Manifest(), [], "nothing")
        ()
    """
    names: dict[str, None] = {}
    for each in _items(views, call):
        # Of a view and a service with one name, the view is meant here.
        view = manifest.view(each) if isinstance(each, str) else None
        uses = _uses(each if view is None else view, manifest, call)
        if view is None and _is_service(each, manifest):
            names |= dict.fromkeys(name for use in uses for name in _needed(use))
        else:
            names |= dict.fromkeys(use.view.name for use in uses)
    found = (manifest.view(name) or manifest.on_demand_view(name) for name in names)
    return tuple(view for view in found if view is not None)


def selection_text(selected: Selection) -> str:
    """Return what a call selects as short text, for messages: definitions as their names.

    Example:
        >>> selection_text("fraud_v1"), selection_text(["a:x", FeatureService("s", features=())])
        ("'fraud_v1'", "['a:x', 's']")
    """
    names = selection_names(selected)
    return repr(names if len(names) != 1 or isinstance(selected, list | tuple) else names[0])


def selection_names(selected: Selection) -> list[str]:
    """Return the names of what a call selects. They are those of the command line.

    Example:
        >>> selection_names([FeatureService("fraud_v1", features=()), "activity:amount_sum_7d"])
        ['fraud_v1', 'activity:amount_sum_7d']
    """
    if isinstance(selected, list | tuple):
        return [name for each in selected for name in _names(each)]
    return _names(selected)


def is_selected(argument: object) -> bool:
    """Return whether an argument can name features: a text, or a definition.

    Example:
        >>> is_selected("fraud_v1"), is_selected({"card_id": 7})
        (True, False)
    """
    return isinstance(argument, _SELECTED)


def _names(selected: object) -> list[str]:
    if isinstance(selected, str):
        return [selected]
    if isinstance(selected, FeatureReference | OnDemandReference):
        return [f"{selected.view.name}:{name}" for name in selected.feature_names]
    if isinstance(selected, FeatureService | FeatureView | OnDemandFeatureView):
        return [selected.name]
    return [f"<{type(selected).__name__}>"]


def _items(selected: Selection, call: str) -> list[Selected]:
    items: list[Selected] = (
        list(selected)
        if isinstance(selected, Sequence | Set | Iterator) and not isinstance(selected, str)
        else [selected]
    )
    for each in items:
        if not is_selected(each):
            raise RequestError(
                call,
                f"an object of type {type(each).__name__} names no features",
                "Pass the name of a service or of a view, 'view:feature', the definition itself, "
                "or a list of these. Rows are another argument.",
            )
    return items


@singledispatch
def _uses(selected: Selected, manifest: Manifest, call: str) -> Sequence[Use]:
    """Return the applied uses of views for one name or definition."""
    raise TypeError(selected)


@_uses.register
def _(selected: str, manifest: Manifest, call: str) -> Sequence[Use]:
    if "," in selected:
        raise _several(selected, call)
    name, colon, feature = selected.partition(":")
    service = manifest.service(name)
    if service is not None and not colon:
        return service.references
    view = manifest.view(name) or manifest.on_demand_view(name)
    if view is None and service is not None:
        return (_use_of_service(service, feature, call),)
    if view is None and not colon and (meant := _features_named(manifest, name)):
        raise _without_owner(name, meant, call)
    if view is None:
        raise _not_found(manifest, name, "view" if colon else "service", call)
    chosen = (feature,) if feature else view.feature_names
    _require_features(view, chosen, call)
    return (view[chosen],)


@_uses.register
def _(selected: FeatureService, manifest: Manifest, call: str) -> Sequence[Use]:
    service = manifest.service(selected.name)
    if service is None:
        raise _not_found(manifest, selected.name, "service", call)
    if _differ(_meaning_of_service, selected, service):
        raise _changed("service", selected, call)
    return service.references


@_uses.register
def _(selected: FeatureView, manifest: Manifest, call: str) -> Sequence[Use]:
    return (_applied_view(selected, manifest, call)[selected.feature_names],)


@_uses.register
def _(selected: OnDemandFeatureView, manifest: Manifest, call: str) -> Sequence[Use]:
    return (_applied_on_demand_view(selected, manifest, call)[selected.feature_names],)


@_uses.register
def _(selected: FeatureReference, manifest: Manifest, call: str) -> Sequence[Use]:
    view = _applied_view(selected.view, manifest, call)
    _require_features(view, selected.feature_names, call)
    return (replace(selected, view=view),)


@_uses.register
def _(selected: OnDemandReference, manifest: Manifest, call: str) -> Sequence[Use]:
    view = _applied_on_demand_view(selected.view, manifest, call)
    _require_features(view, selected.feature_names, call)
    return (replace(selected, view=view),)


def _use_of_service(service: FeatureService, feature: str, call: str) -> Use:
    """Return a service's use of a view, with one of its features only."""
    names = {
        use.prefix + name: (use, name) for use in service.references for name in use.feature_names
    }
    if feature not in names:
        raise NotFoundError(
            call,
            f"service {service.name!r} has no feature {feature!r}",
            f"{nearest(feature, names)} {_IF_NEW}",
        )
    use, name = names[feature]
    return use[(name,)]


def _applied_view(view: FeatureView, manifest: Manifest, call: str) -> FeatureView:
    applied = manifest.view(view.name)
    if applied is None:
        raise _not_found(manifest, view.name, "view", call)
    if _differ(_meaning, view, applied):
        raise _changed("view", view, call)
    return applied


def _applied_on_demand_view(
    view: OnDemandFeatureView, manifest: Manifest, call: str
) -> OnDemandFeatureView:
    applied = manifest.on_demand_view(view.name)
    if applied is None:
        raise _not_found(manifest, view.name, "on-demand view", call)
    if _differ(_meaning, view, applied):
        raise _changed("on-demand view", view, call)
    return applied


def _differ(meaning: Callable[[_T], object], passed: _T, applied: _T) -> bool:
    try:
        return meaning(passed) != meaning(applied)
    except DefinitionError:  # the code of the passed one cannot be read, so it was never applied
        return True


def _meaning_of_service(service: FeatureService) -> object:
    return [_meaning_of_use(use) for use in service.references]


def _meaning(view: FeatureView | OnDemandFeatureView) -> tuple[object, ...]:
    """Return the parts of a view that decide an answer, with its code and its source."""
    columns = tuple((column.name, column.dtype) for column in view.schema)
    if isinstance(view, OnDemandFeatureView):
        requests = tuple((each.name, each.dtype) for one in view.requests for each in one.schema)
        uses = tuple(_meaning_of_use(use) for use in view.uses)
        if isinstance(view.transform, Mapping):
            return columns, requests, uses, dict(view.transform)
        return columns, requests, uses, transform_fingerprint(view.transform)
    return table_fingerprint(view), columns, tuple(view.aggregations), view.ttl


def _meaning_of_use(use: Use) -> tuple[object, ...]:
    common = use.view.name, _meaning(use.view), tuple(use.feature_names), use.prefix
    if isinstance(use, OnDemandReference):
        return common
    return *common, tuple(use.join_keys), use.strict, use.timestamp_field


def _changed(
    kind: str, passed: FeatureService | FeatureView | OnDemandFeatureView, call: str
) -> RequestError:
    return RequestError(
        call,
        f"{kind} {passed.name!r} ({passed.origin}) is not the applied one",
        f"{_APPLY}, or pass its name {passed.name!r} for the applied one.",
    )


def _several(selected: str, call: str) -> NotFoundError:
    """Return the error for several names in one text."""
    names = [name.strip() for name in selected.split(",") if name.strip()]
    owner, colon, _ = names[0].partition(":") if names else ("", "", "")
    if colon:  # view:a,b
        names = [name if ":" in name else f"{owner}:{name}" for name in names]
    return NotFoundError(call, f"{selected!r} is one text", f"Pass a list: {names!r}.")


class _Owned(NamedTuple):
    """A feature of a view, or a column of a service."""

    kind: str
    owner: str
    name: str

    @property
    def selected(self) -> str:
        return f"{self.owner}:{self.name}"


def _features_named(manifest: Manifest, name: str) -> list[_Owned]:
    """Return the features that a name means which does not say, with a colon, whose they are.

    It is a feature's own name, or the name that Feast gives to it: ``view__feature``. The columns
    of services count where no view has such a feature: they may have a prefix.
    """
    views: tuple[FeatureView | OnDemandFeatureView, ...]
    views = (*manifest.views, *manifest.on_demand_views)
    of_views = [_Owned("view", view.name, each) for view in views for each in view.feature_names]
    of_services = [
        _Owned("service", service.name, use.prefix + each)
        for service in manifest.services
        for use in service.references
        for each in use.feature_names
    ]
    for owned in (of_views, of_services):
        meant = [each for each in owned if name in (each.name, f"{each.owner}__{each.name}")]
        if meant:
            return meant
    return []


def _without_owner(name: str, meant: Sequence[_Owned], call: str) -> NotFoundError:
    """Return the error for the name of a feature that does not say, with a colon, whose it is."""
    shown = meant[:_SHOWN]
    owners = ", ".join(repr(each.owner) for each in shown)
    more = f" and {len(meant) - _SHOWN} more" if len(meant) > _SHOWN else ""
    kind = meant[0].kind + "s" * (len(meant) > 1)
    return NotFoundError(
        call,
        f"no service or view {name!r} is applied; {meant[0].name!r} is a feature of {kind} "
        f"{owners}{more}",
        f"Write {' or '.join(repr(each.selected) for each in shown)}.",
    )


def _not_found(manifest: Manifest, name: str, kind: str, call: str) -> NotFoundError:
    names: list[str] = [each.name for each in manifest.views]
    names += [each.name for each in manifest.on_demand_views]
    names += [each.name for each in manifest.services if kind == "service"]
    other = ", and no view of that name" if kind == "service" else ""
    return NotFoundError(
        call,
        f"no {kind} {name!r} is applied{other}",
        f"{nearest(name, names)} {_IF_NEW}",
    )


def _require_features(
    view: FeatureView | OnDemandFeatureView, features: Sequence[str], call: str
) -> None:
    for name in features:
        if name not in view.feature_names:
            raise NotFoundError(
                call,
                f"view {view.name!r} has no feature {name!r}",
                f"{nearest(name, view.feature_names)} {_IF_NEW}",
            )


def _is_plain(use: Use) -> bool:
    return use == use.view[use.feature_names]


def _joined(first: Use, second: Use) -> list[Use]:
    if first.view.name != second.view.name:
        return [first, second]
    return [first.view[(*first.feature_names, *second.feature_names)]]


def _is_service(selected: Selected, manifest: Manifest) -> bool:
    if isinstance(selected, str):
        return manifest.service(selected) is not None
    return isinstance(selected, FeatureService)


def _needed(use: Use) -> list[str]:
    """Return the names of the views that a use needs, upstream views included."""
    if isinstance(use, OnDemandReference):
        inputs = [name for each in use.view.uses for name in _needed(each)]
        return [*inputs, use.view.name]
    upstream: list[str] = [view.name for view in reversed(use.view.lineage)]
    return [*upstream, use.view.name]
