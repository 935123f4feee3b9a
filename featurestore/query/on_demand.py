"""Compile a use of an on-demand view: its inputs, the columns with their values, its outputs."""

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
        use: The use, with chosen features and prefix.
        columns: The column of the engine's answer with the values of each stored input.
        features: The type of each stored input.
        time: The spine's time column.
    """
    view, transform = use.view, use.view.transform
    types = {column.name: column.dtype for column in view.schema}
    stored = [Input(name, column=columns[name], dtype=features[name]) for name in columns]
    requested = [
        Input(column.name, column=column.name, dtype=column.dtype, source=source.name)
        for source in view.requests
        for column in source.schema
    ]
    moment = Input(EVENT_TIME, column=time, dtype=Timestamp, source="")
    return OnDemand(
        view.name,
        inputs=(*stored, *requested, moment),
        outputs=tuple(Output(use.prefix + name, name, types[name]) for name in use.feature_names),
        declared=view.feature_names,
        transform=transform if isinstance(transform, Mapping | Code) else function_code(transform),
        origin=str(view.origin),
    )


def with_inputs(
    views: Sequence[ViewQuery], inputs: ViewQuery, owner: str
) -> tuple[list[ViewQuery], dict[str, str]]:
    """Return the uses of views, extended by the inputs of an on-demand view.

    An input that the request contains already is not read twice. Another input is added under a
    name that no feature can have.

    Args:
        views: The uses so far.
        inputs: The use whose features are inputs of the on-demand view.
        owner: The on-demand view's name.

    Returns:
        The uses, and the column of the engine's answer with the values of each input.

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
    bare = _bare(inputs)
    position = next((at for at, view in enumerate(views) if _bare(view) == bare), len(views))
    extended = views[position] if position < len(views) else bare
    columns = {}
    for feature in inputs.features:
        equal = [each for each in extended.features if _same_value(each, feature)]
        if not equal:
            hidden = replace(feature, output=f"{feature.output}, for {owner}")
            extended = _with_feature(extended, hidden)
            equal = [hidden]
        columns[feature.output] = equal[0].output
    return [*views[:position], extended, *views[position + 1 :]], columns


def _bare(view: ViewQuery) -> ViewQuery:
    """Return the use without features: equal uses answer from the same rows."""
    return replace(view, columns=(), aggregates=())


def _same_value(one: Column | Aggregate, other: Column | Aggregate) -> bool:
    # By text, because 0 == 0.0: empty=0 and empty=0.0 are different answers.
    return repr(replace(one, output="")) == repr(replace(other, output=""))


def _with_feature(view: ViewQuery, feature: Column | Aggregate) -> ViewQuery:
    if isinstance(feature, Column):
        return replace(view, columns=(*view.columns, feature))
    return replace(view, aggregates=(*view.aggregates, feature))
