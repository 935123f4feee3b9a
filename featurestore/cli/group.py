"""Verbs under a common name, such as ``featurestore docs build``."""

from collections.abc import Callable, Mapping

import typer


def add_group(
    app: typer.Typer, name: str, help_text: str, verbs: Mapping[str, Callable[..., None]]
) -> None:
    """Add a group of verbs to the program. Without a verb, it prints its help.

    Args:
        app: The program.
        name: The group's name.
        help_text: What its verbs do, as a sentence.
        verbs: The function of each verb, by the verb's name.

    Example:
        >>> add_group(typer.Typer(), "docs", "Write the registry as a website.", {})
    """
    group = typer.Typer(help=help_text, no_args_is_help=True, rich_markup_mode=None)
    group.callback()(lambda: None)  # so that an only verb keeps its name
    for verb, function in verbs.items():
        group.command(verb)(function)
    app.add_typer(group, name=name)
