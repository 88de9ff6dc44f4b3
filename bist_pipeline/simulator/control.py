"""What Yahoo does not have: telling the exchange what to play, and asking what it is.

Belongs here: everything under `/simulator`. These requests meet no fault and are not counted.
"""

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bist_pipeline.core.errors import BistError
from bist_pipeline.simulator.answers.bodies import Answer, json_answer
from bist_pipeline.simulator.errors import SimulatorError
from bist_pipeline.simulator.exchange import Exchange, Request
from bist_pipeline.simulator.faults import Faults

PREFIX = "/simulator"
_CSV = "text/csv; charset=utf-8"
_LEGAL = "GET /simulator, /simulator/universe.csv, /simulator/requests; POST /simulator/now, /simulator/faults"


def is_control(path: str) -> bool:
    """Tell whether a path is one of the exchange's own."""
    return path == PREFIX or path.startswith(PREFIX + "/")


def control_answer(exchange: Exchange, request: Request) -> Answer:
    """Do what is asked; what cannot be done is answered with 400 and the reason."""
    try:
        return _answer(exchange, request)
    except (BistError, ValueError) as error:
        return json_answer({"error": str(error)}, 400)


def _answer(exchange: Exchange, request: Request) -> Answer:
    asked = f"{request.method} {request.path.removeprefix(PREFIX)}"
    if asked == "GET ":
        return json_answer(describe(exchange))
    if asked == "GET /universe.csv":
        return Answer(200, universe(exchange).encode(), _CSV)
    if asked == "GET /requests":
        return json_answer(exchange.log.counts())
    if asked == "POST /now":
        exchange.clock.set(datetime.fromisoformat(str(_content(request).get("now", ""))))
        return json_answer(describe(exchange))
    if asked == "POST /faults":
        exchange.set_faults(Faults(_content(request)))
        return json_answer(describe(exchange))
    return json_answer({"error": f"no such control; legal: {_LEGAL}"}, 404)


def describe(exchange: Exchange) -> dict[str, Any]:
    """Say what the exchange is and what it shows."""
    now = exchange.clock.now()
    return {
        "kind": exchange.market.kind,
        "label": exchange.market.label,
        "now": now.isoformat(),
        "basis": exchange.market.basis,
        "symbols": len(exchange.market.symbols(now - exchange.delay)),
        "seed": exchange.market.seed,
        "delay_minutes": exchange.delay_minutes,
        "requests": len(exchange.requests),
    }


def universe(exchange: Exchange) -> str:
    """Return the symbols that are known now as `core/universe.py` reads them."""
    text, now = io.StringIO(), exchange.clock.now() - exchange.delay
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("symbol", "name", "sector"))
    for symbol in exchange.market.symbols(now):
        share = exchange.market.share(symbol, now)
        writer.writerow((symbol, share.name if share else "", share.sector if share else ""))
    return text.getvalue()


def _content(request: Request) -> Mapping[str, Any]:
    content = json.loads(request.body or b"{}")
    if not isinstance(content, dict):
        raise SimulatorError("the body is no JSON object")
    return content
