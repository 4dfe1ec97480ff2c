"""The store: what was said, what it means, what it is worth. One module a stage; QuerySet methods are the queries."""

from portfolio.models.balances import BalanceSnapshot
from portfolio.models.bundles import BundlePiece, GainsBundle
from portfolio.models.choices import MoneyChoice, SourceOrder
from portfolio.models.corrections import (
    Correction,
    CorrectionKind,
    ImportBatch,
    ImportState,
    ManualEntry,
    ManualKind,
    Treatment,
)
from portfolio.models.gain_rows import (
    GainDisposal,
    GainHolding,
    GainLot,
    GainProblem,
    GainsChapter,
    GainTotal,
)
from portfolio.models.gains import GainsChoice, GainsReport, GainsState, Withdrawals
from portfolio.models.hosts import Host
from portfolio.models.ledger import Posting, Transaction
from portfolio.models.proofs import Proof, Verdict
from portfolio.models.rates import DailyPrice, PriceHistory, Rate
from portfolio.models.raw import Quarantine, Raw
from portfolio.models.runs import Coverage, Run, RunState, StreamRun, Trigger
from portfolio.models.transfers import MatchState, TransferMatch
from portfolio.models.valuations import (
    Certainty,
    DailyFlow,
    DailyHolding,
    DailyWorth,
    MonthlyChange,
    ToldHolding,
    WorthPoint,
)

__all__ = [
    "BalanceSnapshot",
    "BundlePiece",
    "Certainty",
    "Correction",
    "CorrectionKind",
    "Coverage",
    "DailyFlow",
    "DailyHolding",
    "DailyPrice",
    "DailyWorth",
    "GainDisposal",
    "GainHolding",
    "GainLot",
    "GainProblem",
    "GainTotal",
    "GainsBundle",
    "GainsChapter",
    "GainsChoice",
    "GainsReport",
    "GainsState",
    "Host",
    "ImportBatch",
    "ImportState",
    "ManualEntry",
    "ManualKind",
    "MatchState",
    "MoneyChoice",
    "MonthlyChange",
    "Posting",
    "PriceHistory",
    "Proof",
    "Quarantine",
    "Rate",
    "Raw",
    "Run",
    "RunState",
    "SourceOrder",
    "StreamRun",
    "ToldHolding",
    "Transaction",
    "TransferMatch",
    "Treatment",
    "Trigger",
    "Verdict",
    "Withdrawals",
    "WorthPoint",
]
