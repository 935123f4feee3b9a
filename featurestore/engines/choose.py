"""Which engine answers a call: the one in process, or Spark's tasks by scan or by shuffle."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from typing import Literal, overload

from featurestore.sizes import format_bytes, format_megabytes

EngineName = Literal["local", "scan", "shuffle"]

LOCAL_BYTES_PER_CORE = 16_000_000_000
"""The engine in process reads at most about so many bytes of files for each core.

It is a choice, not a measurement: below it, a cluster should gain less than the start of its
session takes.
"""


@dataclass(frozen=True)
class Unreadable:
    """A pinned table that a Spark task could not open.

    Args:
        view: The name of its view.
        uri: Its address.
        problem: The task's error.
        host: The name of the task's machine.
    """

    view: str
    _: KW_ONLY
    uri: str
    problem: str
    host: str


@dataclass(frozen=True)
class Work:
    """The size of a call.

    Args:
        spine_rows: The number of spine rows; None if they are in Spark.
        needed_memory: The bytes that the engine in process needs for the spine, its answers and
            one chunk; 0 if the spine is in Spark.
        stored_rows: The rows of the pinned tables.
        stored_bytes: The bytes of their files.
        without_table: The views that have no table. Their rows come from their sources.
    """

    spine_rows: int | None
    _: KW_ONLY
    needed_memory: int
    stored_rows: int
    stored_bytes: int
    without_table: tuple[str, ...] = ()


@dataclass(frozen=True)
class Machine:
    """What the engine in process may use.

    Args:
        cores: The number of cores.
        memory_limit: In bytes; None for no limit.
        available: The bytes that the machine has left; None if it is not known.
    """

    cores: int
    memory_limit: int | None = None
    available: int | None = None

    @property
    def memory(self) -> int | None:
        """The bytes that a call may use: the limit, or what is left without one."""
        return self.available if self.memory_limit is None else self.memory_limit


@dataclass(frozen=True)
class Undecided:
    """A call for which a probe of Spark's executors may have to choose the engine.

    Args:
        work: The size of the call.
        machine: What the engine in process may use; None if the caller wants Spark.
    """

    work: Work
    machine: Machine | None


@dataclass(frozen=True)
class Choice:
    """An engine, and why.

    Args:
        engine: The engine.
        reason: Why, as a sentence without a full stop.
        work: The size of the call; None if the caller named the engine.
        unreadable: The tables that the probe could not open.
    """

    engine: EngineName
    reason: str
    work: Work | None = None
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def facts(self) -> dict[str, object]:
        """The sizes of the call and the probe's result, as plain data."""
        sizes = {} if self.work is None else asdict(self.work)
        return sizes | {"unreadable": [asdict(each) for each in self.unreadable]}


@overload
def choose(work: Work, machine: Machine | None) -> Choice | None: ...


@overload
def choose(work: Work, machine: Machine | None, unreadable: Sequence[Unreadable]) -> Choice: ...


def choose(
    work: Work, machine: Machine | None, unreadable: Sequence[Unreadable] | None = None
) -> Choice | None:
    """Return the engine for a call, and why; None if a probe of the executors must decide.

    Args:
        work: The size of the call.
        machine: What the engine in process may use; None if the caller wants Spark.
        unreadable: The tables that the probe could not open; None before the probe.

    Example:
        >>> work = Work(1000, needed_memory=10**6, stored_rows=10**6, stored_bytes=10**7)
        >>> choose(work, Machine(2, 10**9)).engine
        'local'
        >>> spark = Work(None, needed_memory=0, stored_rows=10**6, stored_bytes=10**7)
        >>> choose(spark, Machine(2, 10**9)), choose(spark, Machine(2, 10**9), ()).engine
        (None, 'scan')
    """
    if work.without_table:
        return Choice("shuffle", _no_table(work.without_table), work)
    too_much = "engine='spark' was passed" if machine is None else _too_much(work, machine)
    if machine is not None and too_much is None:
        return Choice("local", _fits(work, machine), work)
    if unreadable is None:
        return None
    if not unreadable:
        return Choice("scan", f"{too_much}, and the executors can read the tables", work)
    return Choice("shuffle", f"{too_much}, and {_failure(unreadable)}", work, tuple(unreadable))


def _too_much(work: Work, machine: Machine) -> str | None:
    """Return why the engine in process shall not answer; None if it shall."""
    if work.spine_rows is None:
        return "the spine is in Spark"
    if machine.memory is not None and work.needed_memory > machine.memory:
        return (
            f"the {work.spine_rows:,} spine rows and their answers need "
            f"{format_megabytes(work.needed_memory)}, and {_memory(machine, machine.memory)}"
        )
    most = machine.cores * LOCAL_BYTES_PER_CORE
    if work.stored_bytes > most:
        return (
            f"the tables have {format_megabytes(work.stored_bytes)}, more than the "
            f"{format_megabytes(most)} that {_cores(machine.cores)} may read in process"
        )
    return None


def _fits(work: Work, machine: Machine) -> str:
    return (
        f"{work.spine_rows:,} spine rows and {format_megabytes(work.stored_bytes)} of tables are "
        f"work for one process with {_cores(machine.cores)}"
    )


def _memory(machine: Machine, memory: int) -> str:
    if machine.memory_limit is None:
        return f"this machine has {format_megabytes(memory)} left"
    return f"memory_limit is {format_bytes(memory)}"


def _cores(cores: int) -> str:
    return "1 core" if cores == 1 else f"{cores} cores"


def _no_table(views: Sequence[str]) -> str:
    listed = ", ".join(map(repr, views))
    if len(views) == 1:
        return f"view {listed} has no table, so Spark computes its rows from its source"
    return f"views {listed} have no table, so Spark computes their rows from their sources"


def _failure(unreadable: Sequence[Unreadable]) -> str:
    first = unreadable[0]
    others = f", nor {len(unreadable) - 1} more" if len(unreadable) > 1 else ""
    return (
        f"the executor on {first.host} cannot read the table of view {first.view!r}{others}: "
        f"{first.problem}"
    )
