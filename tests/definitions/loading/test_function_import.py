"""Readers import the applied function from where it was declared, and no other."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from packaging import version

from featurestore.definitions.code.fingerprint import function_code
from featurestore.definitions.loading.function_import import import_function
from featurestore.definitions.loading.loader import load
from featurestore.definitions.model.view import Code
from featurestore.errors import DefinitionError
from featurestore.registry.codec import decode, encode
from tests.definitions.project import write

RATES = "RATE = 2\n"
SHAPES = """\
from defs._rates import RATE
from featurestore.definitions.model.on_demand import OnDemandFeatureView

checkout = RequestSource("checkout", schema=(Field("price", Int64),))


def worth_of(inputs):
    return {"worth": [price * RATE for price in inputs]}


shape = OnDemandFeatureView(
    "shape", sources=(checkout,), schema=(Field("worth", Int64),), transform=worth_of
)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "defs", {"_rates.py": RATES, "shapes.py": SHAPES})


def code_in(folder: Path) -> Code:
    """Return what a registry would keep of the function."""
    [view] = decode(encode(load(folder))).on_demand_views
    assert isinstance(view.transform, Code)
    return view.transform


def test_the_applied_function_comes_from_the_definitions(folder: Path) -> None:
    code = code_in(folder)

    assert (code.module, code.name) == ("defs.shapes", "worth_of")
    assert import_function(code, folder)([1, 2]) == {"worth": [2, 4]}


def test_it_is_imported_once_until_a_file_changes(folder: Path) -> None:
    code = code_in(folder)
    first = import_function(code, folder)

    assert import_function(code, folder) is first
    (folder / "other.py").write_text("")
    assert import_function(code, folder) is not first


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("shapes.py", "price * RATE", "price + RATE"),
        ("_rates.py", "RATE = 2", "RATE = 3"),
    ],
)
def test_a_change_of_it_or_of_what_it_uses_is_refused(
    folder: Path, file: str, old: str, new: str
) -> None:
    code = code_in(folder)
    changed = folder / file
    changed.write_text(changed.read_text().replace(old, new))

    with pytest.raises(DefinitionError, match=r"shapes.py:\d+ is not the one that was applied"):
        import_function(code, folder)


def test_what_is_gone_is_told(folder: Path) -> None:
    code = code_in(folder)
    (folder / "shapes.py").write_text("")

    with pytest.raises(DefinitionError, match=r"defs.shapes.worth_of: the module has no such fun"):
        import_function(code, folder)
    (folder / "shapes.py").unlink()
    with pytest.raises(DefinitionError, match=r"No module named 'defs\.shapes'"):
        import_function(code, folder)
    with pytest.raises(DefinitionError, match="No module named 'defs'"):
        import_function(code, folder.parent / "nowhere" / "defs")


@pytest.mark.parametrize("module", ["os", "shutil", "featurestore.errors", ""])
def test_nothing_of_python_or_the_library_is_taken_by_its_name(folder: Path, module: str) -> None:
    with pytest.raises(DefinitionError, match="neither of the definitions nor of an installed"):
        import_function(Code("rmtree", "", "", module), folder)


def test_a_function_of_an_installed_package_is_taken_as_that_version_has_it(
    tmp_path: Path,
) -> None:
    applied = function_code(version.parse)
    assert applied.module == "packaging.version"

    assert import_function(applied, tmp_path / "defs") is version.parse
    older = replace(applied, fingerprint="of another version")
    with pytest.raises(DefinitionError, match="is not the one that was applied"):
        import_function(older, tmp_path / "defs")


def test_another_process_finds_the_same_fingerprint(folder: Path) -> None:
    code = code_in(folder)
    program = (
        "from pathlib import Path\n"
        "from featurestore.definitions.loading.function_import import import_function\n"
        "from featurestore.definitions.model.view import Code\n"
        f"code = Code({code.name!r}, '', {code.fingerprint!r}, {code.module!r})\n"
        f"print(import_function(code, Path({str(folder)!r}))([4]))\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("{'worth': [8]}\n", "")
