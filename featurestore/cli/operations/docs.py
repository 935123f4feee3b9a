"""The verbs `docs build`, `docs serve` and `docs compare`. They start no JVM."""

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.group import add_group
from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import print_json, print_tree, say
from featurestore.times import system_clock

if TYPE_CHECKING:
    from featurestore.site.comparison import FieldDifference


def add_verbs(app: typer.Typer) -> None:
    """Add these verbs to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    text = "Write the registry as a website."
    add_group(app, "docs", text, {"build": build, "serve": serve, "compare": compare})


Out = Annotated[
    Path | None, typer.Option("--out", help="The folder to write to.", show_default="site")
]


def build(
    out: Out = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Write a website of what is applied: views, features, freshness, lineage, history.

    It opens from the folder, without a server. An earlier site is replaced as a whole. A folder
    with other files is refused.
    """
    from featurestore.site.build import build_site

    store = open_store(project)
    folder = store.settings.folder / "site" if out is None else out
    built = build_site(store, folder, system_clock())
    for problem in built.problems:
        say("[yellow]warning:[/] {}", problem)
    say("built {} pages; open {}", built.pages, built.index)
    if as_json:
        paths = {"folder": str(built.folder), "index": str(built.index)}
        counts = {"pages": built.pages, "files": built.files, "problems": built.problems}
        print_json("site", {**paths, **counts})


def serve(
    out: Out = None,
    port: Annotated[
        int, typer.Option(help="The port on this machine; 0 for any that is free.")
    ] = 8350,
    project: Project = Path(),
) -> None:
    """Serve the website on this machine, and build it again after changes.

    It is built first, and again after each apply, run or save. If a build fails, the earlier site
    stays. Only this machine can open it. Ctrl-C stops it.
    """
    from featurestore.site.serve.server import SiteServer

    store = open_store(project)
    folder = store.settings.folder / "site" if out is None else out
    server = SiteServer(
        store, folder, port=port, clock=system_clock, say=lambda text: say("{}", text)
    )
    try:
        server.run(Event())
    except KeyboardInterrupt:
        say("stopped")


def compare(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The folder of an older build.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The folder of a newer build.")],
    as_json: AsJson = False,
) -> None:
    """Show what differs between two builds of the website.

    These are definitions, features, states of tables, training sets and models. Runs and the
    moments of the builds do not count. No project is needed.
    """
    from featurestore.site.comparison import compare_sites

    found = compare_sites(old, new)
    if as_json:
        print_json("site_comparison", found)
        return
    signs = {"added": "+", "changed": "~", "removed": "-"}
    for each in found:
        print_tree([f"{signs[each.action]} {each.kind} {each.name}"])
        print_tree(map(_field_line, each.fields))
    say("1 page differs" if len(found) == 1 else "{} pages differ", len(found))


def _field_line(field: "FieldDifference") -> str:
    old, new = (None if each is None else _short(each) for each in (field.old, field.new))
    if old is None:
        return f"    + {field.field}: {new}"
    return f"    - {field.field}: {old}" if new is None else f"    ~ {field.field}: {old} -> {new}"


def _short(text: str, width: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 3]}..."
