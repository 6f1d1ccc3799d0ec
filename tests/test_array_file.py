import numpy as np
import pytest

from segue import array_file

ARRAYS = {
    "rows": np.arange(35, dtype=np.float32).reshape(5, 7),
    "by_column": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "names": np.array(["one", "zwölf"]),
    "flag": np.array(True),
    "none": np.empty((0, 4), dtype=np.int64),
    "odd": np.arange(3, dtype=np.uint8),
}


def same(found: dict[str, np.ndarray]) -> None:
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
        assert not found[name].flags.writeable


def test_arrays_lie_aligned_in_their_file_and_come_back_as_they_were(tmp_path):
    path = tmp_path / "arrays.npz"
    array_file.write(path, ARRAYS)
    found = array_file.arrays(array_file.content(path))
    same(found)
    address = found["rows"].__array_interface__["data"][0]
    assert (address % 64, found["rows"].flags.owndata) == (0, False)
    with np.load(path, allow_pickle=False) as plain:
        np.testing.assert_array_equal(plain["by_column"], ARRAYS["by_column"])


def test_files_of_numpy_itself_are_read_too(tmp_path):
    np.savez(tmp_path / "plain.npz", **ARRAYS)
    same(array_file.arrays(array_file.content(tmp_path / "plain.npz")))
    np.savez_compressed(tmp_path / "small.npz", **ARRAYS)
    with pytest.raises(ValueError, match="compressed"):
        array_file.arrays(array_file.content(tmp_path / "small.npz"))


def test_who_holds_arrays_keeps_them_when_the_file_is_written_anew(tmp_path):
    path = tmp_path / "arrays.npz"
    array_file.write(path, ARRAYS)
    found = array_file.arrays(array_file.content(path))
    array_file.write(path, {"rows": np.zeros(1)})
    same(found)
