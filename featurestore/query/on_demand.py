"""From the use of an on-demand view to a node: which columns it is computed from, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from featurestore.definitions.code.fingerprint import function_code
from featurestore.definitions.model.on_demand import OnDemandReference
from featurestore.definitions.model.types import DataType, Timestamp
from featurestore.definitions.model.view import Code
from featurestore.definitions.reserved import EVENT_TIME
from featurestore.query.nodes import Aggregate, Column, Input, OnDemand, Output, ViewQuery


def compile_on_demand(
    use: OnDemandReference, columns: Mapping[str, str], features: Mapping[str, DataType], time: str
) -> OnDemand:
    """Return the node for one use of an on-demand view.

    Args:
        use: The use, with selection and prefix.
        columns: By input, the engine's answer that holds it.
        features: By input, its type.
        time: The spine's time column.
    """
    view = use.view
    types = {column.name: column.dtype for column in view.schema}
    stored = [Input(name, column=columns[name], dtype=features[name]) for name in columns]
    given = [
        Input(column.name, column=column.name, dtype=column.dtype, source=source.name)
        for source in view.requests
        for column in source.schema
    ]
    moment = Input(EVENT_TIME, column=time, dtype=Timestamp, source="")
    written = view.transform
    return OnDemand(
        view.name,
        inputs=(*stored, *given, moment),
        outputs=tuple(Output(use.prefix + name, name, types[name]) for name in use.feature_names),
        declared=view.feature_names,
        transform=written if isinstance(written, Mapping | Code) else function_code(written),
        place=str(view.origin),
    )


def with_inputs(
    views: Sequence[ViewQuery], wanted: ViewQuery, owner: str
) -> tuple[list[ViewQuery], dict[str, str]]:
    """Return the uses of views with what an on-demand view needs, and where each input is.

    What is asked anyway is not read twice. What is not gets a name that no feature can have.

    Args:
        views: The uses so far.
        wanted: A use whose features are inputs, by their names there.
        owner: The on-demand view's name.

    Returns:
        The uses, and by input the column that the engine's answer will have for it.

    Example:
        >>> from featurestore.definitions.model.types import Float64
        >>> x = Column("x", "x", Float64)
        >>> use = ViewQuery("v", keys=(), timestamp_field="t", columns=(x,))
        >>> views, columns = with_inputs([], use, "shape")
        >>> views[0].outputs, columns
        (('x, for shape',), {'x': 'x, for shape'})
        >>> with_inputs([use], use, "shape")[1]
        {'x': 'x'}
    """
    found = list(views)
    place = next((at for at, view in enumerate(found) if _same_rows(view, wanted)), len(found))
    host = found[place] if place < len(found) else replace(wanted, columns=(), aggregates=())
    columns = {}
    for feature in wanted.features:
        known = [each for each in host.features if _same_value(each, feature)]
        if not known:
            hidden = replace(feature, output=f"{feature.output}, for {owner}")
            host = _with_feature(host, hidden)
            known = [hidden]
        columns[feature.output] = known[0].output
    return [*found[:place], host, *found[place + 1 :]], columns


def _same_rows(one: ViewQuery, other: ViewQuery) -> bool:
    bare = [replace(each, columns=(), aggregates=()) for each in (one, other)]
    return bare[0] == bare[1]


def _same_value(one: Column | Aggregate, other: Column | Aggregate) -> bool:
    # The type as well: an empty value of 0 equals one of 0.0.
    return repr(replace(one, output="")) == repr(replace(other, output=""))


def _with_feature(view: ViewQuery, feature: Column | Aggregate) -> ViewQuery:
    if isinstance(feature, Column):
        return replace(view, columns=(*view.columns, feature))
    return replace(view, aggregates=(*view.aggregates, feature))
