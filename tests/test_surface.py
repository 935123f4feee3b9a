"""The public surface: what `import featurestore as fs` offers, and that all of it is explained."""

import inspect
import re
from types import ModuleType

import pytest

import featurestore as fs

NAMES = list(getattr(fs, "__all__", ()))
CALLABLES = [name for name in NAMES if callable(getattr(fs, name))]


def public_members(owner: type) -> list[tuple[str, object]]:
    """Return the methods and properties that a class itself defines."""
    return [
        (name, member)
        for name, member in vars(owner).items()
        if not name.startswith("_")
        and (inspect.isfunction(member) or isinstance(member, property | classmethod))
    ]


def test_names_are_sorted() -> None:
    assert sorted(set(NAMES)) == NAMES


def test_nothing_else_is_public() -> None:
    others = {
        name
        for name, value in vars(fs).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and str(getattr(value, "__module__", "")).startswith("featurestore")
    }

    assert others - set(NAMES) == set()


@pytest.mark.parametrize("name", CALLABLES)
def test_each_name_is_explained(name: str) -> None:
    explained = inspect.getdoc(getattr(fs, name)) or ""

    first_line = explained.partition("\n")[0]
    # A dataclass without a docstring gets its signature as one.
    assert not first_line.startswith(f"{name}(")
    assert re.search(r"\w.*[.:]$", first_line)


@pytest.mark.parametrize("name", CALLABLES)
def test_each_public_method_is_explained(name: str) -> None:
    owner = getattr(fs, name)
    if not inspect.isclass(owner):
        return

    silent = [member for member, value in public_members(owner) if not inspect.getdoc(value)]

    assert silent == []
