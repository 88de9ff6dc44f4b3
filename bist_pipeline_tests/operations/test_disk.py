import shutil

import pytest

from bist_pipeline.operations.disk import check_disk, free_bytes
from bist_pipeline.operations.errors import DiskSpaceError


def test_a_path_that_does_not_exist_yet_is_measured_where_it_would_be(tmp_path):
    measured = free_bytes(tmp_path / "not" / "yet")
    assert measured == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)


def test_enough_room_passes(tmp_path):
    check_disk(tmp_path, 1)


def test_too_little_room_is_refused_with_both_figures(tmp_path):
    with pytest.raises(DiskSpaceError, match=r"MB free on this disk, 1,000,000,000,000 MB needed"):
        check_disk(tmp_path, 10**18)
