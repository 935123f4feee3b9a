"""The verb `history --compare`."""

import json
from collections.abc import Callable

import featurestore as fs

Run = Callable[..., tuple[int, str, str]]


def test_two_versions_are_compared(store: fs.FeatureStore, run: Run) -> None:
    file = store.settings.definitions_folder / "shop.py"
    file.write_text(file.read_text().replace('ttl="4h"', 'ttl="5h"'))
    store.apply(store.plan())
    own = ("-p", store.settings.folder)

    code, out, _ = run("history", "--compare", 1, 2, *own)
    _, same, _ = run("history", "--compare", 2, 2, *own)
    _, text, _ = run("history", "--compare", 2, 1, "--json", *own)
    both, _, _ = run("history", 1, "--compare", 1, 2, *own)
    wrong, _, err = run("history", "--compare", 1, 7, *own)

    assert (code, wrong, both) == (0, 2, 2)
    assert [line.partition(" (")[0].strip() for line in out.splitlines()[:2]] == [
        "~ view profile",
        "~ ttl: 4h -> 5h",
    ]
    assert same == ""
    found = json.loads(text)["comparison"]
    (change,) = found["changes"]
    assert (found["old"], found["new"], change["name"]) == (2, 1, "profile")
    assert [(each["old"], each["new"]) for each in change["details"]] == [("5h", "4h")]
    assert "7" in err
