"""What `up` says before it asks anybody."""

from datetime import date

import pytest

from bist_pipeline.cli._announcement import announcement
from bist_pipeline.core.universe import load_universe
from bist_pipeline.settings import load_settings
from bist_pipeline.simulator.invention import symbol_codes
from bist_pipeline_tests.archives import simulated_bars, write_archive

# By hand: a request per history and second; a request per hundred quotes, one for the cookie and one for the crumb.
BY_HAND = [(92, 1.0, "0:01:32", 3), (600, 1.0, "0:10:00", 8), (600, 2.0, "0:05:00", 8), (101, 0.5, "0:03:22", 4)]


@pytest.mark.parametrize(("symbols", "pace", "first", "refresh"), BY_HAND)
def test_the_live_market_is_announced_with_its_requests_and_whose_use_its_terms_are_for(
    tmp_path, symbols, pace, first, refresh
):
    universe = tmp_path / "universe.csv"
    universe.write_text("symbol\n" + "".join(f"{code}\n" for code in symbol_codes(symbols)))
    told = announcement(load_settings(bist_universe=str(universe), yahoo_requests_per_second=pace))
    assert told.startswith("LIVE: asks Yahoo Finance (https://query2.finance.yahoo.com, https://query1.")
    assert f" at {pace:g} requests a second at most: now {symbols} histories (about {first})," in told
    assert f"about {refresh} requests every five minutes while the exchange trades, {symbols} after each close" in told
    assert "for your personal use alone" in told
    assert "no redistribution, no commercial use" in told


def test_the_packaged_list_is_announced_as_long_as_it_is():
    told = announcement(load_settings())
    assert f"now {len(load_universe('packaged'))} histories" in told


def test_a_simulated_market_is_announced_as_one_that_leaves_the_machine_alone():
    settings = load_settings(yahoo_hosts="http://127.0.0.1:4711", yahoo_requests_per_second=0)
    assert announcement(settings) == "asks the exchange at http://127.0.0.1:4711 on this machine; nothing leaves it"


def test_files_are_announced_without_a_network(tmp_path):
    archive = write_archive(tmp_path / "archive", simulated_bars(2, 5, first=date(2021, 1, 4)))
    told = announcement(load_settings(bist_archive_dir=archive))
    assert told.startswith(f"reads {archive}; nothing is asked over the network.")
    assert "Yahoo" not in told
