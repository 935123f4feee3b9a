"""The project's code sent to Spark's workers with its contents, not as names to import there.

A worker that imports a module finds whatever file is there: none, another project's, or an older
text that it has imported before. What runs on workers must be what the fingerprint names.
"""

import copyreg
import dis
import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.util import resolve_name
from pickle import PicklingError
from threading import local
from types import CodeType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from pyspark import cloudpickle
from pyspark.sql.udf import UserDefinedFunction

from featurestore.definitions.code.provenance import home, is_library_file
from featurestore.engines.spark.transform import worker_modules
from featurestore.engines.spark.transform.unsendable import sent_value, unsendable
from featurestore.errors import MaterializationError

_Reduced = Any  # what `object.__reduce__` returns
_Reducer = Callable[[Any], _Reduced]

# Python sets these for each module itself, or they lead back to files.
_OWN = frozenset({"__builtins__", "__loader__", "__spec__", "__cached__", "__path__"})
_CACHED: type = type(functools.lru_cache(len))
_known: set[str] = set()
_probing = local()


def send_project_by_value() -> None:
    """Let Spark send functions, classes and modules of the project with their contents.

    It covers all modules of the project that are imported now. It holds for the whole process.
    """
    if worker_modules.__name__ not in _known:
        _known.add(worker_modules.__name__)
        cloudpickle.register_pickle_by_value(worker_modules)  # type: ignore[no-untyped-call]
        copyreg.pickle(UserDefinedFunction, _reduce_udf)
        copyreg.pickle(_CACHED, _reduce_cached)
        _replace_reducers()
    tops = {name.partition(".")[0] for name in list(sys.modules)} - _known
    for top in tops - {"__main__"}:
        module = sys.modules.get(top)
        if module is not None and home(top) == "project" and module.__name__ in sys.modules:
            cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]
            _known.add(top)


def unsent_error(call: str, error: PicklingError) -> MaterializationError:
    """Return the error for a function that PySpark could not send to its workers.

    Args:
        call: The operation for the message.
        error: PySpark's exception.
    """
    problem = unsendable(sent_value(error.__traceback__), can_be_sent)
    if problem is None or problem.code is None:
        found = f"a function that it uses cannot be sent to Spark's workers: {error}"
        return MaterializationError(call, found, "Create in the function what it uses.")
    found, fix = worker_modules.unsent_problem(problem.code, problem.name, problem.kind)
    return MaterializationError(call, found, fix)


def _replace_reducers() -> None:
    # cloudpickle would send a module of a project by its name, or fail on a module that refers to
    # itself; and it does not send the modules that code imports only when it runs.
    table = cloudpickle.CloudPickler.dispatch_table
    reducers: dict[type, _Reducer] = {
        ModuleType: _module_reducer(table[ModuleType]),
        CodeType: _code_reducer(table[CodeType]),
        functools.cached_property: _reduce_cached_property,
        WeakKeyDictionary: _reduce_weak,
        WeakValueDictionary: _reduce_weak,
    }
    cloudpickle.CloudPickler.dispatch_table = table.new_child(reducers)


def _reduce_udf(udf: UserDefinedFunction) -> _Reduced:
    # Without what Spark adds to it at its first use, which no worker can have.
    parts = (udf.func, udf._returnType, udf._name, udf.evalType, udf.deterministic)
    return UserDefinedFunction, parts


def _reduce_cached(cached: Any) -> _Reduced:
    if str(cached.__module__).partition(".")[0] in _known:
        return worker_modules.cached_function, (cached.__wrapped__, cached.cache_parameters())
    return cached.__reduce__()


def _reduce_cached_property(cached: "functools.cached_property[Any]") -> _Reduced:
    name = {"attrname": cached.attrname, "__doc__": cached.__doc__}
    return worker_modules.cached_property_of, (cached.func,), name


def _reduce_weak(items: Any) -> _Reduced:
    return worker_modules.weak_dictionary, (type(items), dict(items))


def _module_reducer(reduce: _Reducer) -> _Reducer:
    def reduced(module: ModuleType) -> _Reduced:
        if not _is_sent(module):
            return reduce(module)
        shell = (worker_modules.empty_module, (module.__name__,))
        if getattr(_probing, "active", False):
            return shell
        return (*shell, _state(module), None, None, worker_modules.fill_module)

    return reduced


def _code_reducer(reduce: _Reducer) -> _Reducer:
    def reduced(code: CodeType) -> _Reduced:
        modules = dict(_imported_modules(code))
        if not modules:
            return reduce(code)
        _, parts = reduce(code)
        return worker_modules.code_with_modules, (modules, *parts)

    return reduced


def _is_sent(module: ModuleType) -> bool:
    return module.__name__.partition(".")[0] in _known


def _state(module: ModuleType) -> tuple[Mapping[str, object], Mapping[str, str]]:
    """Return a module's contents, and what cannot be sent of it, such as a lock or a session."""
    own = {name: value for name, value in vars(module).items() if name not in _OWN}
    problems = {name: unsendable(value, can_be_sent) for name, value in own.items()}
    sent = {name: value for name, value in own.items() if problems[name] is None}
    return sent, {name: problem.text for name, problem in problems.items() if problem is not None}


def can_be_sent(value: object) -> bool:
    """Return whether a value can be sent to Spark's workers.

    Example:
        >>> can_be_sent({"rate": 2})
        True
    """
    if isinstance(value, ModuleType):
        return True
    _probing.active = True
    try:
        cloudpickle.dumps(value)  # type: ignore[no-untyped-call]
    except (PicklingError, TypeError, AttributeError, ValueError, RecursionError, RuntimeError):
        return False
    finally:
        _probing.active = False
    return True


def _imported_modules(code: CodeType) -> Iterator[tuple[str, ModuleType]]:
    """Yield the project's modules that code imports when it runs, by the names that it uses."""
    if "IMPORT_NAME" not in {each.opname for each in dis.get_instructions(code)}:
        return
    if is_library_file(code.co_filename):
        return
    constants: list[Any] = []
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            level, names = constants[-2:]
            yield from _modules_of(code, str(instruction.argval), level, names or ())
        elif instruction.opname.startswith("LOAD_"):
            constants.append(instruction.argval)


def _modules_of(
    code: CodeType, name: str, level: int, names: tuple[str, ...]
) -> Iterator[tuple[str, ModuleType]]:
    absolute = resolve_name("." * level + name, _package_of(code)) if level else name
    if absolute.partition(".")[0] not in _known:
        return
    parts = absolute.split(".")
    packages = [".".join(parts[: count + 1]) for count in range(len(parts))]
    for each in (*packages, *(f"{absolute}.{name}" for name in names)):
        module = sys.modules.get(each)
        if module is not None:
            yield each, module


def _package_of(code: CodeType) -> str:
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) == code.co_filename:
            return str(module.__package__)
    return ""
