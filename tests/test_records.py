"""What lies in a run's folder: standard JSON and safetensors, in which damage is noticed wherever it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from atnas.dsl.errors import Unable
from atnas.runtime.records import LARGEST, document_of, line_of, plain, record_of
from atnas.runtime.tensors import load_tensors, save_tensors

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-LARGEST, LARGEST) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
records = st.dictionaries(st.text().filter(lambda key: key != "crc32"), values, max_size=4)


@given(records)
def test_a_record_is_read_as_it_was_written_by_us_and_by_any_json_reader(record: dict[str, Any]) -> None:
    for text in (line_of(record), document_of(record)):
        assert record_of(text.encode(), sealed=True) == record
        others = json.loads(text)
        assert list(others)[-1] == "crc32"
        assert {key: value for key, value in others.items() if key != "crc32"} == record
    assert "\n" not in line_of(record)
    assert json.loads(plain(record)) == record


@given(records, st.data())
def test_any_change_of_a_record_is_noticed_or_changes_nothing(record: dict[str, Any], data: st.DataObject) -> None:
    for text in (line_of(record).encode(), document_of(record).encode()):
        damaged = bytearray(text)
        damaged[data.draw(st.integers(0, len(text) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        assert unchanged_or_refused(bytes(damaged), record)
        assert unchanged_or_refused(text[: data.draw(st.integers(0, len(text) - 1))], record)


def unchanged_or_refused(text: bytes, record: dict[str, Any]) -> bool:
    try:
        return record_of(text, sealed=True) == record
    except ValueError:
        return True


@pytest.mark.parametrize("number", [1e101, -1e300, float("inf"), float("nan")])
def test_a_number_beyond_reason_is_none(number: float) -> None:
    assert record_of(line_of({"loss": number}).encode(), sealed=True) == {"loss": None}


def test_a_record_without_a_checksum_is_one_of_an_older_version_or_damaged() -> None:
    assert record_of(b'{"step": 3}', sealed=False) == {"step": 3}
    with pytest.raises(ValueError, match="missing"):
        record_of(b'{"step": 3}', sealed=True)
    with pytest.raises(ValueError, match="no object"):
        record_of(b"[3]", sealed=False)


TENSORS = {
    "weight": torch.arange(6.0).reshape(2, 3),
    "count": torch.tensor(3),
    "mask": torch.tensor([True, False]),
    "half": torch.ones(2, 2, dtype=torch.bfloat16).t(),
    "none": torch.empty(0, 4),
}


def test_tensors_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_tensors(path, TENSORS, {"step": 3})
    found, about = load_tensors(path, sealed=True)
    assert about == {"step": 3}
    assert found.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_damage_anywhere_in_a_file_of_tensors_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_tensors(path, TENSORS, {"step": 3})
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            found, about = load_tensors(path, sealed=True)
        except Unable as error:
            assert str(error).startswith(f"{path} is damaged")
        else:  # the header has room that says nothing
            assert about == {"step": 3}
            assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(Unable, match="is damaged"):
            load_tensors(path, sealed=True)


def test_tensors_without_a_checksum_are_of_an_older_version(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "weights.safetensors"
    save_file({"weight": torch.ones(2)}, path, {"atnas": "{}"})
    assert load_tensors(path, sealed=False)[0]["weight"].tolist() == [1, 1]
    with pytest.raises(Unable, match="its checksum does not fit"):
        load_tensors(path, sealed=True)
