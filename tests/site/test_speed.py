"""The speed of a build: 200 views with 20 features each in at most 10 seconds of CPU."""

import time
from pathlib import Path

import pytest

from benchmarks.site import NOW, made_up_store
from featurestore.site.build import build_site


@pytest.mark.slow
def test_two_hundred_views_are_built_in_ten_seconds(tmp_path: Path) -> None:
    store = made_up_store(tmp_path, views=200, features=20)
    before = time.process_time()

    built = build_site(store, tmp_path / "site", NOW)

    assert time.process_time() - before < 10
    assert built.pages > 200 * 20
