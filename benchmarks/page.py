"""Write docs/benchmarks.md, its chart and docs/scaling.md from benchmarks/results."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.chart import chart
from benchmarks.results import HEAD, Document, cells, read_cases, read_results, rows_of
from benchmarks.scaling import Cluster, Job, inputs, report
from benchmarks.spark.cases import SPARK_CASES
from benchmarks.spark.measured import INPUT_CASES, NotMeasuredError, read_measured

DOCS = Path(__file__).parents[1] / "docs"
PAGE, CHART = DOCS / "benchmarks.md", DOCS / "images" / "benchmarks.svg"
# The headings of what is measured without peers.
OWN = {
    "Startup": "startup",
    "Maintenance": "maintenance",
    "Expectations": "expectations",
    "Profiles": "profiles",
    "Freshness": "freshness",
}
BEGIN = "<!-- figures: written by `make bench` -->\n"
END = "<!-- end of figures -->\n"
SCALING = DOCS / "scaling.md"
BEGIN_SCALING = "<!-- figures: written by `make bench-spark` -->\n"


def write() -> None:
    """Write the page and the chart from the newest results of each case."""
    for path, text in expected_files().items():
        path.write_text(text, "utf-8")


def expected_files() -> dict[Path, str]:
    """Return the page and the chart with their current texts. Empty without any results."""
    cases = read_cases()
    if not cases:
        return {}
    rows = [row for document in cases.values() for row in rows_of(document)]
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    own = {title: found for title, name in OWN.items() if (found := read_results(name))}
    spark = [found for name in SPARK_CASES if (found := read_results(f"spark_{name}"))]
    documents = [*cases.values(), *own.values(), *spark]
    parts = [measured_on(documents), "![The figures as bars](images/benchmarks.svg)"]
    parts.append(table(HEAD, map(cells, rows)))
    for title, document in own.items():
        lines = [[_text(value) for value in row.values()] for row in document["rows"]]
        parts += [f"### {title}", table(list(document["rows"][0]), lines)]
    if spark:
        on_spark = [row for document in spark for row in rows_of(document)]
        parts += ["### Training sets on Spark", table(HEAD, map(cells, on_spark))]
    return {
        PAGE: before + BEGIN + "\n" + "\n\n".join(parts) + "\n\n" + END + after,
        CHART: chart(rows),
        **scaling_page(),
    }


def scaling_page() -> dict[Path, str]:
    """Return the page about larger clusters. Empty if its inputs are not measured yet."""
    try:
        measured = read_measured()
    except NotMeasuredError:
        return {}
    before, _, rest = SCALING.read_text("utf-8").partition(BEGIN_SCALING)
    after = rest.partition(END)[2]
    text = report(Job(), Cluster(), measured)
    parts = [
        measured_on([found for name in INPUT_CASES if (found := read_results(f"spark_{name}"))]),
        table(("measured input", "value"), inputs(measured)),
        f"```text\n{text}\n```",
    ]
    written = BEGIN_SCALING + "\n" + "\n\n".join(parts) + "\n\n" + END
    return {SCALING: before + written + after}


def measured_on(documents: Sequence[Document]) -> str:
    """Return a sentence with the days and the machines of the results."""
    days = sorted({str(document["measured_at"])[:10] for document in documents})
    machines = {
        f"{each['cores']} cores, {each['memory_gib']} GiB, {each['system']}, Python "
        f"{each['python']}, DuckDB {each['packages']['duckdb']}, "
        f"Polars {each['packages']['polars']}"
        for each in (document["machine"] for document in documents)
    }
    return f"Measured on {', '.join(days)}: {'; '.join(sorted(machines))}."


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [[text.replace("|", r"\|") for text in row] for row in (head, *rows)]
    heading, *body = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([heading, "|" + "---|" * len(head), *body])


def _text(value: object) -> str:
    return "" if value is None else str(value)
