"""BTSE's words for what a wallet row is and how far it is, in ours.

Where each word is from, and what is assumed: docs/exchanges/btse.md. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from exchanges import wire
from exchanges.records import Kind, Status


class Way(Enum):
    """Which way a row moves the wallet's balance."""

    IN = 1
    OUT = -1
    SIGNED = 0
    """As the amount's own sign says: an assumption."""
    BOTH = 2
    """A conversion: out of one asset, into another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A type of row; `name` is one for all its spellings, so that a row has one identity in every dialect."""

    name: str
    kind: Kind
    way: Way


def _table(way: Way, kind: Kind, *spellings: str) -> dict[str, Type]:
    return {spelling: Type(name=spellings[0], kind=kind, way=way) for spelling in spellings}


_TYPES: dict[str, Type] = {
    **_table(Way.IN, Kind.DEPOSIT, "deposit"),
    **_table(Way.IN, Kind.DEPOSIT, "express_buy"),
    **_table(Way.OUT, Kind.WITHDRAWAL, "withdraw", "withdrawal"),
    **_table(Way.BOTH, Kind.CONVERSION, "convert", "convert_fiat", "asset_conversion", "conversion", "121"),
    **_table(Way.IN, Kind.TRANSFER_IN, "transfer_in", "receive", "get_paid"),
    **_table(Way.OUT, Kind.TRANSFER_OUT, "transfer_out", "send", "paid"),
    **_table(Way.IN, Kind.TRANSFER_IN, "sub_account_transfer_in", "subaccount_transfer_in"),
    **_table(Way.OUT, Kind.TRANSFER_OUT, "sub_account_transfer_out", "subaccount_transfer_out"),
    **_table(Way.OUT, Kind.TRANSFER_OUT, "invest"),
    **_table(Way.IN, Kind.TRANSFER_IN, "redeem"),
    **_table(Way.OUT, Kind.TRANSFER_OUT, "trading_fee_stake_freeze"),
    **_table(Way.IN, Kind.TRANSFER_IN, "trading_fee_stake_unfreeze"),
    **_table(Way.IN, Kind.INCOME, "referralearning", "referral_earning", "referral"),
    **_table(Way.IN, Kind.INCOME, "spot_trading_fee_rebate"),
    **_table(Way.IN, Kind.INCOME, "futures_trading_fee_rebate", "futures_trading_fee_rebat"),
    **_table(Way.IN, Kind.INCOME, "general_trading_fee_rebate"),
    **_table(Way.IN, Kind.INCOME, "token_voucher_in"),
    **_table(Way.OUT, Kind.ADJUSTMENT, "token_voucher_out"),
    **_table(Way.IN, Kind.INCOME, "strategy_income"),
    **_table(Way.OUT, Kind.ADJUSTMENT, "strategy_pay"),
    **_table(Way.IN, Kind.INCOME, "trial_fund"),
    **_table(Way.SIGNED, Kind.INCOME, "realized_pnl", "108"),
    **_table(Way.SIGNED, Kind.INCOME, "funding", "110"),
    **_table(Way.SIGNED, Kind.ADJUSTMENT, "liquidation", "106"),
    **_table(Way.SIGNED, Kind.DEPOSIT, "1"),
}

_STATUSES: dict[str, Status] = {
    "pending": Status.PENDING,
    "processing": Status.PENDING,
    "completed": Status.COMPLETED,
    "complete": Status.COMPLETED,
    "success": Status.COMPLETED,
    "cancelled": Status.CANCELLED,
    "canceled": Status.CANCELLED,
    "expired": Status.CANCELLED,
    "failure": Status.FAILED,
    "failed": Status.FAILED,
    "rejected": Status.FAILED,
    "1": Status.PENDING,
    "2": Status.PENDING,
    "10": Status.COMPLETED,
    "16": Status.CANCELLED,
}


def type_of(value: object) -> Type:
    """The type of a row; an unknown one is OTHER, moved as its amount's sign says."""
    word = wire.word(value)
    return _TYPES.get(word) or Type(name=word, kind=Kind.OTHER, way=Way.SIGNED)


def status_of(value: object) -> Status:
    """How far a row is; an unknown word is PENDING."""
    return _STATUSES.get(wire.word(value), Status.PENDING)
