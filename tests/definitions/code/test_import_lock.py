"""Functions that import modules of the project run while no other thread loads definitions."""

from typing import Any

import pytest

from featurestore.definitions.code.import_lock import IMPORT_LOCK, while_it_imports


def relative(rows: Any) -> Any:
    from .test_values import _project  # noqa: PLC0415, TID252 - the case

    return rows, _project


def absolute(rows: Any) -> Any:
    import tests.tables  # noqa: PLC0415 - the case

    return rows, tests


def nested(rows: Any) -> Any:
    def inner() -> Any:
        from . import test_values  # noqa: PLC0415, TID252 - the case

        return test_values

    return rows, inner()


def library(rows: Any) -> Any:
    import json  # noqa: PLC0415 - the case

    import pyarrow.compute as pc  # noqa: PLC0415 - the case

    return rows, pc, json


def plain(rows: Any) -> Any:
    return rows, 1, len(str(2))


@pytest.mark.parametrize("function", [relative, absolute, nested])
def test_a_function_that_imports_from_the_project_holds_the_lock(function: object) -> None:
    assert while_it_imports(function) is IMPORT_LOCK


@pytest.mark.parametrize("function", [library, plain, len])
def test_other_functions_hold_no_lock(function: object) -> None:
    assert while_it_imports(function) is not IMPORT_LOCK
