"""Every error a person may meet, as types.

Belongs here: exception classes that cross a room's border. Does not belong here: handling them (one boundary in
`providers/`, one in `storage/`, one in `cli/`). A message is one line and names what was wrong, where, and what to do.
"""

from datetime import datetime


class BistError(Exception):
    """Base of every error that is reported to a person as one line, without a traceback."""


class SettingsError(BistError):
    """A setting is missing or has an illegal value; the message names the variable and the legal values."""


class SymbolError(BistError):
    """A text is not a Borsa Istanbul symbol."""


class UniverseError(BistError):
    """The list of symbols cannot be read, or asks for something that does not exist."""


class SessionError(BistError):
    """A date or a range of dates cannot be used: before the origin, reversed, or beyond the calendar."""


class RegistryError(BistError):
    """A registered part is a duplicate, malformed, or a module registers nothing."""


class ContractError(BistError):
    """A frame breaks its table's contract; the message names the table, the column and the rule."""


class ProviderError(BistError):
    """A provider did not deliver. Raised as one of its two subclasses, never as itself."""


class PermanentProviderError(ProviderError):
    """Asking again will not help: unknown symbol, unreadable file, wrong configuration."""


class TransientProviderError(ProviderError):
    """Asking again later may help: timeout, throttling, outage. Never evidence of a delisting."""


class ThrottledError(TransientProviderError):
    """The provider says that too much is asked (429). The whole client slows down, whatever the route."""


class CircuitOpenError(TransientProviderError):
    """Nothing is asked for now: the provider, or one of its hosts, failed too often. The message says until when.

    Attributes:
        until: When the next request may be tried, UTC.
        is_of_one_host: Whether other hosts of the family may be asked meanwhile.
    """

    def __init__(self, message: str, until: datetime, *, is_of_one_host: bool = False) -> None:
        super().__init__(message)
        self.until = until
        self.is_of_one_host = is_of_one_host


class DeadlineError(TransientProviderError):
    """The time allowed for this work is over; what has arrived is used."""


class UnknownSymbolError(PermanentProviderError):
    """The provider does not have this symbol."""


class BadPayloadError(PermanentProviderError):
    """The provider answered with something that is not price history."""


class StorageError(BistError):
    """The database refused or failed; what was being written has been rolled back."""


class DatabaseUnavailableError(StorageError):
    """No connection to the database."""


class EmbeddedServerError(StorageError):
    """The embedded PostgreSQL could not be prepared or started."""


class HomeBusyError(BistError):
    """Another process holds this home."""


class MarketKindError(BistError):
    """A database that holds one kind of market (real, simulated, replayed) was offered another."""


class KillSwitchError(BistError):
    """The kill switch is set: no work is done."""


class PortInUseError(BistError):
    """A port cannot be listened on; the message names the holder where it can be seen."""
