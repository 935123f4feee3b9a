"""A registry with 200 views of 20 features each. `python -m benchmarks.site` measures its time."""

from pathlib import Path

import pytest

from benchmarks.site import NOW, made_up_store
from featurestore.site.build import build_site


@pytest.mark.slow
def test_each_of_four_thousand_features_has_a_page(tmp_path: Path) -> None:
    store = made_up_store(tmp_path, views=200, features=20)

    built = build_site(store, tmp_path / "site", NOW)

    assert built.pages > 200 * 20
    assert len([*(tmp_path / "site" / "features").rglob("*.html")]) >= 200 * 20
