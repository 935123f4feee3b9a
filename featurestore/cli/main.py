"""The program ``featurestore``: its verbs, and the exit code of each kind of failure."""

import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from typer.core import TyperGroup

from featurestore.cli import check, declare, explain, produce, read
from featurestore.cli.catalog import impact, lint, listing, mcp, training_sets
from featurestore.cli.operations import (
    docs,
    doctor,
    imports,
    maintain,
    monitor,
    quarantine,
    schedule,
    setup,
)
from featurestore.cli.options import add_environment_option
from featurestore.cli.output import say
from featurestore.credentials import without_credentials
from featurestore.errors import FeatureStoreError

INTERNAL_ERROR = 70


class Program(TyperGroup):
    """The program. Its messages on wrong usage repeat arguments, which may have credentials."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:  # Any: Typer's own types are private
        """Parse the program's own options."""
        with _usage_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Parse a verb's arguments, and run it."""
        with _usage_errors():
            return super().invoke(ctx)


@contextmanager
def _usage_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # Typer does not export the class that has one. In other errors it may be read only.
        message = vars(error).get("message")
        if isinstance(message, str):
            error.message = without_credentials(message)  # type: ignore[attr-defined]  # see above
        raise


app = typer.Typer(
    name="featurestore",
    cls=Program,
    help="A lakehouse feature store: feature values that are correct at each moment.\n\n"
    "To start: featurestore init my_project",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 success; 1 a view failed, verify, doctor, monitor or lint found a "
    "problem, apply was not confirmed, or a source, a table or a value cannot be used; 2 wrong "
    "usage, project, definitions or spine, or a program or package is missing; 3 the plan has "
    "changes (plan --detailed-exitcode); 4 the expectations of a view stopped its run; 5 another "
    "process is changing the store, or the plan is outdated; "
    "70 a bug in featurestore; 130 interrupted.",
)


def print_version(is_set: bool) -> None:
    """Print the version and end, if the option is set.

    Example:
        >>> print_version(False)
    """
    if is_set:
        typer.echo(f"featurestore {metadata.version('featurestore')}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Run before each verb, for the options of the program itself."""


_SHOW_WARNING = warnings.showwarning

for module in (
    *(declare, produce, maintain, doctor, monitor, setup),
    *(listing, read, explain, check, lint, impact, training_sets, mcp),
    *(schedule, quarantine, docs, imports),
):
    module.add_verbs(app)
add_environment_option(app)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Args:
        args: The arguments after the program's name. None for those of the shell.

    Exit codes: those of the program's help, which docs/commands.md lists with their errors.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal may not know every letter
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = _say_warning
    try:
        try:
            app(args)
        finally:
            sys.stdout.flush()
    except FeatureStoreError as error:
        say("[bold red]error:[/] {}", str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("[bold]interrupted[/]")
        sys.exit(130)
    except OSError as error:
        _say_system_error(error)
        sys.exit(FeatureStoreError.exit_code)
    except Exception:  # noqa: BLE001  # the outermost edge: a shell needs a code and the trace
        sys.stderr.write(without_credentials(traceback.format_exc()))
        say("[bold red]This is a bug in featurestore.[/] Please report it with the text above.")
        sys.exit(INTERNAL_ERROR)


def _say_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning of ours for a person, without the place in the code that raised it."""
    if issubclass(category, UserWarning):
        say("[yellow]warning:[/] {}.", str(message))
    else:
        _SHOW_WARNING(message, category, filename, lineno, file, line)


def _say_system_error(error: OSError) -> None:
    """Say what the operating system refused: a bad path or a full disk is no bug."""
    try:
        sys.stdout.flush()
    except OSError:
        # What is left in the buffer cannot be written at the end of the process either.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
    if isinstance(error, BrokenPipeError):
        return
    if (refused := _refused_by_object_store(error)) is not None:
        say("[bold red]error:[/] {}. {}", refused.found, refused.fix)
        return
    what = error.strerror or str(error)
    where = f": {error.filename}" if error.filename else ""
    hint = "Check the path, its permissions, and the space on its disk."
    # The other stream may be the one that cannot be written.
    with suppress(OSError):
        say("[bold red]error:[/] {}{}. {}", what, where, hint)


def _refused_by_object_store(error: OSError) -> FeatureStoreError | None:
    if error.errno is not None:  # the system's own: no library of object stores gives a number
        return None
    # PERF: it imports delta-rs, which most verbs do later or never.
    from featurestore.store.failures import object_store_error

    return object_store_error(error, "featurestore")
