"""Readers import the applied function from the module that declares it, and no other."""

import importlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from packaging import version

from featurestore.definitions.code.fingerprint import function_code
from featurestore.definitions.loading.function_import import import_function
from featurestore.definitions.loading.loader import importable, load
from featurestore.definitions.model.view import Code
from featurestore.errors import DefinitionError, FunctionError
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
    """Return the function's `Code`, as a registry stores it."""
    [view] = decode(encode(load(folder))).on_demand_views
    assert isinstance(view.transform, Code)
    return view.transform


def refusal(code: Code, folder: Path) -> DefinitionError:
    """Return the error of an import that is refused."""
    with pytest.raises(DefinitionError) as caught:
        import_function(code, folder)
    return caught.value


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
def test_a_changed_function_or_dependency_is_refused(
    folder: Path, file: str, old: str, new: str
) -> None:
    code = code_in(folder)
    changed = folder / file
    changed.write_text(changed.read_text().replace(old, new))

    error = refusal(code, folder)

    assert type(error) is FunctionError
    assert error.call == "import defs.shapes.worth_of"
    assert f"{folder / 'shapes.py'}:" in error.found
    assert "`featurestore apply`" in error.fix


def test_a_function_or_a_module_that_is_gone_is_named(folder: Path) -> None:
    code = code_in(folder)
    (folder / "shapes.py").write_text("")
    no_function = refusal(code, folder)
    (folder / "shapes.py").unlink()
    no_module = refusal(code, folder)
    no_folder = refusal(code, folder.parent / "nowhere" / "defs")

    assert [(type(error), error.call) for error in (no_function, no_module, no_folder)] == [
        (FunctionError, "import defs.shapes.worth_of")
    ] * 3
    assert str(folder) in no_function.found
    assert "'defs.shapes'" in no_module.found
    assert str(folder.parent / "nowhere" / "defs") in no_folder.found


def test_a_module_that_does_not_import_is_named_only_if_it_may_declare_the_function(
    folder: Path,
) -> None:
    code = code_in(folder)
    (folder / "another.py").write_text("import no_such_module\n")

    assert import_function(code, folder)([1, 2]) == {"worth": [2, 4]}

    (folder / "shapes.py").write_text("1 / 0\n")
    broken = refusal(code, folder)
    assert type(broken) is DefinitionError
    assert "shapes.py:1" in broken.found
    assert "featurestore apply" not in broken.fix


@pytest.mark.parametrize("module", ["os", "shutil", "featurestore.errors", "", "..", "a b"])
def test_no_function_of_python_or_of_featurestore_is_imported(folder: Path, module: str) -> None:
    error = refusal(Code("rmtree", "", "", module), folder)

    assert error.call == f"import {module}.rmtree"
    assert str(folder) in error.found


@pytest.mark.parametrize("file", ["beside.py", "defs/_tool.py", "defs/_hidden/tool.py"])
def test_a_registry_cannot_make_a_reader_import_a_module(folder: Path, file: str) -> None:
    tool = folder.parent / file
    tool.parent.mkdir(exist_ok=True)
    tool.write_text(f"open({str(folder / 'imported')!r}, 'w').close()\ndef run(rows): ...\n")
    module = file.removesuffix(".py").replace("/", ".")
    sys.modules.pop(module, None)

    refusal(Code("run", "", "", module), folder)

    assert not (folder / "imported").exists()
    assert module not in sys.modules


def test_a_function_that_no_on_demand_view_has_is_refused_by_its_own_fingerprint(
    folder: Path,
) -> None:
    shapes = folder / "shapes.py"
    shapes.write_text(shapes.read_text() + "\n\ndef drop_everything(rows): ...\n")
    with importable(folder):
        undeclared = importlib.import_module("defs.shapes").drop_everything
        code = function_code(undeclared)

    error = refusal(code, folder)

    assert error.call == "import defs.shapes.drop_everything"
    assert str(folder) in error.found


def test_a_function_of_an_installed_package_comes_from_the_view_that_uses_it(
    folder: Path,
) -> None:
    text = (folder / "shapes.py").read_text().replace("=worth_of", "=parse")
    (folder / "shapes.py").write_text(f"from packaging.version import parse\n{text}")
    applied = code_in(folder)
    assert applied.module == "packaging.version"

    assert import_function(applied, folder) is version.parse
    older = replace(applied, fingerprint="of another version")
    assert refusal(older, folder).call == "import packaging.version.parse"
    assert refusal(function_code(version.Version.__init__), folder).call.endswith("__init__")


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
