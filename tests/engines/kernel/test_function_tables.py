"""The kernel and the reference have the functions that are specified, or cannot be imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from featurestore.definitions.model.functions import FILE, FUNCTION_SPECS, require_every_function
from featurestore.engines.kernel.functions.table import AGGREGATORS
from featurestore.engines.reference.functions import FUNCTIONS

ROOT = Path(__file__).parents[3]
ENGINES = {
    "featurestore.engines.kernel": "featurestore/engines/kernel/functions",
    "featurestore.engines.reference": "featurestore/engines/reference/functions.py",
}
SPECIFY_AND_IMPORT = """
from dataclasses import replace
from featurestore.definitions.model.functions import FUNCTION_SPECS
FUNCTION_SPECS[{name!r}] = replace(FUNCTION_SPECS["mean"], name={name!r})
import {module}
"""


def test_both_engines_have_every_specified_function() -> None:
    assert set(AGGREGATORS) == set(FUNCTIONS) == set(FUNCTION_SPECS)


@pytest.mark.parametrize(("module", "file"), ENGINES.items())
def test_an_engine_that_lacks_a_specified_function_cannot_be_imported(
    module: str, file: str
) -> None:
    program = SPECIFY_AND_IMPORT.format(name="range", module=module)

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )

    last_line = run.stderr.splitlines()[-1]
    assert run.returncode == 1
    assert last_line.startswith(f"ImportError: {file} lacks")
    assert "'range'" in last_line
    assert FILE in last_line
    assert all((ROOT / path).exists() for path in (file, FILE))


def test_a_function_that_no_specification_has_is_refused() -> None:
    with pytest.raises(ImportError) as error:
        require_every_function([*FUNCTION_SPECS, "range"], "engine.py")

    assert str(error.value).startswith(f"{FILE} lacks the aggregation function 'range'")
    assert "engine.py" in str(error.value)
