"""Which of these tests run: those marked `integration` only by ``-m integration``."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what makes whole environments from a package index, unless it is called for."""
    if "integration" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("integration")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
