"""Two recordings of one market, a year apart and adjusted differently, and one against itself."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.quality.comparison.engine import bars_of, compare
from bist_pipeline_tests.market.raw_rows import recorded_daily
from bist_pipeline_tests.quality.comparison.invented import PRICES, with_stale_close

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def daily():
    return bars_of(recorded_daily())


@pytest.fixture(scope="module")
def with_events():
    beside = Path(__file__).resolve().parents[4] / "shared" / "data"
    folder = Path(os.environ.get("BIST_REALDATA", beside)) / "bist_with_events"
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    frames = [
        pd.read_csv(path).assign(symbol=path.stem.split("_")[0]) for path in sorted(folder.glob("*_1d_cache.csv"))
    ]
    rows = pd.concat(frames, ignore_index=True)
    days = pd.to_datetime(rows["Date"].str[:10]).astype("datetime64[us]")
    names = dict(zip(("open", "high", "low", "close", "volume"), [*PRICES, "volume_shares"], strict=True))
    return rows.rename(columns=names).assign(
        session_date=days, basis="fully_adjusted", symbol=rows["symbol"].astype("str")
    )


@pytest.fixture(scope="module")
def sessions(daily):
    first, last = daily["session_date"].min().date(), daily["session_date"].max().date()
    return load_calendar().sessions(first, last)


def test_two_recordings_of_21_shares_agree_on_every_bar_that_both_have(daily, with_events, sessions):
    compared = compare(daily, with_events, sessions=sessions)
    known = compared.recognised
    print(known.drop(columns=["comparable", "reason"]).to_string(index=False))  # noqa: T201 - shown with -s
    print(compared.rows.drop(columns=["detail"]).to_string(index=False))  # noqa: T201
    assert len(known) == 21
    assert known["comparable"].all()
    assert known["agreeing"].tolist() == known["bars"].tolist()
    assert known["steps"].sum() == 0
    assert set(known["volume_kind"]) == {"shares"}
    assert set(compared.rows["verdict"]) == {"only_first"}  # the sessions after the shorter recording ends


def test_a_recording_rounded_to_four_decimals_agrees_with_itself(daily, sessions):
    rounded = daily.assign(**daily[PRICES].round(4))
    compared = compare(daily, rounded, sessions=sessions)
    assert compared.rows.empty, compared.rows.head().to_string()
    # Two or three where nothing was ever paid or split: such prices need no more.
    assert set(compared.recognised["second_decimals"]) == {2, 3, 4}
    assert (compared.recognised["second_decimals"] == 4).sum() > 60


def test_a_recording_against_itself_in_turnover_is_recognised(daily, sessions):
    noise = np.exp(np.random.default_rng(5).normal(0, 0.004, len(daily)))
    turnover = daily.assign(volume_shares=daily["volume_shares"] * daily[PRICES[1:]].mean(axis=1) * noise)
    compared = compare(daily, turnover.assign(**turnover[PRICES].round(4)), sessions=sessions)
    assert set(compared.recognised["volume_kind"]) == {"second: turnover in lira"}
    assert compared.rows.empty, compared.rows.head().to_string()


def test_stale_closes_planted_in_a_recording_are_blamed_on_it_and_on_nothing_else(daily, sessions):
    rng, stale, planted = np.random.default_rng(11), daily, set()
    for symbol in ("AKBNK", "THYAO", "SISE", "EREGL", "ASELS", "KCHOL"):
        mine = daily[(daily["symbol"] == symbol) & daily["session_date"].isin(sessions)]
        # Where the close moved by a tick at least, and its neighbours are there.
        moved = np.flatnonzero((mine["close_try"].diff().abs() / mine["close_try"]).to_numpy() > 1e-3)
        for place in rng.choice(moved[5:-5], 5, replace=False).tolist():
            whole = int(np.flatnonzero(daily.index[(daily["symbol"] == symbol).to_numpy()] == mine.index[place])[0])
            stale = with_stale_close(stale, symbol, whole)
            planted.add((symbol, mine["session_date"].iloc[place]))
    compared = compare(stale, daily.assign(**daily[PRICES].round(4)), sessions=sessions)
    rows = compared.rows
    assert set(zip(rows["symbol"], rows["session_date"], strict=True)) == planted
    verdicts = rows["verdict"].value_counts().to_dict()
    print(verdicts)  # noqa: T201
    assert verdicts.get("first_supported", 0) == 0
    assert verdicts["second_supported"] >= 0.9 * len(planted)
