"""The benchmarks' figures: ratios, targets, comparison of answers, table, chart and page."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import chart, page, results
from benchmarks.cases import Case, Measure, Rival
from benchmarks.contest import ContestError, Result, Way, joined, require_same
from benchmarks.environments import NotInstalledError
from benchmarks.measure import Row, of_measure, of_rival
from benchmarks.results import cells

SVG = "{http://www.w3.org/2000/svg}"
ANSWER = {"x": [100, 3.5, 700.0]}
WAY, OTHER, THIRD = Way("ours", "ours historical"), Way("slow", "p a"), Way("fast", "p b")
CASE = Case("case", "A case", WAY)
ROWS = [
    Row("as-of", "DuckDB", 1.5, theirs=3.0, limit=1.0),
    Row("as-of", "Feast", 1.5, limit=0.125, note="did not run: no network"),
    Row("wide", "the floor", 6.0, theirs=2.0, limit=2.0),
    Row("big", "peak", 2.4, unit="GB", limit=3.0),
    Row("big", "1,000 rows", 70.0),
]


def result(way: Way, *seconds: float, answer: dict[str, list[float]] = ANSWER) -> Result:
    return Result(way, seconds, answer, peak_bytes=2_400_000_000)


def test_a_ratio_is_compared_with_its_limit() -> None:
    assert [row.ratio for row in ROWS] == [0.5, None, 3.0, None, None]
    assert [row.share for row in ROWS] == [0.5, None, 1.5, pytest.approx(0.8), None]
    assert [row.met for row in ROWS] == [True, None, False, True, None]


def test_the_table_has_figures_targets_and_why_a_program_did_not_run() -> None:
    assert [cells(row) for row in ROWS] == [
        ("as-of", "1.5 s", "DuckDB", "3 s", "0.5", "≤ 1", "yes"),
        ("as-of", "1.5 s", "Feast", "did not run: no network", "", "≤ 0.125", "?"),
        ("wide", "6 s", "the floor", "2 s", "3", "≤ 2", "no"),
        ("big", "2.4 GB", "peak", "", "", "≤ 3 GB", "yes"),
        ("big", "70 s", "1,000 rows", "", "", "", ""),
    ]


def test_the_fastest_way_of_a_rival_counts() -> None:
    seconds = {OTHER: (4.0, 3.0), THIRD: (2.5, 2.0)}

    row = of_rival(
        CASE,
        Rival((OTHER, THIRD), 0.5),
        result(WAY, 1.5, 1.0),
        lambda way: result(way, *seconds[way]),
    )

    assert row == Row("A case", "fast", 1.0, theirs=2.0, limit=0.5)


def test_a_rival_that_cannot_be_installed_has_a_note() -> None:
    def not_installed(way: Way) -> Result:
        raise NotInstalledError("no network")

    row = of_rival(CASE, Rival((OTHER,), 0.5), result(WAY, 1.0), not_installed)

    assert row == Row("A case", "slow", 1.0, limit=0.5, note="did not run: no network")


@pytest.mark.parametrize(
    "answer", [{"x": [99, 3.5, 700.0]}, {"x": [100, 3.6, 700.0]}, {"x": [100, 3.5, 710.0]}]
)
def test_a_rival_with_another_answer_is_an_error(answer: dict[str, list[float]]) -> None:
    with pytest.raises(ContestError, match=r"ours and slow.*'x'"):
        of_rival(
            CASE, Rival((OTHER,)), result(WAY, 1.0), lambda way: result(way, 1.0, answer=answer)
        )


def test_answers_without_a_common_feature_are_an_error() -> None:
    with pytest.raises(ContestError, match="ours and slow"):
        require_same(result(WAY, 1.0), result(OTHER, 1.0, answer={"y": [1, 1.0]}))


def test_a_rival_with_another_query_may_have_another_answer() -> None:
    other = {"y": [1, 1.0]}

    row = of_rival(
        CASE,
        Rival((OTHER,), same=False),
        result(WAY, 1.0),
        lambda way: result(way, 4.0, answer=other),
    )

    assert row.ratio == 0.25


def test_a_figure_of_our_own_is_taken_from_our_result() -> None:
    figure = Measure("peak", "GB", lambda it: (it.peak_bytes or 0) / 1e9, 3.0)

    assert of_measure(CASE, figure, result(WAY, 1.0)) == Row(
        "A case", "peak", 2.4, unit="GB", limit=3.0
    )


def test_the_chart_draws_each_target_to_scale_within_its_frame() -> None:
    root = ET.fromstring(chart.chart(ROWS))

    bars = {
        each.attrib["class"]: float(each.attrib["width"])
        for each in root.iter(f"{SVG}rect")
        if each.attrib["class"] != "card"
    }
    assert bars["theirs"] == pytest.approx(2 * bars["ours"])
    assert bars["missed"] == pytest.approx(1.5 * chart.PLOT / chart.WIDEST)
    assert "2 of 3 targets are met" in str(root.findtext(f"{SVG}desc"))
    for text in root.iter(f"{SVG}text"):
        assert 0 < float(text.attrib["y"]) < float(root.attrib["height"])


def test_the_page_and_its_chart_are_not_stale() -> None:
    files = page.expected_files()

    assert [path.name for path, text in files.items() if path.read_text("utf-8") != text] == []


def test_the_page_shows_the_saved_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "benchmarks.md")
    monkeypatch.setattr(page, "CHART", tmp_path / "benchmarks.svg")
    page.PAGE.write_text(f"before\n{page.BEGIN}stale\n{page.END}after\n")
    row = {"case": "as-of", "against": "DuckDB", "ours": 1.5, "theirs": 3.0, "limit": 1.0}
    results.save("as_of", {"rows": [row]})

    page.write()

    text = page.PAGE.read_text("utf-8")
    assert "| as-of | 1.5 s | DuckDB | 3 s | 0.5 | ≤ 1 | yes |" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "stale" not in text
    assert json.loads((tmp_path / "as_of.json").read_text())["machine"]["cores"] >= 1
    assert ET.parse(page.CHART).getroot().tag == f"{SVG}svg"


def test_turns_are_joined_and_must_have_equal_answers() -> None:
    first, second = result(WAY, 2.0, 1.5), result(WAY, 1.0)

    both = joined(first, second)

    assert (both.seconds, both.best, both.peak_bytes) == ((2.0, 1.5, 1.0), 1.0, 2_400_000_000)
    with pytest.raises(ContestError, match="differ"):
        joined(first, replace(second, answer={"x": [100, 9.0, 700.0]}))
