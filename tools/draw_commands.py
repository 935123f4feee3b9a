"""Write the parts of docs/commands.md that derive from the program: its verbs and exit codes.

Run ``python -m tools.draw_commands`` after a change of featurestore/cli or of featurestore/errors:
a test fails until then. A new verb needs a heading and its two comments on the page first.
"""

import re
import sys
from pathlib import Path

import typer

from featurestore.cli.main import app
from featurestore.errors import FeatureStoreError
from tools.page_part import replace_part

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
TYPES = {"str": "text", "int": "whole number", "path": "path", "list[str]": "texts"}
_TYPE = re.compile(r" <(.*)>$")
_METAVAR = re.compile(r" ([A-Z]+(?: [A-Z]+)*)$")
_DEFAULT = re.compile(r" +\[(?:default: )?([^\[\]]*)\]$")


def main() -> str | None:
    """Write the page; return nothing, or why it cannot be done."""
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
    return None


def page(text: str) -> str:
    """Return the page with its generated parts written anew."""
    parts = {"verbs": verb_table(), "exit codes": exit_code_table()}
    for name, part in (parts | {name: verb_text(name) for name in verbs()}).items():
        text = replace_part(text, begin_of(name), f"\n{part}\n", end_of(name))
    return text


def begin_of(name: str) -> str:
    """Return the comment before a generated part."""
    return f"<!-- {name}: written by tools/draw_commands.py; change featurestore instead -->\n"


def end_of(name: str) -> str:
    """Return the comment after a generated part."""
    return f"<!-- end of {name} -->\n"


def verbs() -> list[str]:
    """Return the names of the program's verbs, in the order of its help."""
    return list(_commands())


def verb_table() -> str:
    """Return the verbs and their purposes as a Markdown table."""
    rows = []
    for name, command in _commands().items():
        purpose, _, _ = (command.help or "").partition("\n\n")
        rows.append((f"[`{name}`](#{name.replace(' ', '-')})", purpose))
    return _table(("Verb", "Purpose"), rows)


def verb_text(name: str) -> str:
    """Return a verb's purpose, usage, arguments and options as Markdown."""
    command = _commands()[name]
    context = typer.Context(command)
    purpose = " ".join((command.help or "").split())
    arguments = [_usage(each) for each in command.params if each.param_type_name == "argument"]
    usage = " ".join(["featurestore", name, *arguments, "[OPTIONS]"])
    rows = [_row(*record) for each in command.params if (record := each.get_help_record(context))]
    columns = ("Argument or option", "Type", "Default", "Meaning")
    return f"{purpose}\n\n```text\n{usage}\n```\n\n{_table(columns, rows)}"


def exit_code_table() -> str:
    """Return the exit codes, their meanings and the errors that have them."""
    meanings = (app.info.epilog or "").removeprefix("Exit codes: ").rstrip(".").split("; ")
    rows = []
    for code, _, meaning in (each.partition(" ") for each in meanings):
        errors = (f"`{kind.__name__}`" for kind in _error_classes() if kind.exit_code == int(code))
        rows.append((code, meaning, ", ".join(errors)))
    return _table(("Code", "Meaning", "Errors"), rows)


def _commands() -> dict[str, typer.core.TyperCommand]:
    """Return the verbs by their names; a verb of a group is named with it: ``schedule export``."""
    found: dict[str, typer.core.TyperCommand] = {}
    for name, command in _program().commands.items():
        members = getattr(command, "commands", None)
        named = (
            {f"{name} {m}": each for m, each in members.items()} if members else {name: command}
        )
        found |= named
    return found


def _program() -> typer.core.TyperGroup:
    program = typer.main.get_command(app)
    if not isinstance(program, typer.core.TyperGroup):
        raise TypeError(program)
    return program


def _usage(argument: typer.core.TyperArgument) -> str:
    name = str(argument.metavar) + ("..." if argument.nargs < 0 else "")
    return name if argument.required else f"[{name}]"


def _row(written: str, text: str) -> tuple[str, ...]:
    """Return the cells of one argument or option, from its two columns in the program's help."""
    # A metavar such as NAME stands for a text, and stays beside the option.
    kind, default = _TYPE.search(_METAVAR.sub(" <str>", written)), _DEFAULT.search(text)
    names = _TYPE.sub("", written).split(", ")
    shown = default[1].strip("()") if default else "off" if kind is None else "none"
    return (
        ", ".join(f"`{name}`" for name in names),
        "flag" if kind is None else _type_name(kind[1]),
        shown,
        _DEFAULT.sub("", text),
    )


def _type_name(text: str) -> str:
    choices = [f"`{choice}`" for choice in text.split("|")]
    return TYPES[text] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"


def _error_classes() -> list[type[FeatureStoreError]]:
    """Return the public classes of errors, each after its base class."""
    kinds: list[type[FeatureStoreError]] = [FeatureStoreError]
    for kind in kinds:
        # Without those that other modules keep for themselves, and have only once they are loaded.
        kinds.extend(k for k in kind.__subclasses__() if k.__module__ == kind.__module__)
    return kinds[1:]


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
