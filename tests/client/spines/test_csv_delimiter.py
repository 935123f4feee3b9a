"""CSV files with another delimiter: refused with the way to read them, and then read exactly."""

import pytest

import featurestore as fs


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ":"])
def test_a_file_with_another_delimiter_is_a_spine(filled, tmp_path, delimiter):
    lines = [["id", "at", "note"], ["1", "1970-01-01T03:00:00Z", '"a,b;""c"""'], ["2", "", "x"]]
    if delimiter == ":":
        lines[1][1] = f'"{lines[1][1]}"'
    path = tmp_path / "rows.csv"
    path.write_text("".join(delimiter.join(line) + "\n" for line in lines))

    spine = fs.csv_spine(path, delimiter=delimiter)
    frame = filled.get_historical_features(
        ["profile"], spine, timestamp_field="at", null_times="keep"
    )

    assert frame.to_arrow().select(["id", "note", "city"]).to_pylist() == [
        {"id": 1, "note": 'a,b;"c"', "city": "b"},
        {"id": 2, "note": "x", "city": None},
    ]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_the_error_names_what_reads_the_file(filled, tmp_path, delimiter):
    path = tmp_path / "rows.csv"
    path.write_text(f"id{delimiter}event_timestamp\n1{delimiter}1970-01-01T03:00:00Z\n")

    with pytest.raises(fs.SpineError) as error:
        filled.get_historical_features(["profile"], path)

    assert f"delimiter={delimiter!r}" in error.value.fix
    assert eval(error.value.fix.removeprefix("Pass ").removesuffix(".")).num_rows == 1


@pytest.mark.parametrize("delimiter", ["", ";;", "\n", '"', "é", 5, None])
def test_a_delimiter_is_one_character(tmp_path, delimiter):
    with pytest.raises(fs.RequestError, match="delimiter is"):
        fs.csv_spine(tmp_path / "rows.csv", delimiter=delimiter)


def test_a_line_with_too_many_values_is_named(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("id;note\n1;a\n2;b;c\n")

    with pytest.raises(fs.SpineError, match="line 3 "):
        fs.csv_spine(path, delimiter=";")
