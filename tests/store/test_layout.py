"""Names and ids that tables contain never lead out of the store's root."""

from collections.abc import Callable
from os.path import normpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.errors import TableError
from featurestore.store.layout import Layout

ROOT = "/data/store/shop"


def test_each_table_has_its_folder_below_the_root() -> None:
    layout = Layout(ROOT)

    assert (
        layout.features("card_activity", "0123abcd") == f"{ROOT}/features/card_activity/0123abcd"
    )
    assert layout.latest("card_activity") == f"{ROOT}/latest/card_activity"
    assert layout.checkpoint("0123abcd", 2) == f"{ROOT}/checkpoints/0123abcd/2"
    assert layout.training_set("fraud-v1.2") == f"{ROOT}/training_sets/fraud-v1.2"
    assert layout.view_lock("card_activity") == f"{ROOT}/locks/views/card_activity.lock"
    assert layout.view_lock("registry") != layout.registry_lock()


@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(["..", ".", "/", "\\", "%2e", "%2F", "a", "file:", "\0"])).map(
            "".join
        ),
    )
)
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    layout = Layout(ROOT)
    for address in (
        lambda: layout.features("v", name),
        lambda: layout.features(name, "t"),
        lambda: layout.latest(name),
        lambda: layout.checkpoint(name, 0),
        lambda: layout.training_set(name),
        lambda: layout.view_lock(name),
    ):
        try:
            path = address()
        except TableError as error:
            assert repr(name) in error.call
        else:
            assert normpath(path).startswith(f"{ROOT}/")
            assert not set(name) & set("/\\%:\0")


@pytest.mark.parametrize(
    "address",
    [
        lambda layout: layout.quarantine("v", ""),
        lambda layout: layout.staging(""),
        lambda layout: layout.checkpoint("", 0),
        lambda layout: layout.checkpoints(""),
    ],
)
def test_an_empty_id_is_not_the_folder_of_all_builds(address: Callable[[Layout], str]) -> None:
    with pytest.raises(TableError):
        address(Layout(ROOT))


@pytest.mark.parametrize("table_id", ["../../../outside", "/etc", "..", "a/b", "%2e%2e"])
def test_the_error_names_the_id_and_the_tables_to_restore(table_id: str) -> None:
    with pytest.raises(TableError) as caught:
        Layout(ROOT).features("v", table_id)

    assert repr(table_id) in caught.value.call
    assert f"{ROOT}/registry/tables" in caught.value.fix
