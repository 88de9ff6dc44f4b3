"""What is told of the providers adds up to what was asked of them."""

from datetime import timedelta

import pandas as pd
import pytest

from bist_pipeline.pipeline.pacing import PostgresPacer
from bist_pipeline.pipeline.provider_health import read_health, request_counts
from bist_pipeline.providers.pacing.contract import Ask, Reply
from bist_pipeline.settings import load_settings

HOST, OTHER = "http://127.0.0.1:9001", "http://127.0.0.1:9002"
HOUR = timedelta(hours=1)
STORY = [
    (HOST, 1, Reply("answered", 200, 1000)),
    (HOST, 1, Reply("unknown", 404, 100)),
    (HOST, 1, Reply("server_error", 503, 10)),
    (OTHER, 2, Reply("answered", 200, 500)),
    (HOST, 1, Reply("bad_body", 200, 20)),
    (HOST, 2, Reply("timeout")),
    (HOST, 3, Reply("connection")),
    (HOST, 1, Reply("unauthorized", 401, 5)),
    (HOST, 1, Reply("refused", 400, 5)),
    (HOST, 1, Reply("throttled", 429, 17)),
]


@pytest.fixture
def pacer(database, settings) -> PostgresPacer:
    told = load_settings(
        bist_home=settings.bist_home,
        bist_database_url=settings.bist_database_url.get_secret_value(),
        yahoo_hosts=f"{HOST},{OTHER}",
        yahoo_requests_per_second=0.0,
        yf_backoff_base_seconds=0.05,
    )
    return PostgresPacer(database, told, "mine")


def tell(pacer: PostgresPacer, story, *, provider: str = "yahoo_chart") -> None:
    for host, attempt, reply in story:
        ask = Ask("yahoo", host, provider, "chart", "THYAO", attempt)
        pacer.release(pacer.acquire(ask), ask, reply)


def row_of(health: pd.DataFrame, host: str, provider: str = "yahoo_chart") -> dict:
    found = health[(health["host"] == host) & (health["provider"] == provider)]
    assert len(found) == 1
    return found.iloc[0].to_dict()


def test_a_database_that_was_never_used_has_no_rows_and_all_columns(database):
    health = read_health(database, HOUR)
    assert len(health) == 0
    assert {"provider", "host", "requests", "success_ratio", "last_answer_at", "circuit"} <= set(health.columns)


def test_every_request_of_a_host_is_in_exactly_one_kind(database, pacer):
    tell(pacer, STORY)
    row = row_of(read_health(database, HOUR), HOST)
    kinds = ["answered", "throttled", "server_errors", "bad_bodies", "timeouts", "connection_faults"]
    kinds += ["unauthorized", "refused"]
    assert {name: row[name] for name in kinds} == {**dict.fromkeys(kinds, 1), "answered": 2}
    assert row["requests"] == sum(row[name] for name in kinds) == 9
    assert (row["retried"], row["bytes_received"]) == (2, 1157)
    assert row["success_ratio"] == pytest.approx(2 / 9)
    assert row["last_answer_at"] < pd.Timestamp.now("UTC")


def test_each_provider_and_host_has_a_row_of_its_own(database, pacer):
    tell(pacer, STORY[:4])
    tell(pacer, STORY[:1], provider="yfinance")
    health = read_health(database, HOUR)
    assert list(zip(health["provider"], health["host"], strict=True)) == [
        ("yahoo_chart", HOST),
        ("yahoo_chart", OTHER),
        ("yfinance", HOST),
    ]
    assert row_of(health, OTHER)["retried"] == 1


def test_the_last_answer_is_told_even_when_it_is_older_than_the_window(database, pacer):
    tell(pacer, STORY[:1])
    with database.statements("ageing") as statements:
        statements.run("UPDATE operations.requests SET requested_at = requested_at - interval '3 days'")
    row = row_of(read_health(database, HOUR), HOST)
    assert (row["requests"], row["answered"]) == (0, 0)
    assert pd.isna(row["success_ratio"])
    assert pd.Timestamp.now("UTC") - row["last_answer_at"] > timedelta(days=2)


def test_a_provider_that_never_answered_has_no_last_answer(database, pacer):
    tell(pacer, [(HOST, 1, Reply("timeout"))])
    assert pd.isna(row_of(read_health(database, HOUR), HOST)["last_answer_at"])


def test_an_open_host_is_told_at_that_host_alone(database, pacer):
    tell(pacer, [(OTHER, 1, Reply("answered", 200, 1))])
    tell(pacer, [(HOST, 1, Reply("timeout"))] * 8)
    health = read_health(database, HOUR)
    assert row_of(health, OTHER)["circuit"] == "closed"
    assert row_of(health, HOST)["circuit"].startswith("circuit open until ")
    assert row_of(health, HOST)["circuit"].endswith(f"8 faults in a row at {HOST}, the last: timeout")


def test_an_open_family_is_told_at_every_host(database, pacer):
    tell(pacer, STORY[:4])
    with database.statements("opening the family") as statements:
        statements.run(
            """INSERT INTO operations.circuits VALUES (
                'yahoo', 'open', 10, 1, clock_timestamp(), clock_timestamp() + interval '1 hour', NULL, '10 answers 429'
            )"""
        )
    told = set(read_health(database, HOUR)["circuit"])
    assert len(told) == 1
    assert told.pop().endswith(": 10 answers 429")
    with database.statements("letting the time pass") as statements:
        statements.run("UPDATE operations.circuits SET open_until = clock_timestamp()")
    assert set(read_health(database, HOUR)["circuit"]) == {"circuit lets one probe through, after 10 answers 429"}


def test_a_cool_down_is_told(database, pacer):
    tell(pacer, [(HOST, 1, Reply("throttled", 429, retry_after_seconds=60.0))])
    assert row_of(read_health(database, HOUR), HOST)["circuit"].startswith("closed; cooling down until ")


def test_a_runs_counts_add_up_and_leave_out_other_runs(database, settings, pacer):
    tell(pacer, STORY)
    counts = request_counts(database, "mine")
    assert counts.pop("waited_seconds") >= 0
    assert counts == {
        **{"requests_asked": 10, "requests_answered": 3, "requests_retried": 3, "requests_throttled": 1},
        **{"requests_failed": 6, "bytes_received": 1657},
    }
    assert set(request_counts(database, "another").values()) == {0}
