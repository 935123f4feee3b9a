"""A flipped bit in a feature file: `verify` finds it, and other reads if the project says so."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

import featurestore as fs
from tests.client.shop import NOW


def flip(store: fs.FeatureStore) -> Path:
    """Write the file of the rates as Spark does, flip a bit of a value, and return the file."""
    table = DeltaTable(store.layout.features("rate", "rate-1"))
    file = Path(
        table.table_uri.removeprefix("file://"), table.get_add_actions()["path"][0].as_py()
    )
    pq.write_table(pq.read_table(file), file, write_page_checksum=True, use_dictionary=False)
    group = pq.ParquetFile(file).metadata.row_group(0)
    chunk = group.column(pq.read_schema(file).get_field_index("euro"))
    content = bytearray(file.read_bytes())
    content[chunk.data_page_offset + chunk.total_compressed_size - 1] ^= 1
    file.write_bytes(content)
    return file


def test_verify_finds_a_flipped_bit_and_names_the_file(filled: fs.FeatureStore) -> None:
    file = flip(filled)

    with pytest.raises(fs.TableError) as found:
        filled.verify("fraud", sample=5)

    assert file.name in found.value.found
    assert "`featurestore materialize rate --full`" in found.value.fix


def test_a_project_may_verify_each_read(filled: fs.FeatureStore) -> None:
    flip(filled)
    folder = filled.settings.folder
    (folder / "featurestore.toml").write_text('project = "shop"\nverify_checksums = true\n')

    with pytest.raises(fs.TableError):
        fs.FeatureStore(folder, clock=lambda: NOW).get_latest_features(["rate:euro"], [{}])


@pytest.mark.parametrize("value", ['"yes"', "1", '""'])
def test_the_setting_is_true_or_false(filled: fs.FeatureStore, value: str) -> None:
    folder = filled.settings.folder
    (folder / "featurestore.toml").write_text(f'project = "shop"\nverify_checksums = {value}\n')

    with pytest.raises(fs.ProjectError) as refused:
        fs.FeatureStore(folder)

    assert "verify_checksums = true" in refused.value.fix
