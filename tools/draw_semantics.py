"""Write the parts of docs/semantics.md that derive from code, and the pictures.

The table of functions derives from their specifications; the cases and their pictures derive from
the examples that the tests run. Run ``python -m tools.draw_semantics`` after a change of a
specification, an example or a rule: a test fails until then.
"""

import sys
from pathlib import Path

from featurestore.store.columns import EVENT_TIME
from tests.semantics.case import Case, Example, clock
from tests.semantics.cases import CASES
from tools.function_table import function_table
from tools.page_part import replace_part
from tools.timeline import picture
from tools.timeline_text import describe_case, format_value

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "semantics.md"
PICTURES = DOCS / "images" / "semantics"
BEGIN = "<!-- cases: written by tools/draw_semantics.py; change tests/semantics instead -->\n"
END = "<!-- end of cases -->\n"
FUNCTIONS = (
    "<!-- functions: written by tools/draw_semantics.py; change "
    "featurestore/definitions/model/functions.py instead -->\n"
)
END_OF_FUNCTIONS = "<!-- end of functions -->\n"


def main() -> str | None:
    """Write what is stale; return nothing, or why it cannot be done."""
    for path, text in expected_files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for path in set(PICTURES.glob("*.svg")) - set(expected_files()):
        path.unlink()
    return None


def stale() -> list[Path]:
    """Return the files that differ from the examples, and pictures of no example."""
    texts = expected_files()
    differing = [
        path
        for path, text in texts.items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    return sorted([*differing, *(set(PICTURES.glob("*.svg")) - set(texts))])


def expected_files() -> dict[Path, str]:
    """Return the page and all pictures with their current texts."""
    texts = {PICTURES / case.picture: picture(case) for case in CASES if case.picture}
    return {PAGE: page(PAGE.read_text("utf-8")), **texts}


def page(text: str) -> str:
    """Return the page with its table of functions and its cases written anew."""
    text = replace_part(text, FUNCTIONS, f"\n{function_table()}\n", END_OF_FUNCTIONS)
    return replace_part(text, BEGIN, "\n" + "\n".join(map(section, CASES)) + "\n", END)


def section(case: Case) -> str:
    """Return a case as Markdown."""
    parts = [f"### {case.name}", case.text]
    if case.picture:
        words = describe_case(case).replace("[", r"\[").replace("]", r"\]")
        parts.append(f"![{words}](images/semantics/{case.picture})")
    else:
        parts += [f"Example: {each.caption}\n\n{table(each)}" for each in case.examples]
    parts += [
        f"{request}:\n\n```text\n{message}\n```" for request, message in case.refusals.items()
    ]
    return "\n\n".join(parts) + "\n"


def table(example: Example) -> str:
    """Return an example's spine and answers as a Markdown table."""
    names = [*example.spine[0], *(f"→ {name}" for name in example.answers)]
    rows = [
        [
            *map(_cell, row.items()),
            *(format_value(each[number]) for each in example.answers.values()),
        ]
        for number, row in enumerate(example.spine)
    ]
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(item: tuple[str, object]) -> str:
    name, value = item
    return clock(value) if name == EVENT_TIME and isinstance(value, int) else format_value(value)


if __name__ == "__main__":
    sys.exit(main())
