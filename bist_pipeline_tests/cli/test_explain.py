"""`explain`: what it prints, what it draws, and what it refuses."""

import re

import pytest

from bist_pipeline.patterns.registry import registered_charts
from bist_pipeline.patterns.structures.judging import rules_of
from bist_pipeline_tests.cli.commands import WRONG_USAGE, contents, refusal, run
from bist_pipeline_tests.desks import FIRST, HOLIDAY, LAST, SYMBOLS

PNG = b"\x89PNG\r\n\x1a\n"
SYMBOL = SYMBOLS[0]


@pytest.fixture
def event(untouched):
    """The newest confirmed chart pattern of turning points."""
    return untouched.rows(
        """SELECT symbol, session_date, pattern, event_id FROM analytics.chart_patterns
        WHERE state = 'confirmed' AND last_pivot_on > started_on ORDER BY session_date DESC, event_id LIMIT 1"""
    )[0]


def words(text: str) -> str:
    """What a table says, without its lines and the breaks within its cells."""
    return " ".join(re.sub(r"[^\w\s.,:;+%()/-]", " ", text).split())


def test_without_a_pattern_it_tells_the_signal_its_terms_and_every_pattern(untouched):
    result = run("explain", SYMBOL)
    assert (result.exit_code, result.stderr) == (0, "")
    signal = untouched.rows(
        "SELECT * FROM analytics.signals WHERE symbol = :symbol AND session_date = :day",
        {"symbol": SYMBOL, "day": LAST},
    )[0]
    first = result.stdout.splitlines()[0]
    assert first.startswith(f"{SYMBOL} {LAST}: {signal.action}, score {signal.score:+.3f}, ")
    assert first.endswith(f"grade {signal.grade}, model {signal.model_version}")
    assert "Terms; contributions sum to the score" in words(result.stdout)
    table = result.stdout.partition("Chart patterns;")[2]
    for heading in ("pattern", "newest_event", "nearest_candidate", "first_rule_broken"):
        assert heading in words(table)
    assert sum(name in table for name in registered_charts()) >= 5


def test_of_a_pattern_it_tells_the_life_of_its_newest_event(event):
    result = run("explain", event.symbol, "--date", str(event.session_date), "--pattern", event.pattern)
    assert (result.exit_code, result.stderr) == (0, "")
    pattern = registered_charts()[event.pattern]
    assert result.stdout.startswith(
        f"{event.symbol} {event.session_date}, {pattern.title} (version {pattern.version}): {pattern.meaning}"
    )
    assert f"Newest event {event.event_id}" in words(result.stdout)
    assert "confirmed" in result.stdout


def test_of_a_pattern_it_tells_the_rules_until_the_first_that_is_broken(untouched):
    for pattern in registered_charts().values():
        result = run("explain", SYMBOL, "--pattern", pattern.name)
        assert result.exit_code == 0, result.output
        turned = re.search(r"; (\w+) turned it away\. Points: \d{4}-\d\d-\d\d ", result.stdout)
        if turned:
            break
    else:
        pytest.fail("no candidate was turned away")
    names = [rule.name for rule in rules_of(pattern)]
    rules = result.stdout.partition("Rules, in the order in which they are asked")[2]
    last = names.index(turned[1])
    shown = [one for one in names if re.search(rf"\b{one}\b", rules)]
    assert shown == names[: last + 1]
    assert len(re.findall(r"\bNO\b", rules)) == 1
    assert "misses by" in words(rules) or "cannot be measured" in words(rules)


@pytest.mark.parametrize("flipped", [True, False], ids=["upside down", "as it is defined"])
def test_only_of_a_pattern_that_is_defined_upside_down_it_says_how_rules_are_named(untouched, flipped):
    for pattern in registered_charts().values():
        shown = run("explain", SYMBOL, "--pattern", pattern.name).stdout if pattern.flipped == flipped else ""
        if "Rules, in the order in which they are asked" in shown:
            break
    else:
        pytest.fail("no rule of such a pattern was asked")
    named = f"Rules are named as in {pattern.mirror}, upside down; slopes count toward the pattern"
    assert (named in shown) == flipped


def test_patterns_of_every_kind_can_be_asked_for(untouched):
    for name in list(registered_charts())[::6]:
        result = run("explain", SYMBOL, "--pattern", name)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        assert registered_charts()[name].meaning in result.stdout


def test_a_holiday_is_explained_as_the_last_session_before_it(untouched):
    result = run("explain", SYMBOL, "--date", str(HOLIDAY))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{SYMBOL} 2021-04-22: ")
    assert run("explain", SYMBOL, "--date", "2021-04-22").stdout == result.stdout


def test_a_session_without_a_signal_says_so(untouched):
    result = run("explain", SYMBOL, "--date", str(FIRST))
    assert result.exit_code == 0, result.output
    has_signal = untouched.rows(
        "SELECT count(*) AS n FROM analytics.signals WHERE symbol = :symbol AND session_date = :day",
        {"symbol": SYMBOL, "day": FIRST},
    )[0].n
    assert (f"{SYMBOL} {FIRST}: no signal" in result.stdout) == (has_signal == 0)


@pytest.mark.parametrize("written", ["zzaaa", "ZZAAA.IS", "BIST:ZZAAA"])
def test_a_symbol_may_be_written_as_anybody_writes_it(untouched, written):
    day = ("--date", "2021-02-01")
    assert run("explain", written, *day).stdout == run("explain", SYMBOL, *day).stdout


def test_it_draws_a_picture_and_says_where(event, tmp_path):
    place = tmp_path / "event.png"
    asked = (event.symbol, "--date", str(event.session_date), "--pattern", event.pattern)
    result = run("explain", *asked, "--png", str(place))
    assert (result.exit_code, result.stderr) == (0, f"drawn: {place}\n")
    assert result.stdout == run("explain", *asked).stdout
    picture = place.read_bytes()
    assert picture.startswith(PNG)
    assert len(picture) <= 30_000


def test_of_a_simulated_market_it_says_so_on_stderr(followed):
    symbol = followed.database.rows("SELECT min(symbol) AS first FROM market.daily_prices")[0].first
    result = run("explain", symbol)
    assert (result.exit_code, result.stderr) == (0, "SIMULATED market: no price here is real\n")


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("NOSUCH",), 1, "NOSUCH has no accepted bar up to"),
        (("no symbol at all!",), 1, "no symbol at all!"),
        ((SYMBOL, "--pattern", "tripple_top"), 1, "no chart pattern 'tripple_top' is registered; there are"),
        ((SYMBOL, "--date", "2020-12-31"), 1, f"{SYMBOL} has no accepted bar up to 2020-12-31"),
        ((SYMBOL, "--date", "yesterday"), WRONG_USAGE, "'yesterday' is no date; write it as 2026-08-07"),
        ((SYMBOL, "--png", "{tmp}/x.png"), WRONG_USAGE, "--png goes with --pattern"),
        ((SYMBOL, "--png", "{tmp}", "--pattern", "double_top"), WRONG_USAGE, "is a directory"),
        (
            (SYMBOL, "--png", "{tmp}/none/x.png", "--pattern", "nr7"),
            WRONG_USAGE,
            "none/x.png: there is no folder",
        ),
        ((SYMBOL, "--date", str(FIRST), "--pattern", "nr7", "--png", "{tmp}/x.png"), 1, "no candidate to draw"),
        ((), WRONG_USAGE, "Missing argument 'SYMBOL'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_explained_is_refused_in_one_line(untouched, tmp_path, arguments, code, reason):
    before = contents(untouched)
    result = run("explain", *(argument.replace("{tmp}", str(tmp_path)) for argument in arguments))
    assert reason in refusal(result)
    assert result.exit_code == code
    assert result.stdout == ""
    assert contents(untouched) == before
    assert list(tmp_path.iterdir()) == []
