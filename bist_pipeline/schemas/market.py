"""Contracts of the schema `market`: bars as delivered, bars as accepted, and what became of the rest."""

import pandera.pandas as pa

from bist_pipeline.schemas.contract import (
    choice,
    contract,
    flag,
    integer,
    number,
    price,
    session,
    symbol,
    text,
    timestamp,
)

BASES = ("as_traded", "split_adjusted", "fully_adjusted")
GRADES = ("A", "B", "C")
SEVERITIES = ("error", "warn")
# What cleaning does with a row that a check found.
EFFECTS = ("none", "doubt", "withhold")

# A bar's order holds up to the residue of adjusting prices with floating point factors: 1e-16 relative in real files.
ORDER_TOLERANCE = 1e-9


def _raw_values() -> dict[str, pa.Column]:
    names = ("open", "high", "low", "close", "adj_close")
    prices = {f"{n}_raw": number("TRY", f"The provider's own {n.replace('_', ' ')}.", null=True) for n in names}
    return prices | {"volume_raw": number("shares", "The provider's own volume.", null=True)}


RAW_PRICES = contract(
    "market.raw_prices",
    "One row that a provider delivered, in its own values, whatever they are.",
    {
        "symbol": symbol(),
        "session_date": session("Day that the provider states."),
        "occurrence": integer(
            "", "0 for the first row of this symbol and day, 1 for its first repetition.", pa.Check.ge(0)
        ),
        **_raw_values(),
        "source_row": integer("", "Line or position in the payload.", pa.Check.ge(0)),
        "basis": choice("What the prices are adjusted for.", BASES),
        "source": text("Provider and place, such as `archive:THYAO.csv`."),
        "payload_hash": text("SHA-256 of the payload the row came in."),
        "as_of": timestamp("The provider's own time of the payload."),
        "fetched_at": timestamp("When it was fetched."),
    },
    key=("symbol", "session_date", "occurrence"),
    indexes=(("session_date",),),
    stamps=("payload_hash", "as_of", "fetched_at"),
)


def _ordered(frame: object) -> object:
    high = frame["high_try"] * (1 + ORDER_TOLERANCE)  # pyright: ignore[reportIndexIssue]
    low = frame["low_try"] * (1 - ORDER_TOLERANCE)  # pyright: ignore[reportIndexIssue]
    body = frame[["open_try", "close_try"]]  # pyright: ignore[reportIndexIssue]
    return (high >= body.max(axis=1)) & (low <= body.min(axis=1)) & (low <= high)


DAILY_PRICES = contract(
    "market.daily_prices",
    "One accepted bar: the only prices that anything downstream reads.",
    {
        "symbol": symbol(),
        "session_date": session(),
        "open_try": price("First price."),
        "high_try": price("Highest price."),
        "low_try": price("Lowest price."),
        "close_try": price("Last price, closing auction included."),
        "volume_shares": number("shares", "Shares traded.", pa.Check.ge(0)),
        "adjustment_factor": number("ratio", "Factor for splits, bonus and rights issues, as of now.", pa.Check.gt(0)),
        "total_return_factor": number("ratio", "Factor that also holds dividends, as of now.", pa.Check.gt(0)),
        "basis": choice("What the prices are adjusted for; `as_traded` unless the source cannot be undone.", BASES),
        "is_final": flag("False while the session was still trading when the bar was fetched."),
        "grade": choice("A as delivered, B something was filled or repaired, C doubtful.", GRADES),
        "filled": text("Comma-separated fields that the provider lacked and cleaning filled."),
        "repaired": text("What was repaired, as `rule: factor`, and why it is doubted; empty where nothing was."),
        "source": text("Provider and place."),
        "as_of": timestamp("The provider's own time of the payload that last changed the bar."),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol", "session_date"),
    checks=(pa.Check(_ordered, name="low <= open, close <= high"),),
    indexes=(("session_date",),),
    stamps=("as_of", "updated_at"),
)

QUARANTINE = contract(
    "market.quarantine",
    "One delivered row that is withheld, with the reason. A corrected row leaves by itself.",
    {
        "symbol": symbol(),
        "session_date": session("Day that the provider states."),
        "occurrence": integer("", "Which of the rows of that day.", pa.Check.ge(0)),
        "rule": text("Name of the rule it broke."),
        "reason": text("The rule in words, with the numbers."),
        **_raw_values(),
        "basis": choice("What the prices are adjusted for.", BASES),
        "source": text("Provider and place."),
        "source_row": integer("", "Line or position in the payload."),
        "payload_hash": text("SHA-256 of the payload the row came in."),
        "quarantined_at": timestamp("When this row last changed."),
    },
    key=("symbol", "session_date", "occurrence"),
    indexes=(("rule",), ("session_date",)),
    stamps=("payload_hash", "quarantined_at"),
)

FETCH_LEDGER = contract(
    "market.fetch_ledger",
    "What is known of one symbol's history: when it was last asked for, what came, what was done with it.",
    {
        "symbol": symbol(),
        "provider": text("The provider that was last asked."),
        "status": choice("What came of it.", ("answered", "failed", "missing")),
        "reason": text("Why it failed or is missing; empty when answered."),
        "version": text("The provider's mark of this answer, to tell cheaply whether it would answer differently."),
        "payload_hash": text("SHA-256 of the payload that the stored rows came in; empty before the first."),
        "rows": integer("rows", "Rows stored in `market.raw_prices`."),
        "first_session": session("Earliest day stored.", null=True),
        "last_session": session("Latest day stored.", null=True),
        "basis": text("Basis that the provider states."),
        "recognised": text("What had to be recognised to read it, as JSON."),
        "fetched_at": timestamp("When it was last asked for."),
        "cleaned_hash": text("`payload_hash` that cleaning last worked on; empty before the first."),
        "states_actions": flag("Whether the answer states every split behind its prices, so that they can be undone."),
        "strikes": integer(
            "sessions", "Sessions in a row on which the provider said that there is no such symbol.", pa.Check.ge(0)
        ),
        "struck_on": session("Last of them.", null=True),
        "dirty_from": session("Derived rows from this session on rest on bars that have changed since.", null=True),
        "dirty_because": text("What changed, for people; empty where nothing is dirty."),
    },
    key=("symbol",),
)

QUOTE_STATES = (
    "trading",  # a bar of the session in progress may be made of it
    "price_only",  # a last price without open, high and low: kept, no bar is made of it
    "no_trade_yet",  # it has not traded in this session; the numbers are of the one before
    "halted",  # it did not trade in the session before either
    "action_pending",  # its previous close is not ours: an action is to be learnt from its chart first
    "silent",  # asked for, and left out of a good answer
    "failed",  # its request failed: nothing is known
)

QUOTES = contract(
    "market.quotes",
    "One live answer about one symbol: snapshots of a session in progress, which are not to be had later.",
    {
        "symbol": symbol(),
        "fetched_at": timestamp("When the refresh that asked began."),
        "session_date": session("Session that was refreshed."),
        "state": choice("What it means for that session.", QUOTE_STATES),
        "reason": text("Why, with the numbers; empty where it trades."),
        "as_of": timestamp("The provider's own time of the last trade; NULL when it was not answered.", null=True),
        "last_try": number("TRY", "Last price.", null=True),
        "open_try": number("TRY", "First price of the session that `as_of` lies in.", null=True),
        "high_try": number("TRY", "Highest price of that session.", null=True),
        "low_try": number("TRY", "Lowest price of that session.", null=True),
        "volume_shares": number("shares", "Shares traded in that session.", null=True),
        "previous_close_try": number("TRY", "Close of the session before, as the provider adjusts it.", null=True),
        "provider": text("Who was asked."),
        "payload_hash": text("SHA-256 of the answer; empty when there was none."),
        "run_id": text("Which run asked."),
    },
    key=("symbol", "fetched_at"),
    indexes=(("session_date", "symbol"), ("fetched_at",)),
)
