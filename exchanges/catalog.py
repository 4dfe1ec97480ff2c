"""Which exchanges exist, what their keys look like, how to make one, and what each offers.

Knows no wire and no store: plain facts that forms, pages and commands show.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ExchangeName(StrEnum):
    """The name by which users, commands and tables know an exchange."""

    BTSE = "btse"
    TETHER = "tether"
    TOKENS_NET = "tokens_net"
    OWN = "own"
    """No exchange: an account whose owner writes its ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a user must know before connecting an account, and what can be read from it."""

    name: ExchangeName
    label: str
    website: str
    url_setting: str
    """Name of the setting (and environment variable) that holds its host."""
    default_url: str
    key_label: str
    secret_label: str
    steps: tuple[str, ...]
    """How to make a key, one sentence a step."""
    rights: tuple[str, ...]
    """Which rights to tick; empty where the exchange has no scopes."""
    rights_note: str
    offers: tuple[str, ...]
    lacks: tuple[str, ...]
    has_full_ledger: bool
    """Whether its ledger can explain every change of a balance (Tokens.net lists no deposits or withdrawals)."""
    closed_note: str = ""


BTSE = Exchange(
    name=ExchangeName.BTSE,
    label="BTSE",
    website="https://www.btse.com",
    url_setting="BTSE_URL",
    default_url="https://api.btse.com",
    key_label="API key",
    secret_label="API passphrase (secret)",
    steps=(
        "Log in at BTSE, open the account menu at the top right and choose API.",
        "Press “New API”, give the key the name Holdfast and tick the right Read, nothing else.",
        "Copy the API key and the passphrase at once: the passphrase is shown only this one time.",
        "Paste both here.",
    ),
    rights=("Read",),
    rights_note="Read is enough. Leave Trading, Wallet, Transfer and Withdraw unticked.",
    offers=("Balances of the spot wallet", "Wallet history", "Trades", "Prices and price history"),
    lacks=("Balances of earlier days", "Futures wallets", "A list of the rights of a key"),
    has_full_ledger=True,
)

TETHER = Exchange(
    name=ExchangeName.TETHER,
    label="Tether.to",
    website="https://app.tether.to",
    url_setting="TETHER_URL",
    default_url="https://app.tether.to",
    key_label="API key",
    secret_label="API secret",
    steps=(
        "Log in at Tether.to, open the account settings and look for the tab API keys.",
        "Press “Create Key” and tick read_balances and read_transactions, nothing else.",
        "Press “Create new API key” and copy key and secret.",
        "Paste both here.",
    ),
    rights=("read_balances", "read_transactions"),
    rights_note="Leave create_transaction and create_exchange_order unticked: they can move money.",
    offers=("Balances", "Transactions with the balance after each"),
    lacks=("Balances of earlier days", "A list of the rights of a key"),
    has_full_ledger=True,
)

TOKENS_NET = Exchange(
    name=ExchangeName.TOKENS_NET,
    label="Tokens.net",
    website="https://www.tokens.net",
    url_setting="TOKENS_NET_URL",
    default_url="https://api.tokens.net",
    key_label="API key",
    secret_label="API secret",
    steps=(
        "Log in at Tokens.net, open the settings and choose API access.",
        "Create a key for Holdfast alone: the exchange counts the calls of each key, and two programs disturb each other.",
        "Confirm the key with the link in the e-mail that you receive, and bind it to this computer's address if you can.",
        "Paste key and secret here.",
    ),
    rights=(),
    rights_note=(
        "Tokens.net has no scopes: every key can trade. Holdfast only ever reads, "
        "but keep this key as safe as the account itself."
    ),
    offers=("Balances", "Orders and their trades", "Prices"),
    lacks=("Deposits and withdrawals", "Balances of earlier days", "Rights of a key"),
    has_full_ledger=False,
    closed_note="Tokens.net announced its closing for April 2021. If it cannot be reached, what was read stays here.",
)

EXCHANGES: dict[ExchangeName, Exchange] = {e.name: e for e in (BTSE, TETHER, TOKENS_NET)}

OWN_ACCOUNT = Exchange(
    name=ExchangeName.OWN,
    label="Own entries",
    website="",
    url_setting="",
    default_url="",
    key_label="",
    secret_label="",
    steps=(),
    rights=(),
    rights_note="",
    offers=("What you enter or import",),
    lacks=("A record of anybody else",),
    has_full_ledger=True,
)
"""What is shown of an account that no exchange answers for; it cannot be connected."""


def exchange(name: str) -> Exchange:
    """The exchange of that name; raises KeyError with the names that exist."""
    try:
        return EXCHANGES[ExchangeName(name)]
    except (KeyError, ValueError):
        raise KeyError(f"There is no exchange “{name}”. Known: {', '.join(EXCHANGES)}.") from None
