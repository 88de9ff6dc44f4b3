"""Contracts of what makes prices trustworthy: findings, revisions, restatements, payloads, gaps, the second source.

Belongs here: tables of the schema `market` that tell of bars without being bars. The bars themselves are in
`market.py`.
"""

import pandera.pandas as pa

from bist_pipeline.schemas.contract import binary, choice, contract, integer, number, session, symbol, text, timestamp
from bist_pipeline.schemas.market import EFFECTS, RAW_PRICES, SEVERITIES

# What became of a bar that a provider tells differently than before.
REVISION_CLASSES = (
    "late_volume",  # only the volume differs: trades reported after the close
    "split",  # every price by the same ratio, one of the splits that came with it
    "dividend",  # every price by the same ratio, one of the dividends that came with it
    "correction",  # anything else
    "appeared",  # a session inside the stored history, told for the first time
    "vanished",  # a session that was told, and is no more
)

GAP_STATES = ("provider_failed", "provider_silent", "quarantined", "short_history", "not_fetched")
COMPARISONS = ("first_supported", "second_supported", "undecided", "only_first", "only_second")

QUALITY_FINDINGS = contract(
    "market.quality_findings",
    "One bar that one check found, as of the last time its session was checked.",
    {
        "check_name": text("Registered name of the check, or of the rule of the analysis of breaks."),
        "symbol": text("Borsa Istanbul code without suffix."),
        "session_date": session("Session that is meant; the last of the range where the finding is about no day."),
        "occurrence": integer("", "Counts several findings of one check, symbol and session.", pa.Check.ge(0)),
        "severity": choice("How bad.", SEVERITIES),
        "effect": choice("What cleaning does with the bar.", EFFECTS),
        "kind": choice("An action of the company, a fault of the data, or neither.", ("action", "fault", "")),
        "detail": text("The finding in words, with the numbers."),
        "run_id": text("Which run found it."),
        "found_at": timestamp("When this row last changed."),
    },
    key=("check_name", "symbol", "session_date", "occurrence"),
    indexes=(("session_date",),),
    stamps=("run_id", "found_at"),
)


UNDOINGS = contract(
    "market.undoings",
    "What came of undoing one provider's adjustments of one symbol, with the tick grid as the checksum.",
    {
        "symbol": symbol(),
        "state": choice("Whether its prices are as traded now.", ("undone", "solved", "refused")),
        "prices": integer("prices", "How many prices it has.", pa.Check.ge(0)),
        "off_grid": integer("prices", "How many of them lie off the grid once undone.", pa.Check.ge(0)),
        "reason": text("What was solved, or why it was refused; empty where all was as stated."),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol",),
    stamps=("updated_at",),
)

VERDICTS = contract(
    "market.verdicts",
    "One bar that is withheld or doubted for what its neighbours say of it, as of the last cleaning of its symbol.",
    {
        "symbol": symbol(),
        "session_date": session(),
        "rule": text("Rule of the analysis of breaks, or name of the check."),
        "effect": choice("What cleaning does with the bar.", EFFECTS),
        "kind": choice("An action of the company, a fault of the data, or neither.", ("action", "fault", "")),
        "reason": text("The verdict in words, with the numbers."),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol", "session_date", "rule"),
    indexes=(("session_date",),),
    stamps=("updated_at",),
)

REPAIRS = contract(
    "market.repairs",
    "One run of bars whose delivered values are multiplied with factors, and why.",
    {
        "symbol": symbol(),
        "session_date": session("First session of the run."),
        "last_session": session("Last session of the run."),
        "price_factor": number("ratio", "What prices are multiplied with.", pa.Check.gt(0)),
        "volume_factor": number("ratio", "What volumes are multiplied with.", pa.Check.gt(0)),
        "rule": text("Rule of the analysis of breaks."),
        "kind": choice("An action of the company, a fault of the data, or neither.", ("action", "fault", "")),
        "reason": text("What was wrong and how it is known."),
        "updated_at": timestamp("When this row last changed."),
    },
    key=("symbol", "session_date"),
    stamps=("updated_at",),
)


def _values(prefix: str) -> dict[str, pa.Column]:
    names = {"open": "TRY", "high": "TRY", "low": "TRY", "close": "TRY", "volume": "shares"}
    told = {"old": "before", "new": "now"}[prefix]
    return {
        f"{prefix}_{n}_raw": number(unit, f"The provider's own {n} {told}.", null=True) for n, unit in names.items()
    }


REVISIONS = contract(
    "market.revisions",
    "One bar that a provider told differently than before; the stored row is the new one.",
    {
        "symbol": symbol(),
        "session_date": session("Day of the bar."),
        "noted_at": timestamp("When the difference was noted."),
        "revision_class": choice("What kind of difference.", REVISION_CLASSES),
        **_values("old"),
        **_values("new"),
        "price_ratio": number("ratio", "New close per old close; NULL where one is missing.", null=True),
        "detail": text("The difference in words."),
        "source": text("Provider and place of the new answer."),
        "old_payload_hash": text("SHA-256 of the payload of the old values; empty where there were none."),
        "new_payload_hash": text("SHA-256 of the payload of the new values."),
        "run_id": text("Which run noted it."),
    },
    key=("symbol", "session_date", "noted_at"),
    indexes=(("noted_at",),),
)

RESTATEMENTS = contract(
    "market.restatements",
    "One symbol whose derived rows were computed anew because its past had changed.",
    {
        "symbol": symbol(),
        "restated_at": timestamp("When it was done."),
        "first_session": session("First session that was computed anew."),
        "last_session": session("Last session that was computed anew."),
        "because": text("What had changed."),
        "signals_changed": integer("rows", "New versions of signals that were published.", pa.Check.ge(0)),
        "events_changed": integer("rows", "New versions of pattern events that were published.", pa.Check.ge(0)),
        "publish_id": integer("", "The publish that made them visible; 0 while it is under way."),
        "run_id": text("Which run did it."),
    },
    key=("symbol", "restated_at"),
    indexes=(("restated_at",),),
)

PAYLOADS = contract(
    "market.payloads",
    "One answer of a provider as it was received, compressed; kept for `BIST_PAYLOAD_DAYS`.",
    {
        "payload_hash": text("SHA-256 of the bytes received."),
        "symbol": symbol(),
        "source": text("Provider and place."),
        "fetched_at": timestamp("When it was fetched."),
        "codec": choice("How it is compressed.", ("zstd",)),
        "size_bytes": integer("bytes", "Size before compression.", pa.Check.ge(0)),
        "body": binary("The compressed bytes."),
    },
    key=("payload_hash", "symbol"),
    indexes=(("fetched_at",), ("symbol", "fetched_at")),
    stamps=("fetched_at", "source"),
)

GAPS = contract(
    "market.gaps",
    "One run of sessions of one symbol that lack a bar they should have, and how often it was asked for.",
    {
        "symbol": symbol(),
        "first_session": session("First session that lacks one."),
        "last_session": session("Last session that lacks one."),
        "state": choice("State of coverage of all of them.", GAP_STATES),
        "sessions": integer("sessions", "How many.", pa.Check.gt(0)),
        "attempts": integer("attempts", "How often it was asked for since it was found.", pa.Check.ge(0)),
        "asked_at": timestamp("When it was last asked for.", null=True),
        "found_at": timestamp("When it was found."),
    },
    key=("symbol", "first_session"),
    indexes=(("last_session",),),
    stamps=("attempts", "asked_at", "found_at"),
)

SECOND_PRICES = contract(
    "market.second_prices",
    "One row of the second source, in its own values: compared with the first, never served by itself.",
    dict(RAW_PRICES.frame.columns),
    key=RAW_PRICES.key,
    indexes=RAW_PRICES.indexes,
    stamps=RAW_PRICES.stamps,
)

SOURCE_COMPARISON = contract(
    "market.source_comparison",
    "One bar on which two sources do not agree, and which of them is supported by what; a bar on which they agree has "
    "no row.",
    {
        "symbol": symbol(),
        "session_date": session(),
        "verdict": choice("Who is supported.", COMPARISONS),
        "first_close_try": number("TRY", "Close of the first source, as traded as far as known.", null=True),
        "second_close_try": number("TRY", "Close of the second source, brought to the same basis.", null=True),
        "return_difference": number("ratio", "Return of the first less return of the second.", null=True),
        "level_difference": number("ratio", "Close of the first per close of the second, less 1.", null=True),
        "volume_difference": number("ratio", "Volume of the first per volume of the second, less 1.", null=True),
        "score": number("", "How much they disagree, a stale close counted once.", pa.Check.ge(0)),
        "chosen": choice("Whose bar is served.", ("first", "second")),
        "detail": text("The disagreement in words, and who supports whom."),
        "compared_at": timestamp("When this row last changed."),
    },
    key=("symbol", "session_date"),
    indexes=(("session_date",),),
    stamps=("compared_at",),
)
