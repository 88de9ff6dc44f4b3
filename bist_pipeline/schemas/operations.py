"""Contracts of the schema `operations`: what was asked of whom, at which pace, and of which market this database is.

Nothing here is data about prices; consumers do not see it.
"""

import pandera.pandas as pa

from bist_pipeline.schemas.contract import choice, contract, integer, number, text, timestamp

CIRCUIT_STATES = ("closed", "open", "half_open")
OUTCOMES = (
    *("answered", "unknown", "refused", "unauthorized", "throttled"),
    *("server_error", "bad_body", "timeout", "connection"),
)
MARKET_KINDS = ("real", "simulated", "replayed")

MARKET = contract(
    "operations.market",
    "Which kind of market this database holds: said once, by the first answer stored; another kind is refused.",
    {
        "kind": choice("Kind of market.", MARKET_KINDS),
        "detail": text("Who said so."),
        "noted_at": timestamp("When it was noted."),
        "clock_offset_seconds": number(
            "s", "How far the clock of a simulated exchange is from this machine's; NULL for none.", null=True
        ),
    },
    key=("kind",),
)

PACE = contract(
    "operations.pace",
    "When the next request to a family of hosts may be sent, by all processes together.",
    {
        "family": text("Whose limits these are."),
        "next_at": timestamp("Theoretical arrival time of the next request (generic cell rate algorithm)."),
        "cooldown_until": timestamp("Nothing is sent before; set by answers with status 429.", null=True),
        "throttles": integer("", "Answers with status 429 since the last good one.", pa.Check.ge(0)),
    },
    key=("family",),
)

LEASES = contract(
    "operations.leases",
    "One request that is being sent now. One left behind by a killed process expires.",
    {
        "lease_key": text("Random name."),
        "family": text("Whose limits it counts against."),
        "taken_at": timestamp("When it was given."),
        "expires_at": timestamp("When it is taken for abandoned."),
    },
    key=("lease_key",),
    indexes=(("family",),),
)

CIRCUITS = contract(
    "operations.circuits",
    "One circuit breaker: a family of hosts (429) or one host (outages). It survives the processes.",
    {
        "circuit": text("Family, or family and host."),
        "state": choice("What it lets through: all, nothing, one probe.", CIRCUIT_STATES),
        "failures": integer("", "Faults since the last good answer.", pa.Check.ge(0)),
        "trips": integer(
            "", "How often it opened since it was last closed; each time for twice as long.", pa.Check.ge(0)
        ),
        "opened_at": timestamp("When it last opened.", null=True),
        "open_until": timestamp("From then on one probe is let through.", null=True),
        "probe_until": timestamp("A probe is on its way; taken for lost from then on.", null=True),
        "reason": text("Why it opened."),
    },
    key=("circuit",),
)

REQUESTS = contract(
    "operations.requests",
    "One request that was sent to a provider, and what became of it.",
    {
        "request_key": text("Random name; that of its lease."),
        "requested_at": timestamp("When it was sent."),
        "family": text("Whose limits it counted against."),
        "host": text("Base URL."),
        "provider": text("Who asked."),
        "route": text("What was asked: chart, quote, cookie, crumb, spark, screener."),
        "symbol": text("The symbol, where it was about one alone."),
        "attempt": integer("", "1 for the first try, more for retries.", pa.Check.ge(1)),
        "outcome": choice("What became of it.", OUTCOMES),
        "status": integer("", "HTTP status; 0 where none came."),
        "bytes": integer("bytes", "Length of the body.", pa.Check.ge(0)),
        "waited_seconds": number("s", "How long it was held back."),
        "elapsed_seconds": number("s", "From sending to the last byte."),
        "detail": text("One line for people where it failed."),
        "run_id": text("Which run asked."),
    },
    key=("request_key",),
    indexes=(("requested_at",), ("provider", "requested_at")),
)
