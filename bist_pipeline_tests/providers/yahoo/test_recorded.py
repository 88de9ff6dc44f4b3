"""Every answer of Yahoo's that others recorded: read, or refused with the right type.

The table file → outcome is written out below by hand, from the recordings; `pytest -s` prints it with what came.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from bist_pipeline.core.calendar import load_calendar
from bist_pipeline.core.errors import BadPayloadError
from bist_pipeline.providers.yahoo._chart_answer import read_chart
from bist_pipeline.providers.yahoo._chart_history import CURRENCY, Setting, build_history
from bist_pipeline.providers.yahoo._crumb import read_cookie, read_crumb
from bist_pipeline.providers.yahoo._quote_answer import read_quotes
from bist_pipeline.providers.yahoo._session import Answer
from bist_pipeline.providers.yahoo._verdict import judge

pytestmark = pytest.mark.realdata

HOST = "https://query2.finance.yahoo.com"
SETTING = Setting("yahoo_chart", datetime(2026, 8, 7, 12, 0, tzinfo=UTC), load_calendar(), timedelta(minutes=15))
REDIRECTS = frozenset({301, 302, 307})

# First pattern that fits. Charts: rows and actions; quotes: told and failed, in any currency.
EXPECTED = {
    "chart-AAPL-2025-02-01*-1m.json": "BadPayloadError",  # a 200 answer without timestamps
    "chart-AAPL-2020-08-31-*.json": "read: 49 rows, 2 actions",
    "chart-BTC-USD-*.json": "read: 3 rows, 0 actions",
    "chart-EURUSD=X-*.json": "read: 3 rows, 0 actions",
    "chart-WSU.DE-*.json": "read: 3 rows, 0 actions",
    "chart-*.json": "read: 1 rows, 0 actions",
    "quote-AAPL-BABA.json": "read: 2 quotes, 0 failed",
    "quote-AAPL220121C00025000.json": "read: 0 quotes, 0 failed",
    "quote-APS.AX.json": "read: 0 quotes, 0 failed",
    "quote-SIX.json": "read: 0 quotes, 0 failed",
    "quote-ADH.json": "read: 0 quotes, 1 failed",  # a name without a price
    "quote-BRKS.json": "read: 0 quotes, 1 failed",
    "quote-SI.json": "read: 0 quotes, 1 failed",
    "quote-SIMP.json": "read: 0 quotes, 1 failed",
    "quote-*.json": "read: 1 quotes, 0 failed",
    "getCrumb-getcrumb.json": "read: a crumb",
    "getCrumb-quote-AAPL.json*": "TransientProviderError",  # consent is asked for
    "getCrumb-quote-AAPL-pre-consent-VPN-UK.json": "TransientProviderError",
    "getCrumb-quote-AAPL-consent.html.json": "TransientProviderError",
    "getCrumb-quote-AAPL-collectConsentSubmit.json": "TransientProviderError",
    "getCrumb-*.json": "bad_body",  # pages, and the redirect back from consent
    "quoteSummary-*.json": "bad_body",  # no route of ours; its 404 for want of fundamentals is no delisting
}

EXPECTED_ERRORS = [
    (404, "UnknownSymbolError"),
    (422, "PermanentProviderError"),
    (422, "PermanentProviderError"),
    (422, "PermanentProviderError"),
    (400, "BadPayloadError"),
    (429, "throttled"),
    (401, "unauthorized"),
    (401, "unauthorized"),
]


def recorded_answer(path: Path) -> tuple[str, Answer]:
    """The address asked and the answer."""
    exchange = json.loads(path.read_text(encoding="utf-8"))
    response = exchange["response"]
    told = response.get("bodyJson")
    body = (response.get("bodyText") or response.get("body") or "") if told is None else json.dumps(told)
    headers = {name: "\n".join(v) if isinstance(v, list) else v for name, v in response["headers"].items()}
    return exchange["request"]["url"], Answer(response["status"], body.encode(), headers, HOST)


def read_history(currency: str | None = None) -> Callable[[Answer], str]:
    def read(answer: Answer) -> str:
        chart = read_chart(answer)
        history = build_history(chart, "ANY", SETTING, currency=currency, asked=chart.symbol)
        return f"{len(history.bars)} rows, {len(history.actions)} actions"

    return read


def read_any_quotes(answer: Answer) -> str:
    told = read_quotes(answer.body, currency=None)
    return f"{len(told.quotes)} quotes, {len(told.failed)} failed"


def read_any_crumb(answer: Answer) -> str:
    return "a crumb" if read_crumb(answer) else ""


READERS: dict[str, tuple[Callable[[Answer], str], frozenset[int]]] = {
    "chart": (read_history(), frozenset({200})),
    "quote": (read_any_quotes, frozenset({200})),
    "getCrumb": (read_any_crumb, REDIRECTS | {200}),
    "quoteSummary": (read_history(), frozenset({200})),
}


def outcome(answer: Answer, read: Callable[[Answer], str], accept: frozenset[int]) -> tuple[str, str]:
    """What the client makes of an answer, and the words that a person sees."""
    verdict = judge(answer, read, accept, "recorded")
    if verdict.failure is not None:
        return type(verdict.failure).__name__, str(verdict.failure)
    return (f"read: {verdict.value}", "") if verdict.outcome == "answered" else (verdict.outcome, verdict.detail)


@pytest.fixture(scope="module")
def folder(recordings):
    return recordings / "yahoo_recorded"


def test_every_recorded_answer_is_read_or_refused_with_the_right_type(folder):
    paths = sorted((folder / "yahoo-finance2").glob("*.json*"))
    assert len(paths) > 70
    table = {}
    for path in paths:
        _, answer = recorded_answer(path)
        table[path.name] = outcome(answer, *READERS[path.name.partition("-")[0]])
        print(f"{path.name:75} {answer.status} {table[path.name][0]:28} {table[path.name][1][:110]}")  # noqa: T201
    expected = {name: next(v for pattern, v in EXPECTED.items() if fnmatchcase(name, pattern)) for name in table}
    assert {name: told for name, (told, _) in table.items()} == expected


def test_every_recorded_error_body_has_its_type(folder):
    cases = json.loads((folder / "error_bodies.json").read_text())["cases"]
    table = []
    for case in cases:
        body = (case.get("body") or case["body_template"]).encode()
        told, words = outcome(Answer(case["status"], body, {}, HOST), read_history(), frozenset({200}))
        print(f"{case['endpoint']:60} {case['status']} {told:24} {words[:110]}")  # noqa: T201
        table.append((case["status"], told))
    assert table == EXPECTED_ERRORS


def test_no_recorded_answer_is_taken_for_a_delisting_but_yahoos_own_words(folder):
    for path in sorted((folder / "yahoo-finance2").glob("*.json*")):
        _, answer = recorded_answer(path)
        told, _ = outcome(answer, read_history(), frozenset({200}))
        assert told != "UnknownSymbolError", path.name


def test_no_page_or_redirect_is_taken_for_a_chart_a_quote_or_a_crumb(folder):
    for path in sorted((folder / "yahoo-finance2").glob("getCrumb-quote-*")):
        _, answer = recorded_answer(path)
        for read in (read_history(), read_any_quotes):
            assert outcome(answer, read, frozenset({200}))[0] == "bad_body", path.name
        assert not outcome(answer, read_any_crumb, REDIRECTS | {200})[0].startswith("read"), path.name


def test_foreign_charts_are_refused_for_their_currency(folder):
    for path in sorted((folder / "yahoo-finance2").glob("chart-*.json")):
        told, words = outcome(recorded_answer(path)[1], read_history(CURRENCY), frozenset({200}))
        assert told == BadPayloadError.__name__, path.name
        assert "not in TRY" in words


def test_days_and_actions_of_a_recorded_chart_are_those_of_the_exchange(folder):
    _, answer = recorded_answer(folder / "yahoo-finance2" / "chart-AAPL-2020-08-31-to-2020-11-07.json")
    history = build_history(read_chart(answer), "AAPL", SETTING, currency=None, asked="AAPL")
    days = history.bars["session_date"].dt.strftime("%Y-%m-%d")
    assert (days.iloc[0], days.iloc[-1]) == ("2020-08-31", "2020-11-06")
    assert history.bars["close_raw"].iloc[0] == 129.0399932861328
    actions = history.actions.assign(ex_date=history.actions["ex_date"].dt.strftime("%Y-%m-%d"))
    assert actions[["ex_date", "kind"]].to_numpy().tolist() == [["2020-08-31", "split"], ["2020-11-06", "dividend"]]
    assert (actions["ratio"].iloc[0], actions["amount_try"].iloc[1]) == (4.0, 0.205)


def test_a_recorded_cookie_counts_as_one(folder):
    _, answer = recorded_answer(folder / "yahoo-finance2" / "getCrumb-quote-AAPL-copyConsent.json")
    assert "set-cookie" in answer.headers
    assert read_cookie(Answer(404, b"", answer.headers, HOST)) is None
