"""Asking the providers for one symbol: whom, in which order, and what became of it.

Belongs here: the order of the providers, their version marks, and refusing an answer that lacks what is stored. Does
not belong here: which symbols are asked for, and storing the answers (`ingest.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bist_pipeline.core.errors import CircuitOpenError, ProviderError, TransientProviderError, UnknownSymbolError
from bist_pipeline.pipeline.ledger import LedgerEntry
from bist_pipeline.providers.contract import History, PriceProvider

Status = Literal["answered", "failed", "missing"]

# A payload with fewer rows than this share of what is stored, or without the newest session that was accepted, is taken
# for a cut-off answer (a file that is still being copied), not for history.
LEAST_SHARE_OF_STORED_ROWS = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of asking for one symbol.

    Attributes:
        symbol: The symbol.
        provider: The one that was asked last.
        status: See `Status`.
        reason: Why it failed or is missing.
        version: The provider's mark of this answer; empty where the symbol is to be asked again whatever the mark.
        history: The answer.
        passing: Whether it failed for a reason that may pass.
        circuit_open: Whether nothing was asked, because the provider's circuit is open.
    """

    symbol: str
    provider: str
    status: Status
    reason: str = ""
    version: str = ""
    history: History | None = None
    passing: bool = False
    circuit_open: bool = False


def version_mark(providers: Sequence[PriceProvider], symbol: str) -> str | None:
    """The mark of the first provider that has the symbol; empty where none has, None where only asking tells."""
    for provider in providers:
        try:
            return provider.version(symbol)
        except UnknownSymbolError:
            continue
        except ProviderError:
            return None
    return ""


def ask(providers: Sequence[PriceProvider], symbol: str, mark: str) -> Outcome:
    """Ask one provider after the other.

    A family's word that there is no such symbol is not doubted by asking another provider of the family, and a circuit
    that is open is open for all of its providers.
    """
    reasons, last, failed, passing, settled, is_open = [], "", False, False, set[str](), False
    for provider in providers:
        if provider.family in settled:
            continue
        last = provider.name
        try:
            history = provider.history(symbol)
            # The mark is that of a provider before this one where that failed: without it, that one is asked again.
            return Outcome(symbol, last, "answered", version="" if failed else mark, history=history)
        except UnknownSymbolError as error:
            settled.add(provider.family)
            reasons.append(str(error))
        except CircuitOpenError as error:
            settled.add(provider.family)
            failed = passing = is_open = True
            reasons.append(str(error))
        except ProviderError as error:
            failed, passing = True, passing or isinstance(error, TransientProviderError)
            reasons.append(str(error))
    # Where the reason may pass there is no mark: the symbol is asked again at the next occasion.
    version = "" if passing else mark
    status: Status = "failed" if failed else "missing"
    return Outcome(symbol, last, status, "; ".join(reasons), version, passing=passing, circuit_open=is_open)


def refuse_cut_off(outcome: Outcome, stored: LedgerEntry | None) -> Outcome:
    """Take an answer that lacks much of what is stored for a cut-off one; what is stored stays."""
    if outcome.history is None or stored is None:
        return outcome
    rows, newest = len(outcome.history.bars), outcome.history.bars["session_date"].max().date()
    is_complete = stored.accepted_last is None or newest >= stored.accepted_last
    if rows >= stored.rows * LEAST_SHARE_OF_STORED_ROWS and is_complete:
        return outcome
    reason = (
        f"{outcome.symbol}: {outcome.history.source} has {rows} rows up to {newest} where {stored.rows} up to "
        f"{stored.accepted_last or stored.last_session} are stored; taken for a cut-off file, the stored rows stay "
        f"(where it is meant: bist-pipeline backfill --accept-shorter {outcome.symbol} …)"
    )
    return Outcome(outcome.symbol, outcome.provider, "failed", reason, outcome.version)
