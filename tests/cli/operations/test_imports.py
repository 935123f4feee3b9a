"""The verb `import feast`, as far as it goes without Feast."""

from pathlib import Path

from tests.integrations.feast.test_read import HERE


def test_without_feast_the_exit_code_is_2_and_the_option_is_named(run, tmp_path: Path) -> None:
    run("init", "--empty", tmp_path / "rides")

    code, out, err = run("import", "feast", HERE / "repository", "--project", tmp_path / "rides")

    assert (code, out) == (2, "")
    assert "--python" in err
    assert not (tmp_path / "rides" / "feature_defs" / "imported.py").exists()
