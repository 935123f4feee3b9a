"""Objects in a notebook: a short text, and HTML whose texts are escaped."""

import pickle
from dataclasses import replace
from html.parser import HTMLParser

import pytest

import featurestore as fs
from featurestore.cli.template import write_project
from featurestore.client.display.results import RUNS, Results
from featurestore.jobs.materialize.job import RunResult
from tests.client.shop import at

SPINE = [{"id": 1, "event_timestamp": at(3)}, {"id": None, "event_timestamp": at(8)}]
NASTY = "<script>alert('x')</script> & \" ünï"


class Tags(HTMLParser):
    """The tags and the text of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


def objects(store: fs.FeatureStore) -> dict[str, object]:
    manifest = store.load()
    return {
        "store": store,
        "plan": store.plan(),
        "view": manifest.view("activity"),
        "service": manifest.service("fraud"),
        "frame": store.get_historical_features("fraud", SPINE),
        "verification": store.verify("fraud", sample=3),
        "explanation": store.get_historical_features("fraud", SPINE).explain(0, "city"),
        "status": store.status(),
        "history": store.history(),
        "runs": Results([RunResult("a", run_id="1", status="done", kind="build")], RUNS),
        "run": RunResult("a", run_id="1", status="done", kind="build"),
        "views": store.views(),
        "found": store.search("amount"),
        "feature": store.describe("city"),
        "health": store.health(),
    }


def test_each_has_a_short_text(filled):
    texts = {name: repr(each) for name, each in objects(filled).items()}

    assert texts["plan"] == "Plan(no changes)"
    assert texts["view"] == (
        "FeatureView('activity': amount_sum_2h, amount_sum_lifetime, count_2h)"
    )
    assert texts["service"] == "FeatureService('fraud': profile, activity, rate)"
    assert texts["store"].startswith("FeatureStore(project 'shop'")
    assert texts["run"] == "RunResult('a' done)"
    assert texts["runs"].split()[:3] == ["view", "status", "kind"]
    assert texts["health"].startswith("Health(score ")
    assert texts["frame"].startswith("FeatureFrame(2 rows")


def test_each_has_html_with_tables_only(filled):
    for name, each in objects(filled).items():
        shown = Tags(each._repr_html_())
        assert shown.text, name
        assert shown.tags <= {"p", "b", "table", "thead", "tbody", "tr", "th", "td", "pre"}, name


def test_a_frame_shows_columns_and_no_data(filled):
    shown = Tags(
        filled.get_historical_features("fraud", [{**SPINE[0], "name": "Ada"}])._repr_html_()
    )

    assert "amount_sum_2h" in shown.text
    assert "Ada" not in shown.text


def test_a_new_project_shows_what_to_do(tmp_path):
    write_project(tmp_path / "new")

    assert "apply" in Tags(fs.FeatureStore(tmp_path / "new")._repr_html_()).text


def test_a_plan_is_printed_as_on_the_command_line(store):
    path = store.settings.definitions_folder / "shop.py"
    path.write_text(path.read_text().replace('ttl="4h"', 'ttl="5h"'))

    changes = store.plan()

    assert str(changes).splitlines()[0].startswith("~ view profile")
    assert "1 changed" in repr(changes)
    assert Tags(changes._repr_html_()).text == str(changes)


@pytest.mark.parametrize("place", ["description", "name"])
def test_every_text_is_escaped(filled, place):
    view = filled.load().view("profile")
    changed = replace(view, **{place: NASTY})
    service = fs.FeatureService("s", features=(changed,), description=NASTY)
    run = RunResult("a", run_id="1", status="failed", kind="run", message=NASTY)

    for each in (changed, service, run, Results([run], RUNS)):
        shown = Tags(each._repr_html_())
        assert "script" not in shown.tags
        assert NASTY in shown.text


def test_every_text_of_the_registry_is_escaped_in_lists_and_descriptions(store):
    path = store.settings.definitions_folder / "shop.py"
    text = path.read_text().replace("ttl=", f"description={NASTY!r}, owner={NASTY!r}, ttl=")
    path.write_text(text.replace('"city", fs.String', f'"city", fs.String, description={NASTY!r}'))
    store.apply(store.plan())

    shown = [
        *(store, store.views(), store.search("script"), store.describe("profile")),
        *(store.describe("city"), store.features("profile")),
    ]

    for each in shown:
        tags = Tags(each._repr_html_())
        assert "script" not in tags.tags
        assert NASTY in tags.text or each is shown[-1]


def test_a_text_does_not_move_the_cursor_of_a_terminal(store):
    path = store.settings.definitions_folder / "shop.py"
    text = path.read_text().replace("ttl=", "description='\\x1b[2Jgone\\u202etxt', ttl=")
    path.write_text(text)
    store.apply(store.plan())

    shown = repr(store.views()) + repr(store.describe("profile"))

    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[2Jgone\\u202etxt" in shown


def test_results_are_pickled():
    runs = Results([RunResult("a", run_id="1", status="done", kind="build")], RUNS)

    again = pickle.loads(pickle.dumps(runs))

    assert again == runs
    assert again._repr_html_() == runs._repr_html_()


@pytest.mark.parametrize("features", [["activity"], "activity", [None]])
def test_a_definition_that_is_not_valid_has_a_text_too(features) -> None:
    service = fs.FeatureService("shop_v1", features=features)

    assert "shop_v1" in repr(service)
    assert "validate" in repr(service)
