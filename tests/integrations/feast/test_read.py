"""What stops the reading of a Feast repository. Reading the real package: tests/packaging."""

import sys
from pathlib import Path

import pytest

from featurestore.errors import RequestError, SetupError
from featurestore.integrations.feast.digest import is_as_written, with_digest
from featurestore.integrations.feast.read import read_repository
from featurestore.integrations.feast.translation.translate import translate
from featurestore.integrations.feast.write import import_repository

HERE = Path(__file__).parent


def test_a_folder_without_settings_is_refused_and_the_nearest_is_offered() -> None:
    with pytest.raises(RequestError) as refused:
        read_repository(HERE)

    assert "repository" in refused.value.fix


def test_a_python_without_feast_is_refused() -> None:
    with pytest.raises(SetupError) as default:
        read_repository(HERE / "repository")
    with pytest.raises(SetupError) as named:
        read_repository(HERE / "repository", Path(sys.executable))
    with pytest.raises(SetupError) as absent:
        read_repository(HERE / "repository", Path("no/such/python"))

    assert all("--python" in each.value.fix for each in (default, named, absent))


def test_a_python_that_ends_without_an_answer_is_refused() -> None:
    with pytest.raises(RequestError):
        read_repository(HERE / "repository", Path("/bin/true"))


IMPORTED = with_digest(translate({"feast": "0.67.0", "settings": {}}, "rides").text)


@pytest.mark.parametrize(
    "text",
    [
        "import featurestore as fs\n",
        IMPORTED + "# mine\n",
        IMPORTED.replace("Feast 0.67.0", "Feast 0.67.1"),
        translate({"feast": "0.67.0", "settings": {}}, "rides").text,  # without a digest
    ],
)
def test_a_file_that_an_import_did_not_write_stays(text: str, tmp_path: Path) -> None:
    out = tmp_path / "definitions.py"
    out.write_text(text, "utf-8")

    with pytest.raises(RequestError) as refused:
        import_repository(HERE / "repository", tmp_path, out)

    assert out.read_text("utf-8") == text
    assert "--force" in refused.value.fix


def test_a_file_as_an_import_wrote_it_is_written_again(tmp_path: Path) -> None:
    out = tmp_path / "definitions.py"
    for text, force in ((IMPORTED, False), (IMPORTED.replace("\n", "\r\n"), False), ("x", True)):
        out.write_bytes(text.encode())
        answer = tmp_path / "python"  # an environment whose Feast has an empty repository
        answer.write_text(
            f"#!{sys.executable}\nimport json, sys\n"
            'json.dump({"feast": "0.67.0", "settings": {}, "entities": [], '
            '"others": [{"kind": "Permission", "name": "\\ud800"}]}, open(sys.argv[-1], "w"))\n'
        )
        answer.chmod(0o755)

        import_repository(HERE / "repository", tmp_path, out, answer, force=force)

        assert is_as_written(out.read_text("utf-8"))
        assert "\\ud800" in out.read_text("utf-8")  # half a surrogate pair
        assert sorted(each.name for each in tmp_path.iterdir()) == ["definitions.py", "python"]
