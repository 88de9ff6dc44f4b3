"""Chart patterns in the database: derived across a split, published as events, drawn in today's shares."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.core.errors import BistError
from bist_pipeline.pipeline import gallery
from bist_pipeline.pipeline.charts import find_charts, tape_of
from bist_pipeline.pipeline.market_kind import ensure_market_kind
from bist_pipeline.pipeline.point_in_time import read_point_in_time
from bist_pipeline.pipeline.publish import publish
from bist_pipeline.pipeline.span import Span
from bist_pipeline.storage.bars import read_bars
from bist_pipeline_tests.kept import database_url, kept_url  # noqa: F401 - fixtures
from bist_pipeline_tests.pipeline.answers import write
from bist_pipeline_tests.pipeline.drawn_market import (
    CONFIRMED,
    DAYS,
    EX_DATE,
    FORMED,
    PATTERN,
    RATIO,
    SYMBOL,
    TOP,
    fill,
)
from bist_pipeline_tests.pipeline.split_market import PRICES

PNG = b"\x89PNG\r\n\x1a\n"
FLAGS = {"is_tradeable": "boolean", "is_strong": "boolean"}  # NULL where nothing is asked
EVENT = f"{SYMBOL}:{PATTERN}:{DAYS[TOP.row(34)]}:{FORMED}"


@pytest.fixture(scope="module")
def site(sites, tmp_path_factory):
    """A share that drew a double top, split while it was forming, and broke down; nobody changes this database."""
    return fill(sites, tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="module")
def life(site):
    return site.database.frame("SELECT * FROM analytics.chart_patterns WHERE event_id = $1 ORDER BY 2", [EVENT])


# ── derived ──


def test_a_drawn_double_top_is_stored_with_both_its_changes_in_the_shares_of_their_days(life):
    assert life["state"].tolist() == ["forming", "confirmed"]
    assert life["session_date"].dt.date.tolist() == [FORMED, CONFIRMED]
    assert FORMED < EX_DATE < CONFIRMED
    first, second = life["line_try"]
    assert first == pytest.approx(10 * np.exp(0.10), abs=0.006)
    assert second == pytest.approx(first / RATIO, abs=2e-6)
    points = [np.array([point["price_try"] for point in json.loads(text)]) for text in life["pivots"]]
    np.testing.assert_allclose(points[1], points[0] / RATIO, atol=2e-6)
    assert life["target_try"].iloc[1] < life["close_try"].iloc[1] < second < life["stop_try"].iloc[1]


def test_a_row_is_known_when_its_session_is_over_and_told(life):
    for day, known_at in zip(life["session_date"].dt.date, life["known_at"], strict=True):
        final = datetime(day.year, day.month, day.day, 15, 10, tzinfo=UTC)
        assert final <= known_at.to_pydatetime() <= final + pd.Timedelta(hours=1)


def test_the_census_is_stored_beside_it_and_served_by_session(site):
    stored = site.database.frame("SELECT symbol, session_date, candidates, outcomes FROM analytics.chart_candidates")
    outcomes = [json.loads(text) for text in stored["outcomes"]]
    assert [len(one) for one in outcomes] == stored["candidates"].tolist()
    counted = pd.DataFrame(
        [
            (day, *outcome.split("."))
            for day, many in zip(stored["session_date"], outcomes, strict=True)
            for outcome in many
        ],
        columns=["session_date", "pattern", "outcome"],
    )
    keys = list(counted.columns)
    expected = counted.value_counts().rename("candidates").reset_index().sort_values(keys, ignore_index=True)
    served = site.database.frame("SELECT * FROM serving.pattern_census_v1").sort_values(keys, ignore_index=True)
    assert list(served.columns) == [*keys, "candidates"]
    assert served.to_dict("list") == expected.to_dict("list")
    kept = served[(served["pattern"] == PATTERN) & (served["outcome"] == "kept")]
    assert FORMED in kept["session_date"].dt.date.tolist()


def test_found_from_a_session_on_is_what_is_found_of_all(site):
    bars, shares = read_bars(site.database, DAYS[-1]), read_point_in_time(site.database)
    assert set(shares.factors) == {SYMBOL}
    tape = tape_of(bars, shares)
    whole, late = find_charts(tape, DAYS[0]), find_charts(tape, EX_DATE)
    for everything, part in zip(whole, late, strict=True):
        later = everything[everything["session_date"] >= pd.Timestamp(EX_DATE)].reset_index(drop=True)
        assert 0 < len(later) < len(everything)
        pd.testing.assert_frame_equal(part, later)


# ── published ──


@pytest.fixture
def told(life, context):
    """An empty database that holds the two rows of the double top and nothing else."""
    rows = life.drop(columns="updated_at")
    write(context.database, "chart_patterns", rows.astype(FLAGS))
    return context


SPAN = Span(DAYS[0], DAYS[-1])
OF_THE_BAR = ("close_try", "volume_z")  # of which each refresh tells anew


def test_a_close_and_a_volume_that_move_make_no_new_version(told):
    publish(told, SPAN)
    told.database.run_alone("UPDATE analytics.chart_patterns SET close_try = close_try * 1.001, volume_z = 3")
    report = publish(told, SPAN)
    assert (report.events, report.events_superseded) == (0, 0)


def served(context):
    rows = context.database.rows(
        """SELECT state, strength, publish_id, superseded_by FROM serving.pattern_events
        ORDER BY session_date, publish_id"""
    )
    return [tuple(row) for row in rows]


def test_each_change_is_published_as_an_event_of_kind_chart_with_points_and_lines(told, life):
    report = publish(told, SPAN)
    assert (report.events, report.events_superseded) == (2, 0)
    rows = told.database.rows("SELECT * FROM serving.pattern_events_v1 ORDER BY session_date")
    for row, (_, own) in zip(rows, life.iterrows(), strict=True):
        assert (row.event_id, row.symbol, row.pattern, row.kind) == (EVENT, SYMBOL, PATTERN, "chart")
        assert (row.session_date, row.state, row.direction) == (own["session_date"].date(), own["state"], "bearish")
        assert (row.strength, row.known_at, row.is_final) == (own["shape_confidence"], own["known_at"], True)
        assert row.details["pivots"] == json.loads(own["pivots"])
        assert row.details["lines"] == json.loads(own["lines"])
        said = set(life.columns) - {"symbol", "session_date", "event_id", "pattern", "direction", "state", "updated_at"}
        assert set(row.details) == said - {"shape_confidence", "known_at", "is_final", *OF_THE_BAR}
    assert rows[0].details["target_try"] is None  # not "NaN", which is no number in JSON
    assert rows[0].details["is_tradeable"] is None
    assert rows[0].details["is_strong"] is None
    assert rows[1].details["target_try"] == life["target_try"].iloc[1]
    assert rows[1].details["is_tradeable"] is True
    assert rows[1].details["is_strong"] is False  # it was drawn with the usual volume
    assert rows[1].details["because"] == "closed beyond the line"


def test_a_change_of_anything_that_is_told_supersedes_and_nothing_else_does(told):
    publish(told, SPAN)
    told.database.run_alone("UPDATE analytics.chart_patterns SET updated_at = now()")
    assert publish(told, SPAN).events == 0
    told.database.run_alone("UPDATE analytics.chart_patterns SET target_try = target_try + 0.000001")  # NULL stays
    report = publish(told, SPAN)
    assert (report.events, report.events_superseded) == (1, 1)
    told.database.run_alone("""UPDATE analytics.chart_patterns SET pivots = replace(pivots, '"known"', ' "known" ')""")
    assert publish(told, SPAN).events == 0  # the same JSON, written otherwise
    assert [row[2:] for row in served(told)] == [(1, None), (1, 3), (3, None)]


def test_a_change_that_is_derived_no_more_is_withdrawn_and_the_forming_stays(told):
    publish(told, SPAN)
    told.database.run_alone("DELETE FROM analytics.chart_patterns WHERE state = 'confirmed'")
    report = publish(told, SPAN)
    assert (report.events, report.events_superseded) == (0, 1)
    assert [(row[0], *row[2:]) for row in served(told)] == [("forming", 1, None), ("confirmed", 1, 2)]
    assert len(told.database.rows("SELECT 1 FROM serving.pattern_events_v1")) == 1


def test_published_of_another_symbol_alone_it_stays_as_it_is(told):
    publish(told, SPAN)
    told.database.run_alone("DELETE FROM analytics.chart_patterns")
    assert publish(told, SPAN, ["ZZAAA"]).events_superseded == 0
    assert publish(told, SPAN, [SYMBOL]).events_superseded == 2


# ── drawn ──


@pytest.fixture
def drawn(monkeypatch):
    """What is handed to the drawing, in order: bars, picture, title."""
    calls = []
    monkeypatch.setattr(gallery, "pattern_chart", lambda bars, picture, *, title: calls.append((bars, picture, title)))
    return calls


def test_a_session_with_confirmed_patterns_has_small_pictures_of_one_symbol_each(site):
    pictures = gallery.charts(site, CONFIRMED)
    assert f"chart_{SYMBOL}" in pictures
    assert len(pictures) <= gallery.CHARTS
    for picture in pictures.values():
        assert picture.startswith(PNG)
        assert len(picture) <= 30_000


def test_a_session_without_a_confirmed_pattern_has_no_picture(site):
    assert gallery.charts(site, DAYS[10]) == {}
    assert gallery.charts(site, DAYS[-1] + pd.Timedelta(days=1)) == {}


def test_what_can_be_traded_is_drawn_first_and_what_is_better_formed_before_the_rest(told, drawn, life):
    confirmed = life.drop(columns="updated_at").iloc[[1]].astype(FLAGS)
    kinds = [("ZZAAA", 0.4, True), ("ZZAAB", 0.9, False), ("ZZAAC", 0.8, True), ("ZZAAD", 0.6, True)]
    rows = [
        confirmed.assign(
            symbol=symbol, event_id=f"{symbol}:{PATTERN}:{n}", shape_confidence=confidence, is_tradeable=tradeable
        )
        for symbol, confidence, tradeable in kinds
        for n in (1, 2)
    ]
    write(told.database, "chart_patterns", pd.concat(rows).astype(FLAGS | {"symbol": "str"}))
    chosen = gallery_order(told, drawn)
    assert chosen == ["ZZAAC", "ZZAAD", "ZZAAA"]


def gallery_order(context, drawn):
    """Symbols in the order in which they are drawn, without bars: each drawing is only asked for."""
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "draw_event", lambda _context, event_id, _day: asked.append(event_id) or b"")
        pictures = gallery.charts(context, CONFIRMED)
    assert not drawn
    assert [name.removeprefix("chart_") for name in pictures] == [one.split(":")[0] for one in asked]
    return [one.split(":")[0] for one in asked]


def test_an_event_is_drawn_in_the_shares_of_the_last_session(site, drawn, life):
    gallery.draw_event(site, EVENT, CONFIRMED)
    ((bars, picture, _),) = drawn
    stored = site.database.frame(
        "SELECT * FROM market.daily_prices WHERE symbol = $1 AND session_date <= $2 ORDER BY session_date",
        [SYMBOL, CONFIRMED],
    )
    before = stored["session_date"] < pd.Timestamp(EX_DATE)
    for name in PRICES:
        np.testing.assert_allclose(bars[name], stored[name] / np.where(before, RATIO, 1.0), rtol=1e-15)
    assert picture.state == "confirmed"
    assert (picture.formed_on, picture.confirmed_on, picture.ended_on) == (FORMED, CONFIRMED, None)
    assert picture.target_try == life["target_try"].iloc[1]
    # Its points are highs and lows of the bars that are drawn.
    own = bars.set_index(bars["session_date"].dt.date)
    kinds = ("high_try", "low_try", "high_try", "low_try", "high_try")
    assert len(picture.pivots) == len(kinds)
    for (day, price), kind in zip(picture.pivots, kinds, strict=True):
        assert price == pytest.approx(own.loc[day, kind], abs=2e-6)


@pytest.mark.parametrize("until", [FORMED, EX_DATE])
def test_before_it_is_confirmed_it_is_drawn_forming_across_the_ex_date_too(site, drawn, until):
    gallery.draw_event(site, EVENT, until)
    ((bars, picture, _),) = drawn
    assert (picture.state, picture.confirmed_on, picture.target_try, picture.stop_try) == ("forming", None, None, None)
    last = DAYS.index(until)
    assert bars["session_date"].iloc[-1].date() == until
    valley = 10 * np.exp(0.10) / (RATIO if until >= EX_DATE else 1.0)
    assert picture.pivots[3][1] == pytest.approx(valley, abs=0.006)
    assert picture.lines[0].to_try == pytest.approx(valley, abs=0.006)
    assert len(bars) == last + 1


def test_an_event_that_had_not_begun_is_not_drawn(site):
    with pytest.raises(BistError, match="had begun by"):
        gallery.draw_event(site, EVENT, DAYS[DAYS.index(FORMED) - 1])
    with pytest.raises(BistError, match="no chart pattern NOBODY:double_top"):
        gallery.draw_event(site, "NOBODY:double_top:2024-01-02:2024-01-03", CONFIRMED)


def test_a_picture_says_that_its_market_is_simulated(site, drawn):
    gallery.draw_event(site, EVENT, CONFIRMED)
    assert drawn[0][2] == f"{SYMBOL} · Double top · SIMULATED"


def test_a_picture_of_a_real_market_says_nothing(context):
    assert gallery.titled(context, "THYAO") == "THYAO"
    ensure_market_kind(context.database, "real", "archive", datetime(2024, 1, 2, tzinfo=UTC))
    assert gallery.titled(context, "THYAO") == "THYAO"


def test_another_publisher_finds_nothing_to_change(site):
    report = publish(replace(site, run_id="again"), SPAN)
    assert (report.signals, report.events, report.events_superseded) == (0, 0, 0)
