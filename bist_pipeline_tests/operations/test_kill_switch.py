import pytest

from bist_pipeline.core.errors import KillSwitchError
from bist_pipeline.operations import kill_switch


def test_without_a_switch_or_without_its_file_work_goes_on(tmp_path):
    kill_switch.check(None)
    kill_switch.check(tmp_path / "stop")
    kill_switch.check(tmp_path / "no folder" / "stop")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"exchange outage\nsecond line", "exchange outage"),
        (b"", "no reason given"),
        (b"\n\n", "no reason given"),
        (b"  bad\xff byte  ", "bad\ufffd byte"),
        ("İş günü değil".encode(), "İş günü değil"),
    ],
)
def test_a_present_file_stops_work_with_its_first_line_as_the_reason(tmp_path, content, reason):
    switch = tmp_path / "stop"
    switch.write_bytes(content)

    with pytest.raises(KillSwitchError) as stopped:
        kill_switch.check(switch)

    assert str(stopped.value) == f"kill switch {switch} is set: {reason}; remove the file to resume"


def test_a_long_first_line_is_cut(tmp_path):
    (tmp_path / "stop").write_text("x" * 100_000)
    with pytest.raises(KillSwitchError) as stopped:
        kill_switch.check(tmp_path / "stop")
    assert len(str(stopped.value)) < 500


def test_a_folder_and_a_dangling_link_count_as_set(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for switch in (tmp_path / "folder", tmp_path / "link"):
        with pytest.raises(KillSwitchError, match="reason cannot be read"):
            kill_switch.check(switch)


def test_a_switch_that_cannot_be_looked_at_counts_as_set(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(KillSwitchError, match="counts as set"):
        kill_switch.check(loop / "stop")
