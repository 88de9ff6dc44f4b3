"""What `up` says before it begins: whom it will ask, how often, and for whose use the answers are."""

from datetime import timedelta

from bist_pipeline.core.universe import load_universe
from bist_pipeline.providers.registry import registered_providers
from bist_pipeline.settings import Settings

# Cookie and crumb; a refresh renews both.
_SESSION_REQUESTS = 2


def announcement(settings: Settings) -> str:
    """Say in one or two lines what will be asked of whom."""
    known = registered_providers()
    terms = known[settings.bist_providers[0]].terms
    if settings.bist_providers == ("archive",):
        return f"reads {settings.bist_archive_dir}; nothing is asked over the network. {terms}"
    if settings.asks_loopback:
        return f"asks the exchange at {', '.join(settings.yahoo_hosts)} on this machine; nothing leaves it"
    symbols = len(load_universe(settings.bist_universe))
    pace = settings.yahoo_requests_per_second
    first = timedelta(seconds=round(symbols / pace))
    batch = -(-symbols // settings.collector_batch_size) + _SESSION_REQUESTS
    return (
        f"LIVE: asks Yahoo Finance ({', '.join(settings.yahoo_hosts)}) at {pace:g} requests a second at most: now "
        f"{symbols} histories (about {first}), about {batch} requests every five minutes while the exchange trades, "
        f"{symbols} after each close and once more the next morning.\n{terms}"
    )
