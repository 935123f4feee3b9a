"""UDFs at the top level of modules: declared in the same way whether Spark runs or not.

PySpark parses a type such as ``"double"`` with Spark, as soon as a UDF is declared, and lets the
running session choose how the UDF is evaluated. Definitions are loaded with and without Spark. So
the type waits until the UDF is used, and the evaluation is the one without a session.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from threading import local
from types import ModuleType
from typing import Any

_MODULE = "pyspark.sql.udf"
_loading = local()


@contextmanager
def udfs_without_spark() -> Iterator[None]:
    """Declare UDFs as if no Spark were running, in this thread and context."""
    module = sys.modules.get(_MODULE)
    if module is not None and not hasattr(module, "__waits_for_spark__"):
        _change(module)
    _loading.active = True
    try:
        yield
    finally:
        _loading.active = False


class UdfFinder(MetaPathFinder):
    """Finds PySpark's module of UDFs, and changes it when it is imported.

    Example:
        >>> UdfFinder().find_spec("json", None) is None
        True
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of PySpark's module of UDFs; None for any other module."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname == _MODULE else None
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _UdfLoader(fullname, spec.loader.path)
        return spec


class _UdfLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        _change(module)


def _change(module: ModuleType) -> None:
    udf, kinds, create = module.UserDefinedFunction, module.PythonEvalType, module._create_py_udf
    parsed = udf.returnType.fget

    def return_type(self: Any) -> Any:
        text = self._returnType
        return text if isinstance(text, str) and not _spark_runs() else parsed(self)

    def create_udf(f: Any, returnType: Any, useArrow: bool | None = None) -> Any:  # noqa: N803 - its names
        made = create(f=f, returnType=returnType, useArrow=useArrow)
        by_session = useArrow is None and made.evalType == kinds.SQL_ARROW_BATCHED_UDF
        if by_session and getattr(_loading, "active", False):
            return module._create_udf(f, returnType, kinds.SQL_BATCHED_UDF)
        return made

    udf.returnType = property(return_type)
    for user in (module, sys.modules.get("pyspark.sql.functions.builtin")):
        if user is not None and hasattr(user, "_create_py_udf"):
            vars(user)["_create_py_udf"] = create_udf
    vars(module)["__waits_for_spark__"] = True


def _spark_runs() -> bool:
    context = getattr(sys.modules.get("pyspark"), "SparkContext", None)
    return getattr(context, "_active_spark_context", None) is not None
