"""Feast's on-demand feature views as ours: its functions of pandas frames or dicts stay."""

from collections.abc import Mapping
from typing import Any

from featurestore.integrations.feast.translation.columns import Record, about, dtype
from featurestore.integrations.feast.translation.context import Context, View
from featurestore.integrations.feast.translation.function_text import (
    FunctionText,
    are_one,
    function_text,
)
from featurestore.integrations.feast.translation.names import TAKEN, plain
from featurestore.integrations.feast.translation.python_text import Call, Code, text, written
from featurestore.integrations.feast.translation.uses import use

_ARROW: Mapping[str, str] = {
    "fs.Int32": "pa.int32()",
    "fs.Int64": "pa.int64()",
    "fs.Float32": "pa.float32()",
    "fs.Float64": "pa.float64()",
    "fs.Boolean": "pa.bool_()",
    "fs.String": "pa.string()",
    "fs.Binary": "pa.binary()",
    "fs.Timestamp": 'pa.timestamp("us", "UTC")',
}
_INPUTS = (
    "The function gets its inputs and event_timestamp only. Feast gives it all columns of the "
    "training set."
)


def reserve_names(context: Context) -> None:
    """Keep the names that functions of on-demand views need: no definition may have them."""
    for view in context.records("on_demand_views"):
        function = view["function"]
        if function is not None and function["text"]:
            taken = _function_text(context, view, "function")
            if isinstance(taken, FunctionText):
                context.names.variables.update(taken.imports, taken.others)


def write_on_demand_views(context: Context) -> None:
    """Write each on-demand view whose function and inputs can be taken over."""
    for view in context.records("on_demand_views"):
        subject = f"on-demand view {view['name']}"
        problem = _problem(context, view) or _write(context, subject, view)
        if problem:
            context.notes.left_out(subject, problem[0].upper() + problem[1:])


def _problem(context: Context, view: Record) -> str:
    """Return why a view cannot be written, without a look at its function."""
    missing = [each["view"] for each in view["uses"] if each["view"] not in context.views]
    function = view["function"]
    if missing:
        return f"its input {', '.join(missing)} is left out."
    if view["aggregations"]:
        return "it has aggregations. Declare a feature view with aggregations=."
    if function is None or view["mode"] not in ("pandas", "python") or not function["text"]:
        return f"its transformation is no function in Python (mode {view['mode']!r})."
    names = [name.casefold() for name in _inputs(context, view).values()]
    features = [plain(each["name"]).casefold() for each in view["features"]]
    twice = {name for name in names if names.count(name) > 1} | set(names) & set(features)
    if twice:
        return f"{min(twice)!r} would be the name of two inputs, or of an input and a feature."
    for feast, ours in _inputs(context, view).items():
        if feast != ours and _mentions(function["text"], feast):
            return f"the function uses {feast!r}, which is {ours!r} here."
    for each in view["uses"]:
        for name in each["features"]:
            is_left_out = name not in context.views[each["view"]].features
            full = f"{each['alias'] or each['view']}__{name}"
            if _mentions(function["text"], full) or (
                is_left_out and _mentions(function["text"], name)
            ):
                return f"the function uses {name!r} of {each['view']!r}, which is not an input."
    types = [dtype(each["type"]) for each in view["features"]]
    untyped = [
        each["name"]
        for each, kind in zip(view["features"], types, strict=True)
        if kind not in _ARROW or plain(each["name"]) != each["name"]
    ]
    return f"there is no type for its feature {untyped[0]!r}." if untyped else ""


def _write(context: Context, subject: str, view: Record) -> str:
    """Write a view and its functions; return why it cannot be written."""
    own = context.names.variable(f"{view['name']}_{view['mode']}", "function")
    taken = _function_text(context, view, own)
    problem = taken if isinstance(taken, str) else _clash(context, taken)
    if isinstance(taken, str) or problem:
        return f"its function {view['function']['name']!r} cannot be taken over: {problem}"
    sources = [use(context, each) for each in view["uses"]]
    sources += [Code(_request(context, each)) for each in view["requests"]]
    if view["stored_online"]:
        context.notes.left_out(subject, "write_to_online_store: nothing is stored for it.")
    context.notes.changed(subject, _INPUTS)
    wrapper = context.names.variable(f"compute_{view['name']}", "function")
    _write_functions(context, taken, _wrapper(wrapper, own, view))
    variable = context.names.variable(view["name"], "on_demand")
    name = context.name("view", subject, view["name"])
    features = {each["name"]: each["name"] for each in view["features"]}
    context.views[view["name"]] = View(
        variable, features=features, keys=_spine_columns(context, view)
    )
    arguments: dict[str, Any] = {
        "sources": sources,
        "schema": [_field(each) for each in view["features"]],
        "transform": Code(wrapper),
        **about(view),
    }
    context.write(subject, variable, Call("fs.OnDemandFeatureView", (name,), arguments))
    return ""


def _function_text(context: Context, view: Record, own: str) -> FunctionText | str:
    """Return a view's function under another name, or why it cannot be taken over."""
    function = view["function"]
    module = context.repository["modules"].get(function["module"], "")
    local = context.repository.get("local_modules", ())
    return function_text(function["text"], own, module, local)


def _clash(context: Context, taken: FunctionText) -> str:
    """Return which name would have two meanings in the module that is written; ``""`` if none."""
    for name, statement in {**taken.imports, **taken.others}.items():
        earlier = context.functions.get(name)
        if earlier is None and name in TAKEN:
            return f"it uses {name!r}, and its module gives this name of Python another meaning."
        if earlier is not None and not are_one((earlier, statement)):
            return f"it uses {name!r}, which has another meaning in what is written already."
    return ""


def _field(feature: Record) -> Call:
    described = {"description": feature["description"]}
    return Call("fs.Field", (feature["name"], Code(str(dtype(feature["type"])))), described)


def _inputs(context: Context, view: Record) -> dict[str, str]:
    """Return our names of the inputs, by Feast's."""
    found = {}
    for each in view["uses"]:
        known = context.views[each["view"]].features
        found.update({name: known[name] for name in each["features"] if name in known})
    for request in view["requests"]:
        found.update({each["name"]: plain(each["name"]) for each in request["schema"]})
    return found


def _spine_columns(context: Context, view: Record) -> tuple[str, ...]:
    """Return the columns that the spine must have: request values, and keys of the inputs."""
    requests = [plain(each["name"]) for request in view["requests"] for each in request["schema"]]
    keys = [
        each["join_keys"].get(key, key)
        for each in view["uses"]
        for key in context.views[each["view"]].keys
    ]
    return *requests, *keys


def _mentions(function: str, name: str) -> bool:
    return f'"{name}"' in function or f"'{name}'" in function


def _request(context: Context, request: Record) -> str:
    """Write the source of request values, unless it is written already; return its variable."""
    name = request["name"]
    if name not in context.sources:
        subject = f"request source {name}"
        variable = context.names.variable(name, "request")
        context.sources[name] = variable
        schema = [
            Call("fs.Field", (plain(each["name"]), Code(str(dtype(each["type"])))))
            for each in request["schema"]
        ]
        own = context.name("source", subject, name)
        call = Call("fs.RequestSource", (own,), {"schema": schema, **about(request)})
        context.write(subject, variable, call)
    return context.sources[name]


def _write_functions(context: Context, taken: FunctionText, wrapper: str) -> None:
    context.imports.add(context.functions["pa"])
    for name, statement in taken.imports.items():
        context.functions.setdefault(name, statement)
        context.imports.update(statement.split("\n"))
    for name, statement in taken.others.items():
        context.functions.setdefault(name, statement)
        if statement not in context.blocks:  # one statement may give several names
            context.blocks.append(statement)
    context.blocks += [taken.text, wrapper]


def _wrapper(name: str, own: str, view: Record) -> str:
    """Return a function of an Arrow table that calls Feast's function."""
    if view["mode"] == "pandas":
        made, column = f"frame = {own}(inputs.to_pandas())", "frame[{name}]"
    elif view["singleton"]:
        made = f"rows = [{own}(row) for row in inputs.to_pylist()]"
        column = "[row[{name}] for row in rows]"
    else:
        made, column = f"columns = {own}(inputs.to_pydict())", "columns[{name}]"
    arrays = {
        each["name"]: Call(
            "pa.array",
            (Code(column.format(name=text(each["name"]))), Code(_ARROW[str(dtype(each["type"]))])),
            {"from_pandas": Code("True")},
        )
        for each in view["features"]
    }
    returned = written(arrays, 1, len("    return "))
    return (
        f"def {name}(inputs: pa.Table) -> dict[str, pa.Array]:\n"
        f'    """Call Feast\'s function, and return its columns; NaN of a frame is null."""\n'
        f"    {made}\n"
        f"    return {returned}"
    )
