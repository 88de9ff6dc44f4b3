"""Nothing that comes after a session changes a row of it."""

import numpy as np
import pytest

from bist_pipeline_tests.archives import simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import DERIVED, SERVED, all_contents, assert_same_bits, count, run
from bist_pipeline_tests.pipeline.spoiled import TIMELESS, spoiled_archive

TABLES = (*DERIVED, *SERVED)
SESSIONS = 120
BARS = simulated_bars(symbols=4, sessions=SESSIONS)
DAYS = sorted(BARS["session_date"].unique())


@pytest.fixture(scope="module")
def whole(sites, tmp_path_factory):
    """The whole market, backfilled, and its tables."""
    context = sites.make(write_archive(tmp_path_factory.mktemp("whole") / "archive", BARS))
    run(context, DAYS[0], DAYS[-1])
    return context, all_contents(context, TABLES)


# What readers multiply with to come to the basis of today: of now, and nothing is computed from it.
AS_OF_NOW = ["adjustment_factor", "total_return_factor"]


def assert_same_until(one, other, last):
    one, other = (
        {name: rows.drop(columns=AS_OF_NOW, errors="ignore") for name, rows in t.items()} for t in (one, other)
    )
    for table in TABLES:
        early, late = (rows[rows["session_date"] <= last].reset_index(drop=True) for rows in (one[table], other[table]))
        assert len(early)
        assert_same_bits(early, late, table)


def another_future(rng, after):
    """The same bars up to a day; after it other prices and volumes, and faults."""
    bars = BARS.copy()
    future = (bars["session_date"] > after).to_numpy()
    factor = np.where(future, rng.uniform(0.2, 5.0, len(bars)), 1.0)
    for name in ("open_try", "high_try", "low_try", "close_try"):
        bars[name] = bars[name] * factor
    bars["volume_shares"] = np.where(future, rng.integers(0, 10**7, len(bars)), bars["volume_shares"])
    faults = {}
    for symbol, own in bars.groupby("symbol"):
        places = np.flatnonzero((own["session_date"] > after).to_numpy())
        spoiled = rng.choice(places, min(6, len(places)), replace=False)
        # Bars on a holiday or before 2010 would lie before the day.
        later = [fault for fault in TIMELESS if "2010" not in fault.name and "holiday" not in fault.name]
        faults[str(symbol)] = {int(place): later[rng.integers(len(later))] for place in spoiled}
    return bars, faults


@pytest.mark.parametrize("seed", [1, 2])
def test_another_future_changes_no_row_of_the_past(sites, whole, tmp_path, seed):
    rng = np.random.default_rng(seed)
    day = DAYS[int(rng.integers(60, SESSIONS - 5))]
    archive = tmp_path / "archive"
    spoiled_archive(archive, *another_future(rng, day))
    context = sites.make(archive)
    run(context, DAYS[0], DAYS[-1])
    found = all_contents(context, TABLES)
    assert_same_until(found, whole[1], day)
    later = found["analytics.signals"].merge(whole[1]["analytics.signals"], on=["symbol", "session_date"])
    later = later[later["session_date"] > day]
    assert (later["score_x"] != later["score_y"]).any(), "the future did differ"


@pytest.mark.parametrize("position", [45, 99])
def test_the_archive_as_it_was_on_a_day_gives_the_rows_up_to_that_day(sites, whole, tmp_path, position):
    day = DAYS[position]
    context = sites.make(write_archive(tmp_path / "archive", BARS[BARS["session_date"] <= day]))
    run(context, DAYS[0], day)
    assert_same_until(all_contents(context, TABLES), whole[1], day)


def test_a_future_that_changes_afterwards_supersedes_nothing_of_the_past(sites, whole, tmp_path):
    day = DAYS[80]
    archive = tmp_path / "archive"
    bars, faults = another_future(np.random.default_rng(9), day)
    spoiled_archive(archive, bars, faults)
    context = sites.make(archive, copy_of=whole[0])
    report = run(context, DAYS[0], DAYS[-1])
    assert report.published.signals_superseded > 0
    past = f"session_date <= DATE '{str(day)[:10]}'"
    for table in ("serving.signals", "serving.pattern_events"):
        assert count(context, table, f"{past} AND (superseded_by IS NOT NULL OR publish_id > 1)") == 0
    assert_same_until(all_contents(context, TABLES), whole[1], day)


@pytest.mark.realdata
def test_recorded_rows_up_to_a_day_do_not_know_what_came_after(sites, recorded, tmp_path):
    day, symbols = "2024-07-31", ("CCOLA", "THYAO", "HEKTS")  # the day before CCOLA falls by 91 %
    archive = tmp_path / "archive"
    archive.mkdir()
    for symbol in symbols:
        text = (recorded.settings.bist_archive_dir / f"{symbol}.csv").read_text().splitlines()
        kept = [text[0], *(line for line in text[1:] if line[:10] <= day)]
        (archive / f"{symbol}.csv").write_text("\n".join(kept) + "\n")
    context = sites.make(archive)
    run(context, "2021-08-10", day)
    found, full = all_contents(context, TABLES), all_contents(recorded, TABLES)
    for table in TABLES:
        # Three shares alone cannot say that a session of the whole market was cut off.
        apart = ["grade", "repaired", *AS_OF_NOW]
        found[table], full[table] = (
            frame.drop(columns=apart, errors="ignore") for frame in (found[table], full[table])
        )
        of_three = full[table][full[table]["symbol"].isin(symbols) & (full[table]["session_date"] <= day)]
        assert len(of_three) > 700
        assert_same_bits(found[table], of_three.reset_index(drop=True), table)
