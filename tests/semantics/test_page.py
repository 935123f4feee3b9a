"""docs/semantics.md and its pictures show all examples that the tests run."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from featurestore.definitions.model.functions import FUNCTION_SPECS, output_type
from tests.semantics.case import Case
from tests.semantics.cases import CASES
from tools import draw_semantics
from tools.function_table import KINDS

WITH_PICTURE = [case for case in CASES if case.picture]
SVG = "{http://www.w3.org/2000/svg}"
CHARACTER = 8.5  # wider than a letter of 12 or 13 pixels on average


def test_the_page_and_its_pictures_are_not_stale() -> None:
    assert draw_semantics.stale() == [], "run: python -m tools.draw_semantics"


def test_a_changed_picture_or_page_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, pictures = tmp_path / "semantics.md", tmp_path / "pictures"
    page.write_text(
        f"before\n{draw_semantics.FUNCTIONS}{draw_semantics.END_OF_FUNCTIONS}"
        f"{draw_semantics.BEGIN}{draw_semantics.END}after\n"
    )
    monkeypatch.setattr(draw_semantics, "PAGE", page)
    monkeypatch.setattr(draw_semantics, "PICTURES", pictures)
    draw_semantics.main()
    assert draw_semantics.stale() == []

    (pictures / "equal-time.svg").write_text("another")
    (pictures / "of-no-case.svg").write_text("left over")
    page.write_text(page.read_text().replace("### Summer time", "### Summer"))

    assert [path.name for path in draw_semantics.stale()] == [
        "equal-time.svg",
        "of-no-case.svg",
        "semantics.md",
    ]
    assert page.read_text().startswith("before\n")
    assert page.read_text().endswith("after\n")


@pytest.mark.parametrize("case", WITH_PICTURE, ids=lambda case: case.slug)
def test_each_picture_has_a_description_and_its_texts_fit(case: Case) -> None:
    root = ET.fromstring((draw_semantics.PICTURES / str(case.picture)).read_text("utf-8"))
    width, height = (float(root.attrib[name]) for name in ("width", "height"))

    assert root.findtext(f"{SVG}title") == case.name
    for example in case.examples:
        assert example.caption in str(root.findtext(f"{SVG}desc"))
    for text in root.iter(f"{SVG}text"):
        length = len(str(text.text)) * CHARACTER
        start = float(text.attrib["x"]) - (length / 2 if "text-anchor" in text.attrib else 0)
        assert start >= 0
        assert start + length <= width + 2 * CHARACTER, text.text
        assert 0 < float(text.attrib["y"]) < height


@pytest.mark.parametrize("case", WITH_PICTURE, ids=lambda case: case.slug)
def test_no_line_crosses_the_text_of_an_event(case: Case) -> None:
    root = ET.fromstring((draw_semantics.PICTURES / str(case.picture)).read_text("utf-8"))
    lines = [
        tuple(map(float, segment))
        for path in root.iter(f"{SVG}path")
        if path.get("class") in ("moment", "grid")
        for segment in re.findall(r"M([-.\d]+) ([-.\d]+)V([-.\d]+)", path.attrib["d"])
    ]
    values = [text for text in root.iter(f"{SVG}text") if text.get("class") == "value"]

    crossed = [
        text.text
        for text in values
        for x, top, bottom in lines
        if abs(x - float(text.attrib["x"])) < 3 * len(str(text.text))
        and top < float(text.attrib["y"]) + 2
        and bottom > float(text.attrib["y"]) - 10
    ]

    assert values
    assert crossed == []


@pytest.mark.parametrize("case", WITH_PICTURE, ids=lambda case: case.slug)
def test_each_picture_shows_every_answer(case: Case) -> None:
    root = ET.fromstring((draw_semantics.PICTURES / str(case.picture)).read_text("utf-8"))
    answers = [text for text in root.iter(f"{SVG}text") if text.get("class") == "answer"]

    expected = [
        value for each in case.examples for values in each.answers.values() for value in values
    ]

    assert len(answers) == len(expected)


def kinds_in(text: str) -> set[str]:
    """Return the kinds of types that a cell of the page names."""
    named = set(re.findall(r"\b(?:[A-Z]\w+|arrays)\b", text))
    if "numbers" in text:
        page = draw_semantics.PAGE.read_text("utf-8")
        return kinds_in(re.search(r"^Numbers are (.*?)\.", page, re.MULTILINE)[1])
    return set(KINDS) - named if "every type" in text else named


def cells_of_functions() -> dict[str, str]:
    """Return the second cell of each line in the table of functions, by the first."""
    page = draw_semantics.PAGE.read_text("utf-8").partition("| function |")[2]
    lines = page.partition("\n\n")[0].splitlines()[2:]
    return {cells[1].strip(): cells[2] for cells in (line.split("|") for line in lines)}


def test_the_page_says_which_types_each_function_takes() -> None:
    kinds = {
        name: kinds_in(text)
        for cell, text in cells_of_functions().items()
        if "by=" not in cell
        for name in re.findall(r"`(\w+)`", cell)
    }

    assert kinds == {
        name: {kind for kind, dtype in KINDS.items() if output_type(spec.sample, dtype)}
        for name, spec in FUNCTION_SPECS.items()
    }


def test_the_page_says_which_types_a_category_has() -> None:
    (text,) = (text for cell, text in cells_of_functions().items() if "by=" in cell)

    assert kinds_in(text) == {
        kind for kind, dtype in KINDS.items() if output_type("count", None, dtype)
    }


def test_every_case_is_a_section() -> None:
    headings = re.findall(r"^### (.*)$", draw_semantics.PAGE.read_text("utf-8"), re.MULTILINE)

    assert headings == [case.name for case in CASES]
