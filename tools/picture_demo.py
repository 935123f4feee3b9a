"""Draw the output of ``make demo`` for the README: ``python -m tools.picture_demo LOG``."""

import re
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

OUT = Path(__file__).parents[1] / "docs" / "images" / "demo.svg"
WIDTH = 153
# The lines with which a domain begins, and with which its tables of scores end.
BEGIN, END = "training set and models: ", ("newest values", "kinds of users", "Next")


def main(log: Path) -> None:
    """Write the picture of the domains' scores from a log of the demo."""
    console = Console(record=True, width=WIDTH, file=StringIO())
    console.print(Text("$ make demo", style="bold green"))
    for line in score_lines(log.read_text(encoding="utf-8").splitlines()):
        console.print(_styled(line))
    picture = console.export_svg(title="three domains, each model without and with the store")
    # Rich's template loads a web font. A picture in a repository must not load anything.
    OUT.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL))


def score_lines(lines: list[str]) -> Iterator[str]:
    """Yield the titles and tables of scores, without the tables of examples."""
    is_score = False
    for line in lines:
        if line.startswith(BEGIN):
            is_score = True
        elif line.startswith(END):
            is_score = False
        elif is_score and not re.fullmatch(r"\s+[\d.]+ s", line) and line.strip():
            yield line.rstrip()


def _styled(line: str) -> Text:
    text = Text(line)
    if re.match(r"\w+  \w+: ", line):
        text = Text("\n").append(line, style="bold")
    if re.search(r"\d\.\d+\s+\d\.\d+$", line):
        text.highlight_regex(r"[\d.]+$", "bold green")
    return text


if __name__ == "__main__":
    main(Path(sys.argv[1]))
