"""On-demand views: known inputs of different names, and a transform for just their features."""

import sys
from collections.abc import Iterator, Mapping

from featurestore.definitions.code.provenance import home
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.view import Code
from featurestore.definitions.origin import Origin
from featurestore.definitions.reserved import EVENT_TIME
from featurestore.definitions.rules.issue import Issue, label
from featurestore.definitions.rules.names import is_plain
from featurestore.definitions.rules.services import renaming_problems, strictness_problems
from featurestore.definitions.rules.transforms import function_problem
from featurestore.errors import nearest


def on_demand_views_are_not_empty(manifest: Manifest) -> Iterator[Issue]:
    """Yield on-demand views without features, or without anything to compute them from."""
    for view in manifest.on_demand_views:
        if not view.schema:
            yield Issue(view.origin, f"{label(view)} has no features: give schema= some fields")
        if not view.sources:
            text = "has no sources: give it views, uses of views, or a RequestSource"
            yield Issue(view.origin, f"{label(view)} {text}")
        for source in view.requests:
            if not source.schema:
                yield Issue(source.origin, f"{label(source)} has no columns: give schema= fields")


def inputs_exist(manifest: Manifest) -> Iterator[Issue]:
    """Yield inputs, and renamed keys, that a view among the sources does not have."""
    for view in manifest.on_demand_views:
        for use in view.uses:
            place = _place(view, use)
            if use.features == ():
                yield Issue(place, f"{label(view)} takes no feature of {label(use.view)}")
            for name in use.features or ():
                if name not in use.view.feature_names:
                    near = nearest(name, use.view.feature_names)
                    text = f"{label(view)}: {label(use.view)} has no feature {name!r}. {near}"
                    yield Issue(place, text)
            for problem in (*renaming_problems(use), *strictness_problems(use)):
                yield Issue(place, f"{label(view)}: {problem}")
            if use.prefix and not is_plain(use.prefix):
                text = f"prefix {use.prefix!r} is not letters, digits and underscores"
                yield Issue(place, f"{label(view)}: {text}")


def names_do_not_clash(manifest: Manifest) -> Iterator[Issue]:
    """Yield inputs of one name, the moment's name among them, and features named like an input."""
    for view in manifest.on_demand_views:
        first = {EVENT_TIME: "the row's own moment"}
        for name, what, place in _inputs(view):
            known = first.get(name.casefold())
            if known is not None:
                text = f"{label(view)}: {known} and {what} are both the input {name!r}"
                yield Issue(place, f"{text}; rename one, or use view.with_prefix('...')")
            first.setdefault(name.casefold(), what)
        for column in view.schema:
            known = first.get(column.name.casefold())
            if known is not None and column.name.casefold() != EVENT_TIME:
                text = f"feature {column.name!r} has the name of an input, {known}; rename it"
                yield Issue(column.origin, f"{label(view)}: {text}")


def expressions_fit_the_schema(manifest: Manifest) -> Iterator[Issue]:
    """Yield features without a SQL expression, and expressions for no feature."""
    for view in manifest.on_demand_views:
        if not isinstance(view.transform, Mapping):
            continue
        for name in view.feature_names:
            if name not in view.transform:
                text = f"{label(view)}: transform has no expression for feature {name!r}"
                yield Issue(view.origin, text)
        for name, expression in view.transform.items():
            if name not in view.feature_names:
                near = nearest(name, view.feature_names)
                text = f"{label(view)}: transform has {name!r}, which the schema lacks. {near}"
                yield Issue(view.origin, text)
            if not expression.strip():
                text = f"{label(view)}: the expression for {name!r} is empty"
                yield Issue(view.origin, text)


def functions_can_be_imported(manifest: Manifest) -> Iterator[Issue]:
    """Yield functions that readers could not import, or whose changes could not be followed."""
    for view in manifest.on_demand_views:
        if isinstance(view.transform, Mapping | Code):
            continue
        problem = function_problem(view.transform, "the table of inputs")
        if problem := problem or _unreachable(view.transform):
            yield Issue(view.origin, f"{label(view)}: transform {problem}")


RULES = (
    on_demand_views_are_not_empty,
    inputs_exist,
    names_do_not_clash,
    expressions_fit_the_schema,
    functions_can_be_imported,
)


def _unreachable(function: object) -> str:
    """Return why ``from module import name`` would not give the function, or ``""``."""
    module, name = str(getattr(function, "__module__", "")), getattr(function, "__name__", "")
    if home(module) == "python":
        return f"{name!r} is of {module!r}, which is neither of the definitions nor of a package"
    if getattr(sys.modules.get(module), name, None) is not function:
        return f"{name!r} is not what {module!r} calls {name!r}: declare it at the module's top"
    return ""


def _inputs(view: OnDemandFeatureView) -> Iterator[tuple[str, str, Origin]]:
    """Yield each input's name, what it is, and where that stands."""
    for use in view.uses:
        for name in use.feature_names:
            yield use.prefix + name, f"{use.view.name}:{name}", _place(view, use)
    for source in view.requests:
        for column in source.schema:
            yield column.name, f"{column.name!r} of {label(source)}", column.origin


def _place(view: OnDemandFeatureView, use: object) -> Origin:
    # A view that stands among the sources as it is has no place of its own there.
    written = [source for source in view.sources if source is use]
    return written[0].origin if written else view.origin
