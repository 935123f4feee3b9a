"""Rules of on-demand views: existing inputs of different names; a transform of every feature."""

import sys
from collections.abc import Iterator, Mapping

from featurestore.definitions.code.provenance import home
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.view import Code
from featurestore.definitions.origin import Origin
from featurestore.definitions.reserved import EVENT_TIME
from featurestore.definitions.rules.issue import Issue, label
from featurestore.definitions.rules.services import (
    prefix_problem,
    renaming_problems,
    strictness_problems,
)
from featurestore.definitions.rules.transforms import clock_problem, function_problem
from featurestore.errors import nearest


def on_demand_views_are_not_empty(manifest: Manifest) -> Iterator[Issue]:
    """Yield on-demand views without features or sources, and request sources without columns."""
    for view in manifest.on_demand_views:
        if not view.schema:
            text = f"{label(view)} has no features. Add fields to schema=."
            yield Issue(view.origin, text)
        if not view.sources:
            text = f"{label(view)} has no sources. Add views, uses of views, or a RequestSource"
            yield Issue(view.origin, f"{text} to sources=.")
        for source in view.requests:
            if not source.schema:
                text = f"{label(source)} has no columns. Add fields to schema=."
                yield Issue(source.origin, text)


def inputs_exist(manifest: Manifest) -> Iterator[Issue]:
    """Yield inputs and renamed keys that a view among the sources does not have."""
    for view in manifest.on_demand_views:
        for use in view.uses:
            origin = _origin(view, use)
            if use.features == ():
                text = f"{label(view)} uses no feature of {label(use.view)}"
                yield Issue(origin, f"{text}. Name features, or remove [[]] for all of them.")
            for name in use.features or ():
                if name not in use.view.feature_names:
                    near = nearest(name, use.view.feature_names)
                    text = f"{label(view)}: {label(use.view)} has no feature {name!r}. {near}"
                    yield Issue(origin, text)
            problems = (
                *renaming_problems(use),
                *strictness_problems(use),
                prefix_problem(use.prefix),
            )
            for problem in filter(None, problems):
                yield Issue(origin, f"{label(view)}: {problem}")


def names_do_not_clash(manifest: Manifest) -> Iterator[Issue]:
    """Yield inputs whose name another input or the row's moment has, and features named alike."""
    for view in manifest.on_demand_views:
        first = {EVENT_TIME: "the row's moment"}
        for name, what, origin in _inputs(view):
            earlier = first.get(name.casefold())
            if earlier is not None:
                text = f"{label(view)}: {earlier} and {what} are both the input {name!r}"
                yield Issue(origin, f"{text}. Rename one, or use view.with_prefix('...').")
            first.setdefault(name.casefold(), what)
        for column in view.schema:
            earlier = first.get(column.name.casefold())
            if earlier is not None and column.name.casefold() != EVENT_TIME:
                text = f"feature {column.name!r} has the name of an input, {earlier}"
                yield Issue(column.origin, f"{label(view)}: {text}. Rename it.")


def expressions_fit_the_schema(manifest: Manifest) -> Iterator[Issue]:
    """Yield features without a SQL expression, and expressions without a feature."""
    for view in manifest.on_demand_views:
        if not isinstance(view.transform, Mapping):
            continue
        for name in view.feature_names:
            if name not in view.transform:
                text = f"{label(view)}: transform has no expression for feature {name!r}"
                yield Issue(view.origin, f"{text}. Add one: transform={{{name!r}: ...}}.")
        for name, expression in view.transform.items():
            if name not in view.feature_names:
                near = nearest(name, view.feature_names)
                text = f"{label(view)}: transform has {name!r}, which is not in schema=. {near}"
                yield Issue(view.origin, text)
            if not expression.strip():
                text = f"{label(view)}: the expression for {name!r} is empty"
                yield Issue(view.origin, f"{text}. Write a SQL expression over the inputs.")


def functions_can_be_imported(manifest: Manifest) -> Iterator[Issue]:
    """Yield functions that readers cannot import, or whose changes cannot be tracked."""
    for view in manifest.on_demand_views:
        if isinstance(view.transform, Mapping | Code):
            continue
        problem = function_problem(view.transform, "the table of inputs")
        if problem := problem or _import_problem(view.transform):
            yield Issue(view.origin, f"{label(view)}: transform {problem}")


def functions_do_not_read_the_clock(manifest: Manifest) -> Iterator[Issue]:
    """Yield functions that use the present time, which training and past rows do not have."""
    for view in manifest.on_demand_views:
        if name := clock_problem(view.transform):
            text = f"transform uses {name}, which is another moment than the row's"
            fix = (
                f"Use the input {EVENT_TIME!r}: the row's moment, which is now for latest values."
            )
            yield Issue(view.origin, f"{label(view)}: {text}. {fix}")


RULES = (
    on_demand_views_are_not_empty,
    inputs_exist,
    names_do_not_clash,
    expressions_fit_the_schema,
    functions_can_be_imported,
    functions_do_not_read_the_clock,
)


def _import_problem(function: object) -> str:
    """Return why ``from module import name`` would not import the function; ``""`` if it does."""
    module, name = str(getattr(function, "__module__", "")), getattr(function, "__name__", "")
    if home(module) == "python":
        text = f"{name!r} is declared in {module!r}, neither a module of the definitions nor of an"
        return f"{text} installed package. Declare it in a module of the definitions."
    if getattr(sys.modules.get(module), name, None) is not function:
        text = f"{name!r} is not the object that {module!r} has under that name"
        return f"{text}. Declare it by `def` at the top of the module."
    return ""


def _inputs(view: OnDemandFeatureView) -> Iterator[tuple[str, str, Origin]]:
    """Yield each input: its name, how messages name it, and the line to correct."""
    for use in view.uses:
        for name in use.feature_names:
            yield use.prefix + name, f"{use.view.name}:{name}", _origin(view, use)
    for source in view.requests:
        for column in source.schema:
            yield column.name, f"{column.name!r} of {label(source)}", column.origin


def _origin(view: OnDemandFeatureView, use: object) -> Origin:
    # A view itself among the sources has the origin of its declaration, not of its use.
    listed = [source for source in view.sources if source is use]
    return listed[0].origin if listed else view.origin
