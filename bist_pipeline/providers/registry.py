"""Which providers there are, and those that a person chose.

Belongs here: discovery and building from the settings. Does not belong here: a list of providers; a module that defines
a `ProviderSpec` is found.
"""

from collections.abc import Mapping
from datetime import timedelta

from bist_pipeline import providers
from bist_pipeline.core.errors import SettingsError
from bist_pipeline.core.registry import discover
from bist_pipeline.providers.contract import PriceProvider, ProviderSpec
from bist_pipeline.settings import Settings


def registered_providers() -> Mapping[str, ProviderSpec]:
    """Return every provider's declaration by name, sorted."""
    return discover(providers, ProviderSpec)


def provider_delay(settings: Settings) -> timedelta:
    """Return how late the slowest of the chosen providers tells: no row may be known before its source knew it."""
    known = registered_providers()
    return max(known[name].delay for name in _chosen(settings))


def build_providers(settings: Settings) -> list[PriceProvider]:
    """Make the providers that `BIST_PROVIDERS` names, in its order.

    Raises:
        SettingsError: A name is unknown, or a provider's own settings do not suffice.
    """
    known = registered_providers()
    return [known[name].build(settings) for name in _chosen(settings)]


def _chosen(settings: Settings) -> tuple[str, ...]:
    known = registered_providers()
    unknown = [name for name in settings.bist_providers if name not in known]
    if unknown:
        raise SettingsError(f"BIST_PROVIDERS names {', '.join(map(repr, unknown))} (legal: {', '.join(known)})")
    return settings.bist_providers
