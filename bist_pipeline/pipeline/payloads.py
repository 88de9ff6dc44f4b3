"""Payloads: answers of providers as they were received, compressed, for as long as `BIST_PAYLOAD_DAYS` says.

Belongs here: keeping them in the transaction that stores what was read from them, forgetting old ones, and giving one
back only if it is what was received. Does not belong here: reading them (`providers/`).
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd

from bist_pipeline.core.errors import StorageError
from bist_pipeline.pipeline.context import PipelineContext
from bist_pipeline.pipeline.contracts import contracts
from bist_pipeline.providers.contract import History
from bist_pipeline.storage.bulk import BulkTransaction
from bist_pipeline.storage.database import Database

_CODEC = "zstd"
# A tenth of the time of the higher levels, for a tenth more bytes.
_LEVEL = 1


def keep_payloads(bulk: BulkTransaction, context: PipelineContext, histories: Sequence[History], now: datetime) -> int:
    """Keep what is not there yet of a batch; return how many."""
    told = {(h.payload_hash, h.symbol): h for h in histories if h.payload is not None}
    if not told or not context.settings.bist_payload_days:
        return 0
    contract = contracts().payloads
    names = pd.DataFrame(list(told), columns=["payload_hash", "symbol"]).astype("str")
    known = bulk.frame(
        f"SELECT payload_hash, symbol FROM {contract.name} JOIN {bulk.stage_frame(names)} USING (payload_hash, symbol)"
    )
    for pair in zip(known["payload_hash"], known["symbol"], strict=True):
        del told[pair]
    if told:
        stage, columns = bulk.stage(contract, [_rows(list(told.values()), now)]), ", ".join(contract.columns)
        bulk.execute(f"INSERT INTO {contract.name} ({columns}) SELECT {columns} FROM {stage}")
    return len(told)


def read_payload(database: Database, symbol: str, payload_hash: str) -> bytes:
    """Give back the bytes of one answer.

    Raises:
        StorageError: It is not kept (any more), or what is kept is not what was received.
    """
    import pyarrow as pa

    rows = database.rows(
        "SELECT body, size_bytes FROM market.payloads WHERE symbol = :symbol AND payload_hash = :hash",
        {"symbol": symbol, "hash": payload_hash},
    )
    if not rows:
        raise StorageError(f"{symbol}: no payload {payload_hash} is kept; BIST_PAYLOAD_DAYS says for how long they are")
    try:
        payload: bytes = pa.Codec(_CODEC).decompress(bytes(rows[0].body), int(rows[0].size_bytes), asbytes=True)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(symbol, payload_hash, "it cannot be decompressed") from error
    if hashlib.sha256(payload).hexdigest() != payload_hash:
        raise _damaged(symbol, payload_hash, "its bytes have another hash")
    return payload


def prune_payloads(context: PipelineContext) -> int:
    """Forget payloads that are too old; return how many.

    The newest of each symbol stays, and so does the one that the stored rows came in: with them the rows can be read
    anew. None stays where none shall be kept.
    """
    days = context.settings.bist_payload_days
    with context.database.statements("pruning market.payloads") as statements:
        if not days:
            return statements.run("DELETE FROM market.payloads")
        return statements.run(
            """DELETE FROM market.payloads AS p WHERE p.fetched_at < :before
            AND NOT EXISTS (
                SELECT FROM market.fetch_ledger AS l WHERE l.symbol = p.symbol AND l.payload_hash = p.payload_hash)
            AND EXISTS (
                SELECT FROM market.payloads AS n WHERE n.symbol = p.symbol AND n.fetched_at > p.fetched_at)""",
            {"before": context.clock.now() - timedelta(days=days)},
        )


def _rows(histories: Sequence[History], now: datetime) -> pd.DataFrame:
    import pyarrow as pa

    codec = pa.Codec(_CODEC, compression_level=_LEVEL)
    payloads = [history.payload or b"" for history in histories]
    rows = pd.DataFrame(
        {
            "payload_hash": [history.payload_hash for history in histories],
            "symbol": [history.symbol for history in histories],
            "source": [history.source for history in histories],
            "fetched_at": pd.Timestamp(now).tz_convert("UTC"),
            "codec": _CODEC,
            "size_bytes": [len(payload) for payload in payloads],
        }
    )
    bodies = [codec.compress(payload, asbytes=True) for payload in payloads]
    return rows.assign(fetched_at=rows["fetched_at"].dt.as_unit("us"), body=pd.Series(bodies, dtype=object))


def _damaged(symbol: str, payload_hash: str, why: str) -> StorageError:
    return StorageError(f"{symbol}: the kept payload {payload_hash} is damaged: {why}; fetch the symbol again")
