"""Make recorded.json again: ``python -m tests.integrations.feast.record PYTHON_WITH_FEAST``."""

import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from featurestore.integrations.feast.read import read_repository
from tests.integrations.feast.rows import write_rows

HERE = Path(__file__).parent


def main(python: Path) -> None:
    with TemporaryDirectory() as temporary:
        folder = Path(temporary, "rides")
        shutil.copytree(HERE / "repository", folder)
        write_rows(folder)
        repository = read_repository(folder, python)
    text = json.dumps(repository, indent=1, sort_keys=True)
    (HERE / "recorded.json").write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
