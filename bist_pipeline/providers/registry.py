"""Which providers there are, and those that a person chose.

Belongs here: discovery and building from the settings. Does not belong here: a list of providers; a module that defines
a `ProviderSpec` is found.
"""

from collections.abc import Mapping
from datetime import timedelta

from bist_pipeline import providers
from bist_pipeline.core.clock import Clock, OffsetClock, SystemClock
from bist_pipeline.core.errors import SettingsError
from bist_pipeline.core.registry import discover
from bist_pipeline.providers.contract import LiveProvider, PriceProvider, ProviderSpec, Services
from bist_pipeline.settings import Settings


def registered_providers() -> Mapping[str, ProviderSpec]:
    """Return every provider's declaration by name, sorted."""
    return discover(providers, ProviderSpec)


def provider_delay(settings: Settings) -> timedelta:
    """Return how late the slowest of the chosen providers tells: no row may be known before its source knew it."""
    known = registered_providers()
    return max(known[name].delay for name in _chosen("BIST_PROVIDERS", settings.bist_providers, _tell_history()))


def build_providers(settings: Settings, services: Services | None = None) -> list[PriceProvider]:
    """Make the providers of history that `BIST_PROVIDERS` names, in its order.

    Args:
        settings: What the person decided.
        services: What they need to ask over the network; without it they can be made and not asked.

    Raises:
        SettingsError: A name is unknown, or a provider's own settings do not suffice.
    """
    legal = _tell_history()
    chosen = _chosen("BIST_PROVIDERS", settings.bist_providers, legal)
    return [build(settings, services or Services()) for name in chosen if (build := legal[name].build)]


def build_live_providers(settings: Settings, services: Services | None = None) -> list[LiveProvider]:
    """Make the providers of the session in progress that `BIST_LIVE_PROVIDERS` names, in its order.

    Raises:
        SettingsError: A name is unknown, or a provider's own settings do not suffice.
    """
    legal = {name: spec for name, spec in registered_providers().items() if spec.build_live}
    chosen = _chosen("BIST_LIVE_PROVIDERS", settings.bist_live_providers, legal)
    return [build(settings, services or Services()) for name in chosen if (build := legal[name].build_live)]


def exchange_clock(settings: Settings) -> Clock:
    """Return the clock of the exchange that is asked: the machine's, or that of a simulated exchange.

    Raises:
        TransientProviderError: The simulated exchange does not answer.
    """
    if not settings.asks_loopback or settings.bist_providers == ("archive",):
        return SystemClock()
    from bist_pipeline.providers.yahoo._client import YahooClient  # loads the HTTP library

    note = YahooClient(settings, Services(), "clock").about()
    return SystemClock() if note is None else OffsetClock(note.now - SystemClock().now())


def _tell_history() -> dict[str, ProviderSpec]:
    return {name: spec for name, spec in registered_providers().items() if spec.build}


def _chosen(variable: str, names: tuple[str, ...], legal: Mapping[str, ProviderSpec]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in legal]
    if unknown:
        raise SettingsError(f"{variable} names {', '.join(map(repr, unknown))} (legal: {', '.join(legal)})")
    return names
