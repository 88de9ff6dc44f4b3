"""Cleaning whole histories: delivered rows of some symbols become bars, quarantine, actions and verdicts.

Belongs here: the order of the steps for one batch of symbols, in one transaction. Does not belong here: which symbols
need it (`cleaning.py`), any arithmetic (`market/`), any threshold (`quality/`).

1. Undo what providers say they adjusted for; the tick grid tells whether that was all (`market/undo.py`).
2. Decide which corporate actions are in force, without those that nobody states. Where there is a second source, hold
   its bars against the first's; as configured, supported ones stand in (`second_source.py`).
3. Judge every bar by its neighbours and by those actions (`judging.py`); prices may tell of further actions.
4. Clean: withhold, repair, fill, grade (`market/cleaning.py`).
5. Compute what the actions leave of prices, from the accepted closes, and write everything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from bist_pipeline.core.calendar import ORIGIN
from bist_pipeline.market.actions import Resolved
from bist_pipeline.market.choice import stand_in
from bist_pipeline.market.cleaning import Cleaned, clean, clean_forming
from bist_pipeline.market.factors import CLOSE_COLUMNS, with_action_factors, with_residuals
from bist_pipeline.market.splits import Actions, BoolArray
from bist_pipeline.market.theoretical import ActionFactors
from bist_pipeline.market.undo import Undoing, plan_undoing, undo_adjustments, with_solved_amounts
from bist_pipeline.pipeline.actions import Desk, factors_of, in_force, read_delivered, store_actions, today
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.pipeline.judging import (
    Judgement,
    actions_for_checks,
    bars_of,
    judge_histories,
    market_verdicts,
    store_judgement,
)
from bist_pipeline.pipeline.live_bars import take_live_bars
from bist_pipeline.pipeline.second_source import compare_with_second, read_second, read_third, store_comparison
from bist_pipeline.pipeline.stored_prices import remember, write_prices
from bist_pipeline.schemas.validation import require
from bist_pipeline.storage.bulk import BulkTransaction, Scope, WriteCounts


@dataclass(frozen=True)
class _Batch:
    """What is known of one batch before its rows are cleaned.

    Attributes:
        history: Rows of `market.raw_prices` that are cleaned as history.
        live: Forming bars of the live lane, shaped likewise.
        delivered: What providers say of actions.
        undoing: How their adjustments are undone.
        traded: The history as traded, and which of its rows are off the grid.
        disputed: Bars on which two sources do not agree: rows of `market.source_comparison`.
    """

    history: pd.DataFrame
    live: pd.DataFrame
    delivered: Actions
    undoing: Undoing
    traded: tuple[pd.DataFrame, BoolArray]
    disputed: pd.DataFrame


def clean_histories(
    context: PipelineContext, symbols: Sequence[str], marks: Mapping[str, str], desk: Desk
) -> tuple[WriteCounts, WriteCounts]:
    """Clean the whole histories of some symbols in one transaction.

    Args:
        context: The run's surroundings.
        symbols: Whose.
        marks: What their rows rest on, noted in the ledger when it is done.
        desk: The desk's actions.

    Returns:
        Rows of `market.daily_prices` and of `market.quarantine`.
    """
    scope, tables = Scope(symbols=tuple(symbols)), contracts()
    from_market = market_verdicts(context, symbols)
    with context.database.bulk("writing market.daily_prices") as bulk:
        bulk.lock(tables.fetch_ledger.name)
        batch = _read(context, bulk, scope)
        batch, resolved, judgement = _judge(context, bulk, batch, desk, symbols)
        judgement = judgement.with_market(from_market)
        cleaned = _clean(context, batch, judgement)
        closes = _traded_closes(cleaned.accepted)
        told = factors_of(resolved, closes, today(context))
        factors = replace(told, factors=with_residuals(told.factors, judgement.residuals, set(closes["symbol"])))
        bars = with_action_factors(cleaned.accepted, factors.factors)
        accepted = require(tables.daily_prices, bars.assign(updated_at=pd.Timestamp(context.clock.now())))
        prices = write_prices(bulk, accepted.drop(columns="updated_at"), scope, factors.factors)
        quarantine = bulk.replace(tables.quarantine, [cleaned.quarantined], scope)
        store_actions(bulk, resolved, factors, symbols)
        store_judgement(bulk, judgement, symbols)
        store_comparison(bulk, batch.disputed, scope, context.clock.now())
        verdicts = batch.undoing.verdicts[["symbol", "state", "prices", "off_grid", "reason"]]
        bulk.replace(tables.undoings, [verdicts], scope)
        remember(bulk, marks)
    return prices, quarantine


def _read(context: PipelineContext, bulk: BulkTransaction, scope: Scope) -> _Batch:
    symbols = scope.symbols or ()
    delivered = read_delivered(bulk, symbols, today(context))
    raw = bulk.frame(f"SELECT t.* FROM {contracts().raw_prices.name} AS t WHERE {bulk.predicate(scope)}")
    schedule = context.calendar.schedule(ORIGIN, context.calendar.horizon)
    history, live = take_live_bars(bulk, raw, symbols, schedule)
    undoing = plan_undoing(history, delivered)
    return _Batch(history, live, delivered, undoing, undo_adjustments(history, undoing), pd.DataFrame())


def _judge(
    context: PipelineContext, bulk: BulkTransaction, batch: _Batch, desk: Desk, symbols: Sequence[str]
) -> tuple[_Batch, Resolved, Judgement]:
    """Judge with the actions that are stated; then let those count that nobody states."""
    delivered = with_solved_amounts(batch.delivered, batch.undoing)
    stated = in_force(context, delivered, desk, symbols, _nothing_inferred())
    factors = _first_factors(context, stated, batch.traded[0])
    actions = actions_for_checks(stated.actions, factors.factors)
    if context.settings.bist_second_provider:
        batch = _compared(context, bulk, batch, actions, symbols)
    judgement = judge_histories(context, batch.history, batch.traded[0], actions).with_second(batch.disputed)
    shown = _without_idle(delivered, judgement)
    if not len(judgement.inferred) and shown is delivered:
        return batch, stated, judgement
    inferred = judgement.inferred.assign(source="analysis of breaks")
    return batch, in_force(context, shown, desk, symbols, inferred), judgement


def _without_idle(delivered: Actions, judgement: Judgement) -> Actions:
    """Leave out splits that providers state and that the prices of their day do not show.

    They happened on another day, which the prices tell, or not at all; the verdict on their day stays. The desk's word
    counts whatever the prices show.
    """
    idle = judgement.verdicts.loc[judgement.verdicts["rule"] == "action_without_effect", ["symbol", "session_date"]]
    if not len(idle):
        return delivered
    keys = pd.MultiIndex.from_frame(delivered.frame[["symbol", "ex_date"]])
    gone = keys.isin(pd.MultiIndex.from_frame(idle)) & (delivered.frame["kind"] == "split").to_numpy()
    return replace(delivered, frame=delivered.frame[~gone])


def _compared(
    context: PipelineContext, bulk: BulkTransaction, batch: _Batch, actions: pd.DataFrame, symbols: Sequence[str]
) -> _Batch:
    """Hold the second source's bars against the first's, and let those stand in that are to be served."""
    rows, off_grid = batch.traded
    choice = compare_with_second(
        context,
        batch.history,
        read_second(bulk, Scope(symbols=tuple(symbols))),
        bars=bars_of(rows),
        actions=actions,
        third=read_third(bulk, symbols),
    )
    traded = stand_in(rows.assign(off_grid=off_grid), choice.standing_in.assign(off_grid=False))
    return replace(
        batch,
        history=stand_in(batch.history, choice.standing_in),
        traded=(traded.drop(columns="off_grid"), traded["off_grid"].to_numpy(dtype=bool)),
        disputed=choice.rows,
    )


def _first_factors(context: PipelineContext, stated: Resolved, rows: pd.DataFrame) -> ActionFactors:
    """What stated actions leave of prices, from closes of which some may yet be withheld."""
    schedule = context.calendar.schedule(ORIGIN, context.calendar.horizon)
    sessions = schedule.loc[schedule["is_session"], "session_date"]
    usable = (rows["basis"] == "as_traded") & (rows["close_raw"] > 0) & rows["session_date"].isin(sessions)
    closes = rows[usable & (rows["occurrence"] == 0)].rename(columns={"close_raw": "close_try"})
    return factors_of(stated, closes[list(CLOSE_COLUMNS)], today(context))


def _traded_closes(accepted: pd.DataFrame) -> pd.DataFrame:
    return accepted.loc[accepted["basis"] == "as_traded", list(CLOSE_COLUMNS)]


def _nothing_inferred() -> pd.DataFrame:
    return pd.DataFrame(columns=["symbol", "ex_date", "kind", "ratio", "amount_try", "reason"])


def _clean(context: PipelineContext, batch: _Batch, judgement: Judgement) -> Cleaned:
    schedule = context.calendar.schedule(ORIGIN, context.calendar.horizon)
    told = clean(batch.history, schedule, judged=judgement.for_cleaning(), undone=batch.traded)
    return with_live_bars(told, batch.live, schedule, trusting(batch.delivered, batch.undoing))


def with_live_bars(told: Cleaned, live: pd.DataFrame, schedule: pd.DataFrame, actions: Actions) -> Cleaned:
    """Add the forming bars of sessions that history does not tell of."""
    if not len(live):
        return told
    forming = clean_forming(live, schedule, actions)
    return Cleaned(
        pd.concat([told.accepted, forming.accepted], ignore_index=True),
        pd.concat([told.quarantined, forming.quarantined], ignore_index=True),
    )


def trusting(delivered: Actions, undoing: Undoing) -> Actions:
    """What providers say, of the symbols whose adjustments could be undone."""
    refused = undoing.verdicts.loc[~undoing.verdicts["is_trusted"], "symbol"]
    return replace(delivered, stating=delivered.stating - frozenset(refused))
