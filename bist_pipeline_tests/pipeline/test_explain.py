"""Why a signal is what it is, and why there is a pattern or none: what is read and chosen, and what is drawn of it."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.errors import BistError
from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.life import FATES
from bist_pipeline.pipeline import explain as explaining
from bist_pipeline.pipeline.explain import draw, explain
from bist_pipeline_tests.pipeline.drawn_market import (
    CONFIRMED,
    DAYS,
    EX_DATE,
    FORMED,
    OTHER,
    PATTERN,
    RATIO,
    SYMBOL,
    TOP,
    fill,
)
from bist_pipeline_tests.pipeline.sites import all_contents, assert_same_bits

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def site(sites, tmp_path_factory):
    """A share that drew a double top, split while it was forming, and broke down; nobody changes this database."""
    return fill(sites, tmp_path_factory.mktemp("drawn"))


def test_of_a_pattern_its_whole_life_up_to_the_session_is_told_as_it_is_stored(site):
    told = explain(site, SYMBOL, DAYS[-1], PATTERN)
    assert (told.symbol, told.session) == (SYMBOL, DAYS[-1])
    (one,) = told.patterns
    assert one.pattern is registered_charts()[PATTERN]
    stored = site.database.frame(
        "SELECT * FROM analytics.chart_patterns WHERE event_id = $1 ORDER BY session_date",
        [one.life["event_id"].iloc[0]],
    )
    assert one.life["state"].tolist() == stored["state"].tolist() == ["forming", "confirmed"]
    assert one.life["session_date"].dt.date.tolist() == [FORMED, CONFIRMED]
    for name in ("close_try", "line_try", "target_try", "stop_try", "shape_confidence"):
        np.testing.assert_array_equal(one.life[name], stored[name])
    assert one.life["pivots"].tolist() == stored["pivots"].tolist()


def test_nothing_after_the_session_that_is_asked_about_is_told(site):
    (one,) = explain(site, SYMBOL, DAYS[DAYS.index(CONFIRMED) - 1], PATTERN).patterns
    assert one.life["state"].tolist() == ["forming"]
    (one,) = explain(site, SYMBOL, DAYS[DAYS.index(FORMED) - 1], PATTERN).patterns
    assert one.life.empty


@pytest.mark.parametrize("day", [FORMED, EX_DATE])
def test_the_nearest_candidate_is_told_in_the_shares_of_the_session_that_is_asked_about(site, day):
    (one,) = explain(site, SYMBOL, day, PATTERN).patterns
    assert one.near is not None
    assert one.near.first_broken is None
    assert one.near.fate in FATES
    assert one.near_session is not None
    assert FORMED <= one.near_session <= day  # a larger scale sees the same points later
    assert one.points["session_date"].dt.date.tolist() == [DAYS[TOP.row(bar)] for bar, _ in TOP.points[:5]]
    expected = 10 * np.exp([price for _, price in TOP.points[:5]]) / (RATIO if day >= EX_DATE else 1.0)
    np.testing.assert_allclose(one.points["price_try"], expected, atol=0.006)


def test_of_a_signal_every_term_is_told_and_they_sum_to_its_score(site):
    told = explain(site, OTHER, DAYS[-1])
    assert told.signal is not None
    assert told.signal["session_date"].date() == DAYS[-1]
    assert sum(term["contribution"] for term in told.terms) == pytest.approx(told.signal["score"], abs=1e-12)


def test_without_a_pattern_those_are_told_of_which_there_is_something_to_tell(site):
    told = explain(site, SYMBOL, DAYS[-1])
    names = [one.pattern.name for one in told.patterns]
    assert names == sorted(set(names))
    assert PATTERN in names
    assert all(one.near is not None or len(one.life) for one in told.patterns)
    assert len(explain(site, SYMBOL, DAYS[0]).patterns) < len(names)


def test_an_event_of_more_than_a_year_ago_is_no_news(site, monkeypatch):
    monkeypatch.setattr(explaining, "_LIFE_DAYS", (DAYS[-1] - CONFIRMED).days)
    assert len(explain(site, SYMBOL, DAYS[-1], PATTERN).patterns[0].life) == 2
    monkeypatch.setattr(explaining, "_LIFE_DAYS", (DAYS[-1] - CONFIRMED).days - 1)
    assert explain(site, SYMBOL, DAYS[-1], PATTERN).patterns[0].life.empty


def test_a_holiday_is_explained_as_the_last_session_before_it(site):
    saturday = next(day + timedelta(days=1) for day in DAYS if day.weekday() == 4 and day > FORMED)
    assert explain(site, SYMBOL, saturday, PATTERN).session == saturday - timedelta(days=1)
    assert explain(site, SYMBOL, DAYS[-1] + timedelta(days=30)).session == DAYS[-1]


def test_on_its_first_bar_there_is_no_pattern_and_no_candidate(site):
    assert explain(site, SYMBOL, DAYS[0]).patterns == ()
    (one,) = explain(site, SYMBOL, DAYS[0], PATTERN).patterns
    assert (one.near, one.near_session, len(one.life), len(one.points)) == (None, None, 0, 0)


@pytest.mark.parametrize(
    ("symbol", "day", "pattern", "reason"),
    [
        ("NOSUCH", DAYS[-1], None, "NOSUCH has no accepted bar up to"),
        (SYMBOL, DAYS[0] - timedelta(days=1), None, f"no accepted bar up to {DAYS[0] - timedelta(days=1)}"),
        (SYMBOL, DAYS[-1], "tripple_top", r"no chart pattern 'tripple_top' is registered; there are .*triple_top"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_one_line(site, symbol, day, pattern, reason):
    with pytest.raises(BistError, match=reason) as caught:
        explain(site, symbol, day, pattern)
    assert "\n" not in str(caught.value)


def test_explaining_writes_nothing(site):
    before = all_contents(site)
    draw(site, explain(site, SYMBOL, DAYS[-1], PATTERN))
    for table, rows in all_contents(site).items():
        assert_same_bits(rows, before[table], table)


# ── drawn ──


@pytest.fixture
def drawn(monkeypatch):
    """What is handed to the drawing, in order: bars, picture, title."""
    calls = []
    monkeypatch.setattr(
        explaining, "pattern_chart", lambda bars, picture, *, title: calls.append((bars, picture, title))
    )
    return calls


def test_an_event_is_drawn_as_the_gallery_draws_it(site):
    picture = draw(site, explain(site, SYMBOL, DAYS[-1], PATTERN))
    assert picture.startswith(PNG)
    assert len(picture) <= 30_000


def test_an_event_is_drawn_with_its_lines_in_the_shares_of_the_session(site, drawn):
    draw(site, explain(site, SYMBOL, CONFIRMED, PATTERN))
    ((bars, picture, title),) = drawn
    assert title == f"{SYMBOL} · Double top · SIMULATED"
    assert bars["session_date"].iloc[-1].date() == CONFIRMED
    assert (picture.state, picture.confirmed_on) == ("confirmed", CONFIRMED)
    assert [line.to_try for line in picture.lines] == pytest.approx([10 * np.exp(0.10) / RATIO], abs=0.006)


@pytest.fixture(scope="module")
def near_miss(site):
    """Of an ordinary share one pattern with a candidate that was turned away, and without an event."""
    everything = explain(site, OTHER, DAYS[-1]).patterns
    one = next(one for one in everything if one.life.empty and one.near is not None and one.near.first_broken)
    return explain(site, OTHER, DAYS[-1], one.pattern.name)


def test_without_an_event_the_nearest_candidate_is_drawn_without_a_line_to_trade_on(site, near_miss, drawn):
    draw(site, near_miss)
    ((_, picture, title),) = drawn
    (one,) = near_miss.patterns
    assert title == f"{OTHER} · {one.pattern.title} · SIMULATED"
    assert (picture.state, picture.lines, picture.target_try) == ("no pattern", (), None)
    assert [price for _, price in picture.pivots] == one.points["price_try"].tolist()
    assert picture.formed_on == one.near_session
    assert np.isnan(picture.confidence)


def test_a_candidate_is_drawn_for_real(site, near_miss):
    picture = draw(site, near_miss)
    assert picture.startswith(PNG)
    assert len(picture) <= 30_000


def test_where_there_is_neither_event_nor_candidate_nothing_is_drawn(site):
    with pytest.raises(BistError, match="no event and no candidate to draw"):
        draw(site, explain(site, SYMBOL, DAYS[0], PATTERN))


def test_a_session_that_was_not_traded_is_a_day_of_the_calendar(site):
    assert isinstance(explain(site, SYMBOL, DAYS[-1]).session, date)
    assert not isinstance(explain(site, SYMBOL, DAYS[-1]).session, pd.Timestamp)
