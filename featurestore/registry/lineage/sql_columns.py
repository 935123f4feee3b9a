"""The source's columns that each column of an SQL transform is made from, by a parser of SQL.

The columns of a Delta source are in no definition. So a query is read backwards: from a column of
its result to the expressions that make it, and through ``*`` to the column of the same name. Where
a name may stand for several columns, all of them count. A query that this module does not
understand whole gives no answer, never a part of one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from featurestore.definitions.code.sql import without_comments
from featurestore.quoting import spark_name
from featurestore.registry.lineage.projections import generates, names_of
from featurestore.registry.lineage.relations import (
    EMPTY,
    Columns,
    External,
    Generated,
    Relation,
    Renamed,
    Rows,
    UnknownQueryError,
)

if TYPE_CHECKING:
    from sqlglot import exp

_SOURCE = "__featurestore_source__"
# What a SELECT has besides its projections and relations; columns in any other part decide rows.
_RELATIONS = frozenset({"expressions", "from_", "joins", "laterals", "with_"})
_REFUSED = ("exclude", "kind", "operation_modifiers", "into")


@dataclass(frozen=True)
class SqlColumns:
    """What the columns of a query's result are made from, in the query's spelling.

    Args:
        values: For each column of the result, the source's columns in its expression.
        rows: The source's columns that decide which rows there are, such as those of ``WHERE``.
        mentioned: All columns of the source that the query names.
    """

    values: dict[str, Columns]
    rows: Columns
    mentioned: Columns


@lru_cache(maxsize=4096)  # PERF: 2 ms a query, and several pages ask for the same ones
def sql_columns(text: str, names: tuple[str, ...]) -> SqlColumns | None:
    """Return what columns of an SQL transform's result are made from; None if it is not known.

    Args:
        text: SQL of Spark that selects from ``{source}``.
        names: The columns of the result.

    Example:
        >>> found = sql_columns("SELECT *, cents / 100 AS euros FROM {source} WHERE ok",
        ...                     ("id", "euros"))
        >>> sorted(found.values["euros"]), sorted(found.values["id"]), sorted(found.rows)
        (['cents'], ['id'], ['ok'])
        >>> sql_columns("SELECT * FROM {source} UNPIVOT (v FOR n IN (a, b))", ("v",)) is None
        True
    """
    from sqlglot import parse_one  # noqa: PLC0415 - 0.2 s, which no read of features needs
    from sqlglot.errors import SqlglotError  # noqa: PLC0415 - as above

    query = without_comments(text).replace("{source}", spark_name(_SOURCE))
    try:
        parsed = cast("exp.Expression", parse_one(query, dialect="spark"))
        relation = _relation(parsed, _Scope({}, {}))
        values = {name: _made_from(relation, name) for name in names}
        rows, mentioned = relation.rows, relation.mentioned
    except (SqlglotError, UnknownQueryError, RecursionError):
        return None
    every = mentioned.union(rows, *values.values())
    return SqlColumns(values, rows, every)


def expression_columns(text: str) -> frozenset[str] | None:
    """Return the columns that an SQL expression of DuckDB names, in lower case; None if unknown.

    Example:
        >>> sorted(expression_columns("Price / nullif(amount_sum_7d, 0)"))
        ['amount_sum_7d', 'price']
        >>> expression_columns("price +") is None
        True
    """
    from sqlglot import exp, parse_one  # noqa: PLC0415 - as above
    from sqlglot.errors import SqlglotError  # noqa: PLC0415 - as above

    try:
        parsed = parse_one(text, dialect="duckdb")
    except (SqlglotError, RecursionError):
        return None
    if parsed.find(exp.Query, exp.Star) is not None:
        return None
    return frozenset(column.parts[0].name.lower() for column in parsed.find_all(exp.Column))


def _made_from(relation: Relation, name: str) -> Columns:
    if not relation.has(name):  # it may be of a function that gives its columns their names
        raise UnknownQueryError
    return relation.made_from(name)


@dataclass(frozen=True)
class _Scope:
    """The relations that a name may come from, and the common table expressions.

    Args:
        relations: The relations of a SELECT by their names in lower case.
        tables: The common table expressions by their names in lower case.
        outer: The scope around a subquery.
        aliases: What the projections so far are made from: others may name them.
        shared: The columns of USING, in lower case.
        hidden: The relations that only decide rows: those of SEMI and ANTI joins.
    """

    relations: dict[str, Relation]
    tables: dict[str, Relation]
    outer: "_Scope | None" = None
    aliases: dict[str, Columns] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    hidden: list[Relation] = field(default_factory=list)

    def column(self, column: "exp.Column") -> Columns:
        """Return what a column in an expression is made from."""
        first, *rest = (part.name for part in column.parts)
        scope: _Scope | None = self
        while rest and scope is not None:
            relation = scope.relations.get(first.lower())
            if relation is not None and relation.has(rest[0]):
                return relation.made_from(rest[0])
            scope = scope.outer
        return self.name(first)  # the column itself, or a struct with a field

    def name(self, name: str) -> Columns:
        """Return what a name without a relation is made from.

        Raises:
            UnknownQueryError: Nothing here has, or may have, such a column.
        """
        found = self._found(name)
        if found is None:
            raise UnknownQueryError
        return found

    def _found(self, name: str) -> Columns | None:
        having = [each for each in self.relations.values() if each.has(name)]
        made = [each.made_from(name) for each in having]
        # A relation with a list of columns that has the name: another would make it ambiguous.
        sure = [each.made_from(name) for each in having if not each.is_open]
        if sure and name.lower() not in self.shared:
            return EMPTY.union(*sure)
        if name.lower() in self.aliases:
            made.append(self.aliases[name.lower()])
        outer = None if self.outer is None else self.outer._found(name)
        if outer is not None:
            made.append(outer)
        return EMPTY.union(*made) if made else None

    def expression(self, expression: "exp.Expression") -> Columns:
        """Return what an expression is made from, with its subqueries."""
        from sqlglot import exp  # noqa: PLC0415 - as above

        found = EMPTY
        stack: list[exp.Expression] = [expression]
        while stack:
            node = stack.pop()
            if isinstance(node, exp.Query):
                inner = _relation(node, _Scope({}, self.tables, self))
                found |= inner.rows | inner.mentioned | inner.all_values()
            elif isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
                found |= self.column(node)
            elif isinstance(node, exp.Star | exp.Column):
                if not isinstance(node.parent, exp.Count):  # struct(*) and others
                    raise UnknownQueryError
            else:
                stack.extend(node.iter_expressions())
        return found


def _relation(node: "exp.Expression", scope: _Scope) -> Relation:
    """Return a query or a table as a relation.

    Args:
        node: What stands after FROM, or the whole query.
        scope: The scope around it, for common table expressions and correlated subqueries.
    """
    from sqlglot import exp  # noqa: PLC0415 - as above

    if node.args.get("pivots") or node.args.get("sample"):
        raise UnknownQueryError
    if isinstance(node, exp.Subquery):
        if not _has_only(node, {"this", "alias", "with_"}):
            raise UnknownQueryError
        return _relation(node.this, _with_tables(node, scope))
    if isinstance(node, exp.SetOperation):
        inner = _with_tables(node, scope)
        if not _has_only(node, {"this", "expression", "with_", "distinct"}):
            raise UnknownQueryError
        left, right = _relation(node.this, inner), _relation(node.expression, inner)
        both = Rows.of_both(left, right)
        if isinstance(node, exp.Union) and not node.args.get("distinct"):
            return both
        # Whole rows are compared: each value decides which rows stay.
        return replace(both, rows=both.rows | left.all_values() | right.all_values())
    if isinstance(node, exp.Select):
        return _selected(node, _with_tables(node, scope))
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        if node.name == _SOURCE:
            return Rows.of_source()
        return scope.tables.get(node.name.lower(), External()) if not node.db else External()
    raise UnknownQueryError


def _with_tables(node: "exp.Expression", scope: _Scope) -> _Scope:
    """Return the scope with the common table expressions of a query."""
    tables = dict(scope.tables)
    clause = node.args.get("with_")
    if clause is not None and clause.args.get("recursive"):
        raise UnknownQueryError
    for each in clause.expressions if clause is not None else ():
        relation = _relation(each.this, _Scope({}, tables, scope.outer))
        tables[each.alias.lower()] = _renamed(relation, each.args.get("alias"))
    return _Scope(scope.relations, tables, scope.outer)


def _selected(select: "exp.Select", around: _Scope) -> Relation:
    if any(select.args.get(name) for name in _REFUSED):
        raise UnknownQueryError
    scope = _Scope({}, around.tables, around.outer)
    rows = EMPTY.union(*_add_relations(select, scope))
    read = (*scope.relations.values(), *scope.tables.values(), *scope.hidden)
    mentioned = EMPTY.union(*(each.mentioned for each in read))
    if (where := select.args.get("where")) is not None:
        rows |= scope.expression(where)
    outputs = _Outputs(scope)
    for projection in select.expressions:
        outputs.add(projection)
    for name, part in select.args.items():  # these may name a projection, and WHERE may not
        if name not in _RELATIONS and name != "where":
            rows = rows.union(*(scope.expression(each) for each in _expressions(part)))
    rows |= outputs.generators
    mentioned = mentioned | rows | outputs.mentioned
    found = Rows(outputs.named, tuple(outputs.stars), rows, mentioned)
    if select.args.get("distinct") or select.args.get("group"):
        found = Rows(found.named, found.stars, rows | found.all_values(), found.mentioned)
    return found


def _add_relations(select: "exp.Select", scope: _Scope) -> Iterator[Columns]:
    """Add what a SELECT reads to its scope, and yield the columns that decide rows."""
    from sqlglot import exp  # noqa: PLC0415 - as above

    source = select.args.get("from_")
    joins = select.args.get("joins") or []
    for join in joins:
        if join.args.get("method"):  # NATURAL and ASOF: by columns that are not in the text
            raise UnknownQueryError
    read = [source.this] if source is not None else []
    for node in (*read, *(join.this for join in joins), *(select.args.get("laterals") or ())):
        if isinstance(node, exp.Lateral):
            made = scope.expression(node.this)
            names = [each.name for each in (node.args.get("alias") or exp.TableAlias()).columns]
            relation: Relation = Generated(made, frozenset(map(str.lower, names)))
            yield made
        else:
            # A subquery after FROM sees the relations around the query, not those beside it.
            relation = _renamed(
                _relation(node, _Scope({}, scope.tables, scope.outer)), node.args.get("alias")
            )
            yield relation.rows
        name = node.alias_or_name or str(len(scope.relations))
        if name.lower() in scope.relations:
            raise UnknownQueryError
        scope.relations[name.lower()] = relation
    for join in joins:
        if join.args.get("on") is not None:
            yield scope.expression(join.args["on"])
        scope.shared.update(column.name.lower() for column in join.args.get("using") or ())
        yield from (scope.name(column.name) for column in join.args.get("using") or ())
        if str(join.args.get("kind")).upper() in ("SEMI", "ANTI"):  # none of its columns is seen
            scope.hidden.append(scope.relations.pop(join.this.alias_or_name.lower()))


def _renamed(relation: Relation, alias: "exp.Expression | None") -> Relation:
    columns = [each.name for each in alias.args.get("columns") or ()] if alias is not None else []
    return Renamed.of(relation, columns) if columns else relation


class _Outputs:
    """The columns of a SELECT's result, collected from its projections."""

    def __init__(self, scope: _Scope) -> None:
        self._scope = scope
        self.named: list[tuple[str, Columns]] = []
        self.stars: list[tuple[Relation, frozenset[str]]] = []
        self.generators: Columns = EMPTY
        self.mentioned: Columns = EMPTY

    def add(self, projection: "exp.Expression") -> None:
        from sqlglot import exp  # noqa: PLC0415 - as above

        star = projection.this if isinstance(projection, exp.Column) else projection
        if isinstance(star, exp.Star):
            self._add_star(projection, star)
            return
        made = self._scope.expression(projection)
        names = names_of(projection)
        if generates(projection):
            self.generators |= made
            if not any(names):  # its columns have names that are not in the text
                self.stars.append((Generated(made), frozenset()))
        self.mentioned |= made
        self.named.extend((name, made) for name in names)
        aliases = self._scope.aliases  # a later expression may name an earlier one
        for low in map(str.lower, filter(None, names)):
            aliases[low] = aliases.get(low, EMPTY) | made

    def _add_star(self, projection: "exp.Expression", star: "exp.Star") -> None:
        from sqlglot import exp  # noqa: PLC0415 - as above

        if star.args.get("rename") or star.args.get("replace"):
            raise UnknownQueryError
        left_out = frozenset(each.name.lower() for each in star.args.get("except_") or ())
        for name in left_out:
            self.mentioned |= self._scope.name(name)  # Spark refuses an unknown name here
        relations = self._scope.relations
        if isinstance(projection, exp.Column):
            name = projection.parts[0].name.lower()
            if name in relations:
                self.stars.append((relations[name], left_out))
            else:  # the fields of a struct
                made = self._scope.name(projection.parts[0].name)
                self.mentioned |= made
                self.stars.append((Generated(made), left_out))
            return
        self.stars.extend((relation, left_out) for relation in relations.values())


def _expressions(part: object) -> Iterable["exp.Expression"]:
    from sqlglot import exp  # noqa: PLC0415 - as above

    parts = part if isinstance(part, list) else [part]
    return (each for each in parts if isinstance(each, exp.Expression))


def _has_only(node: "exp.Expression", names: set[str]) -> bool:
    return not any(part for name, part in node.args.items() if name not in names)
