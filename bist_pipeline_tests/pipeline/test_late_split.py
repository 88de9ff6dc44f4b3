"""An action on its day restates nothing; one learnt late restates its symbol from its ex-date, and nothing else.

The action is a bonus issue of 5 %, told as a split of 1.05: its gap lies within the price limit, so that nothing but
the provider's word tells of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.restate import RestateReport, pending, restate
from bist_pipeline.providers.contract import ACTION_COLUMNS, History
from bist_pipeline_tests.archives import sessions_from, write_archive
from bist_pipeline_tests.pipeline.sites import (
    DERIVED,
    PRICES,
    SERVED,
    assert_same_bits,
    assert_same_tables,
    count,
    ledger,
    run,
)
from bist_pipeline_tests.pipeline.split_market import FIRST, YahooLike, at, market

SESSIONS = 311
DAYS = [day.astype(object) for day in sessions_from(FIRST, SESSIONS)]
EX_DATE, EVE, LEARNT = DAYS[300], DAYS[299], DAYS[310]
SYMBOL, OTHERS = "ZZAAB", ("ZZAAA", "ZZAAC")
RATIO, CASH = 1.05, 0.25
SPLIT = {SYMBOL: [(EX_DATE, RATIO)]}
# The other one has a split that is known at any time: its rows are computed in segments too.
KNOWN = {"ZZAAC": [(DAYS[280], 2.0)]}
SPLIT_BARS = market(3, SESSIONS, SPLIT | KNOWN)
PLAIN_BARS = market(3, SESSIONS, KNOWN)
WRITTEN = (*DERIVED, "serving.signals", "serving.pattern_events")


@dataclass
class Paying(YahooLike):
    """A provider that tells of dividends too; split-adjusted prices know nothing of them."""

    dividends: Sequence[tuple[date, float]] = field(default_factory=list)

    def version(self, symbol: str) -> str:
        return f"{super().version(symbol)} {list(self.dividends)}"

    def history(self, symbol: str) -> History:
        told = super().history(symbol)
        known = [(pd.Timestamp(day), "dividend", np.nan, cash) for day, cash in self.dividends if day <= self.until]
        if symbol != SYMBOL or not known:
            return told
        paid = pd.DataFrame(known, columns=list(ACTION_COLUMNS)).astype(told.actions.dtypes.to_dict())
        return replace(told, actions=pd.concat([told.actions, paid], ignore_index=True))


def provider(kind: str, until: date, *, told: bool) -> Any:
    """A provider on a day, which tells of the action or not yet."""
    if kind == "split":
        return YahooLike(SPLIT_BARS, KNOWN | (SPLIT if told else {}), until)
    return Paying(PLAIN_BARS, KNOWN, until, dividends=[(EX_DATE, CASH)] if told else [])


def evening(context: PipelineContext, kind: str, day: date, *, told: bool, first: date | None = None) -> None:
    """What the evening of a session does: fetch, clean, derive that session (or from another one on), publish."""
    run(at(context, day), first or day, day, providers=[provider(kind, day, told=told)])


def written(context: PipelineContext) -> dict[str, pd.DataFrame]:
    """The derived and served rows with every stamp, in a settled order."""
    keys = ["symbol", "session_date", "pattern", "event_id", "publish_id"]
    found = {}
    for table in WRITTEN:
        rows = context.database.frame(f"SELECT * FROM {table}")
        own = [name for name in keys if name in rows.columns]
        found[table] = rows.sort_values(own).reset_index(drop=True)
    return found


def part(rows: pd.DataFrame, *, symbols: Sequence[str], before: date) -> pd.DataFrame:
    return rows[rows["symbol"].isin(symbols) & (rows["session_date"] < pd.Timestamp(before))].reset_index(drop=True)


@dataclass
class Learnt:
    """An action learnt late, step by step.

    Attributes:
        context: The database, at the end.
        before: What was written before it was learnt.
        evening: After the evening on which it was learnt, before it was restated.
        after: At the end.
        because: Why it was dirty.
        report: Of the restatement.
    """

    context: PipelineContext
    before: dict[str, pd.DataFrame]
    evening: dict[str, pd.DataFrame]
    after: dict[str, pd.DataFrame]
    because: str
    report: RestateReport


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A folder that names the symbols."""
    return write_archive(tmp_path_factory.mktemp("names") / "archive", PLAIN_BARS)


@pytest.fixture(scope="module", params=["split", "dividend"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def eve(sites, archive, kind):
    """Everything up to the session before the ex-date."""
    context = sites.make(archive)
    evening(context, kind, EVE, told=False, first=DAYS[0])
    return context


@pytest.fixture(scope="module")
def learnt(sites, archive, eve, kind):
    context = sites.make(archive, copy_of=eve)
    evening(context, kind, DAYS[309], told=False, first=EX_DATE)
    before = written(context)
    evening(context, kind, LEARNT, told=True)
    row = ledger(context, SYMBOL)
    assert row.dirty_from == EX_DATE
    at_evening = written(context)
    report = restate(at(context, LEARNT))
    return Learnt(context, before, at_evening, written(context), row.dirty_because, report)


@pytest.fixture(scope="module")
def fresh(sites, archive, kind):
    """Everything fetched at the end and derived as one range."""
    context = sites.make(archive)
    evening(context, kind, LEARNT, told=True, first=DAYS[0])
    return context


def test_an_action_on_its_day_changes_no_row_that_was_written_before(sites, archive, eve, kind):
    context = sites.make(archive, copy_of=eve)
    before = written(context)
    evening(context, kind, EX_DATE, told=True)
    assert ledger(context, SYMBOL).dirty_from is None
    assert not pending(context.database)
    after = written(context)
    for table in WRITTEN:
        old = after[table][after[table]["session_date"] <= pd.Timestamp(EVE)].reset_index(drop=True)
        assert_same_bits(old, before[table], table)
    assert count(context, "analytics.indicators", f"session_date = '{EX_DATE}'") == 3


def test_the_evening_on_which_it_is_learnt_writes_its_own_session_alone(learnt):
    for table in WRITTEN:
        old = learnt.evening[table][learnt.evening[table]["session_date"] < pd.Timestamp(LEARNT)]
        assert_same_bits(old.reset_index(drop=True), learnt.before[table], table)


@pytest.mark.parametrize("table", WRITTEN)
def test_what_lies_before_the_ex_date_and_every_other_symbol_are_untouched_with_all_their_stamps(learnt, table):
    was, now = learnt.evening[table], learnt.after[table]
    assert_same_bits(part(now, symbols=OTHERS, before=date.max), part(was, symbols=OTHERS, before=date.max), table)
    assert_same_bits(part(now, symbols=[SYMBOL], before=EX_DATE), part(was, symbols=[SYMBOL], before=EX_DATE), table)


def test_the_symbol_is_restated_from_its_ex_date(learnt):
    restated = [(one.symbol, one.first, one.last) for one in learnt.report.restated]
    assert restated == [(SYMBOL, EX_DATE, LEARNT)]
    was, now = (
        part(rows["analytics.indicators"], symbols=[SYMBOL], before=LEARNT) for rows in (learnt.evening, learnt.after)
    )
    changed = now["session_date"][(was["sma_200"].fillna(0) != now["sma_200"].fillna(0)).to_numpy()]
    assert changed.dt.date.tolist() == DAYS[300:310]


def test_it_ends_in_the_tables_of_a_fresh_build(learnt, fresh):
    assert_same_tables(learnt.context, fresh, (*PRICES, *DERIVED, *SERVED, "reference.action_factors"))
    assert ledger(learnt.context, SYMBOL).dirty_from is None


def test_an_action_on_its_day_ends_in_the_tables_of_a_fresh_build_too(sites, archive, eve, fresh, kind):
    context = sites.make(archive, copy_of=eve)
    evening(context, kind, EX_DATE, told=True)
    evening(context, kind, LEARNT, told=True, first=DAYS[301])
    assert not pending(context.database)
    assert_same_tables(context, fresh, (*PRICES, *DERIVED, *SERVED))


def test_the_ledgers_say_why(learnt):
    noted = learnt.context.database.rows("SELECT * FROM market.restatements")
    assert len(noted) == 1
    versions = {
        table: learnt.after[table][learnt.after[table]["publish_id"] == learnt.report.published.publish_id]
        for table in ("serving.signals", "serving.pattern_events")
    }
    assert set(versions["serving.signals"]["symbol"]) == {SYMBOL}
    assert (noted[0].symbol, noted[0].first_session, noted[0].last_session) == (SYMBOL, EX_DATE, LEARNT)
    assert noted[0].publish_id == learnt.report.published.publish_id
    assert noted[0].signals_changed == len(versions["serving.signals"]) > 0
    assert noted[0].events_changed == len(versions["serving.pattern_events"])
    assert noted[0].because == learnt.because
    assert f"action of {EX_DATE}" in noted[0].because


def test_the_revision_ledger_tells_which_bars_were_told_otherwise(learnt, kind):
    noted = learnt.context.database.frame("SELECT * FROM market.revisions")
    if kind == "dividend":  # split-adjusted prices do not change with it
        assert not len(noted)
        return
    assert set(noted["symbol"]) == {SYMBOL}
    assert noted["revision_class"].unique().tolist() == ["split"]
    assert sorted(noted["session_date"].dt.date) == DAYS[:300]
    assert noted["price_ratio"].to_numpy() == pytest.approx(1 / RATIO, rel=1e-4)


def test_what_was_served_before_can_still_be_read(learnt):
    old = learnt.before["serving.signals"]
    own = old[(old["symbol"] == SYMBOL) & (old["session_date"] >= pd.Timestamp(EX_DATE))]
    now = learnt.after["serving.signals"].set_index(["symbol", "session_date", "publish_id"])
    kept = now.loc[pd.MultiIndex.from_frame(own[["symbol", "session_date", "publish_id"]])]
    assert kept["score"].tolist() == own["score"].tolist()
    assert set(kept["superseded_by"]) == {learnt.report.published.publish_id}


def test_restating_again_does_nothing(learnt):
    before = written(learnt.context)
    report = restate(at(learnt.context, LEARNT))
    assert (report.restated, report.published, report.left) == ((), None, 0)
    for table, rows in written(learnt.context).items():
        assert_same_bits(rows, before[table], table)
