"""The program ``featurestore``: its verbs, and what each failure means to a shell."""

import sys
import traceback
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated

import typer

from featurestore.cli import check, declare, explain, produce, read
from featurestore.cli.output import say
from featurestore.errors import FeatureStoreError

OUR_BUG = 70

app = typer.Typer(
    name="featurestore",
    help="A lakehouse feature store: declare, materialize, and ask for the value at any moment.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 1 a view failed or a check found something, 2 usage or "
    "definitions, 3 changes pending, 5 lock or stale plan, 70 a bug of ours, 130 interrupted.",
)


def print_version(wanted: bool) -> None:
    """Print the version and end, if that is wanted.

    Example:
        >>> print_version(False)
    """
    if wanted:
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
    """A lakehouse feature store: declare, materialize, and ask for the value at any moment."""


for module in (declare, produce, read, explain, check):
    module.add_verbs(app)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Args:
        args: The words after the program's name; the shell's by default.

    Exit codes: 0 done, 1 some view failed or a check found something, 2 usage or definitions,
    3 changes pending (with ``plan --detailed-exitcode``), 5 lock held or plan stale, 70 our bug,
    130 interrupted.
    """
    try:
        app(args)
    except FeatureStoreError as error:
        say("[bold red]error:[/] {}", str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("[bold]interrupted[/]")
        sys.exit(130)
    except Exception:  # noqa: BLE001  # the outermost edge: a shell needs a code and the trace
        traceback.print_exc()
        say("[bold red]This is a bug of featurestore.[/] Please report it with the text above.")
        sys.exit(OUR_BUG)
