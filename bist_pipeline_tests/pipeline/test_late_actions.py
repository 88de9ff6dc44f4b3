"""Actions of all kinds, on time and late: only what rests on them becomes dirty, and all ends as in a fresh build."""

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from bist_pipeline.pipeline.actions import ACTIONS_FILE
from bist_pipeline.pipeline.cleaning import clean_prices
from bist_pipeline.pipeline.history import history_chunks
from bist_pipeline.pipeline.restate import restate
from bist_pipeline.pipeline.span import Span
from bist_pipeline.providers.contract import ACTION_COLUMNS
from bist_pipeline_tests.archives import sessions_from, simulated_bars, write_archive
from bist_pipeline_tests.pipeline.sites import DERIVED, assert_same_bits, contents, count, run
from bist_pipeline_tests.pipeline.split_market import FIRST, YahooLike, at, market

SESSIONS = 160
DAYS = [day.astype(object) for day in sessions_from(FIRST, SESSIONS)]
PAYER = "ZZAAA"
LAST = Span(DAYS[-1], DAYS[-1])


@dataclass
class Paying(YahooLike):
    """Yahoo with dividends: stated per share of today, with six decimals."""

    dividends: dict = field(default_factory=dict)

    def history(self, symbol):
        """What the other tells, and the dividends so far."""
        told = super().history(symbol)
        rows = []
        for day, cash in self.dividends.get(symbol, []):
            if day <= self.until:
                ratio = np.prod([ratio for on, ratio in self.splits.get(symbol, []) if day < on <= self.until])
                rows.append((pd.Timestamp(day), "dividend", np.nan, round(cash / ratio, 6)))
        paid = pd.DataFrame(rows, columns=list(ACTION_COLUMNS)).astype(told.actions.dtypes.to_dict())
        return replace(told, actions=pd.concat([told.actions, paid], ignore_index=True) if rows else told.actions)


def dirty(context):
    rows = context.database.rows("SELECT symbol, dirty_from FROM market.fetch_ledger WHERE dirty_from IS NOT NULL")
    return [tuple(row) for row in rows]


def assert_as_fresh(context, fresh):
    for table in DERIVED:
        assert_same_bits(contents(context, table), contents(fresh, table), table)


@pytest.mark.parametrize("ratio", [1.5, 3.0792917])
def test_a_split_on_its_day_leaves_a_payers_rows_alone_though_its_dividends_are_stated_anew(sites, tmp_path, ratio):
    splits = {PAYER: [(DAYS[150], ratio)]}
    paid = {PAYER: [(DAYS[60], 0.83), (DAYS[90], 1.358691), (DAYS[120], 0.4567)]}
    bars = market(2, SESSIONS, splits)
    context, fresh = (sites.make(write_archive(tmp_path / "a", bars)) for _ in range(2))
    for first, last in ((0, 149), (150, 150)):
        told = Paying(bars, splits, DAYS[last], dividends=paid)
        run(at(context, DAYS[last]), DAYS[first], DAYS[last], providers=[told])
    assert dirty(context) == []
    run(at(fresh, DAYS[150]), DAYS[0], DAYS[150], providers=[Paying(bars, splits, DAYS[150], dividends=paid)])
    assert_as_fresh(context, fresh)


@pytest.mark.parametrize(
    "kind",
    [
        "rights,1.0,,{close}",  # at the market's price: shares double, the price is what it was
        "dividend,,{half},",
        "bonus,0.5,,",
    ],
)
def test_a_desks_action_learnt_late_is_dirty_from_its_ex_date_whatever_it_changes(sites, tmp_path, kind):
    bars = market(2, SESSIONS, {})
    close = bars[bars["symbol"] == PAYER]["close_try"].iloc[99]
    row = f"{PAYER},{DAYS[100]},{kind.format(close=close, half=close / 2)}\n"
    text = f"symbol,ex_date,kind,ratio,amount_try,subscription_try\n{row}"
    context, fresh = (sites.make(write_archive(tmp_path / "a", bars)) for _ in range(2))
    told = [YahooLike(bars, {}, DAYS[-1])]
    run(at(context, DAYS[-1]), DAYS[0], DAYS[-1], providers=told)
    (context.settings.bist_home / ACTIONS_FILE).write_text(text)
    clean_prices(at(context, DAYS[-1]), LAST)
    assert dirty(context) == [(PAYER, DAYS[100])]
    report = restate(at(context, DAYS[-1]))
    assert [(one.symbol, one.first) for one in report.restated] == [(PAYER, DAYS[100])]
    (fresh.settings.bist_home / ACTIONS_FILE).write_text(text)
    run(at(fresh, DAYS[-1]), DAYS[0], DAYS[-1], providers=told)
    assert_as_fresh(context, fresh)


def test_while_the_desks_file_is_faulty_its_word_stays_and_the_fault_is_told(sites, tmp_path):
    bars = market(2, SESSIONS, {})
    context = at(sites.make(write_archive(tmp_path / "a", bars)), DAYS[-1])
    place = context.settings.bist_home / ACTIONS_FILE
    place.write_text(f"symbol,ex_date,kind,amount_try,note\n{PAYER},{DAYS[100]},dividend,0.5,KAP 123\n")
    run(context, DAYS[0], DAYS[-1], providers=[YahooLike(bars, {}, DAYS[-1])])
    known = contents(context, "reference.corporate_actions")
    assert known[["origin", "reason"]].to_numpy().tolist() == [["desk", "KAP 123"]]
    place.write_text(f"symbol,ex_date,kind,amount_try,note\n{PAYER},2021-02-30,dividend,0.5,\n")
    report = clean_prices(context, LAST)
    assert ACTIONS_FILE in report.problem
    assert "2021-02-30" in report.problem
    pd.testing.assert_frame_equal(contents(context, "reference.corporate_actions"), known)


def test_a_restatement_of_one_symbol_makes_no_chunk_look_derived(sites, tmp_path):
    days = [day.astype(object) for day in sessions_from(date(2021, 1, 4), 600)]
    bars = simulated_bars(3, 600)
    context = at(sites.make(write_archive(tmp_path / "a", bars), bist_archive_basis="as_traded"), days[-1])
    run(context, days[500], days[-1])
    before = [chunk.published for chunk in history_chunks(context.database, days[-1])]
    assert not all(before)
    place = context.settings.bist_home / ACTIONS_FILE
    place.write_text(f"symbol,ex_date,kind,amount_try\n{PAYER},{days[20]},dividend,0.5\n")
    clean_prices(context, Span(days[-1], days[-1]))
    assert len(restate(context).restated) == 1
    assert [chunk.published for chunk in history_chunks(context.database, days[-1])] == before
    assert count(context, "market.restatements") == 1
