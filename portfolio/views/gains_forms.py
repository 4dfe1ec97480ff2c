"""The forms of the gains pages: the choice of method, and what a user corrects or enters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from exchanges import wire
from portfolio.fields import checked
from portfolio.models import ManualEntry, ManualKind, Treatment, Withdrawals
from portfolio.models.gains import METHODS

FIRST_YEAR = 2009


class AmountInput(forms.DecimalField):
    """An exact amount that the store can keep."""

    def __init__(self, **kwargs: Any) -> None:
        """Digits and places are those of the store."""
        super().__init__(max_digits=38, decimal_places=18, widget=_text(inputmode="decimal"), **kwargs)

    def clean(self, value: Any) -> Any:
        """The amount as the store keeps it."""
        amount = super().clean(value)
        return None if amount is None else checked(amount)


class AssetInput(forms.CharField):
    """The name of an asset in our spelling."""

    def __init__(self, **kwargs: Any) -> None:
        """At most as long as the store keeps."""
        super().__init__(max_length=32, widget=_text(), **kwargs)

    def clean(self, value: Any) -> Any:
        """Folded as the exchanges' names are."""
        name = super().clean(value)
        if not name:
            return name
        try:
            return wire.asset(name)
        except ValueError:
            raise ValidationError("This is not usable as the name of an asset.") from None


def _text(**attrs: str) -> forms.TextInput:
    return forms.TextInput({"autocomplete": "off", "spellcheck": "false"} | attrs)


def _date() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"})


class ChoiceForm(forms.Form):
    """How gains are found from a year on."""

    method = forms.ChoiceField(choices=METHODS)
    per_account = forms.BooleanField(required=False, label="Keep the lots of each account apart")
    withdrawals = forms.ChoiceField(choices=Withdrawals.choices, label="A withdrawal to nowhere we know")
    since_year = forms.IntegerField(
        min_value=0, max_value=9999, label="From year", help_text="0 is from the beginning."
    )
    forget = forms.BooleanField(required=False, label="Forget the choice made for this year instead")

    def clean_since_year(self) -> int:
        """A year in which there was something to own."""
        year: int = self.cleaned_data["since_year"]
        if 0 < year < FIRST_YEAR:
            raise ValidationError(f"Choose 0 or a year from {FIRST_YEAR} on.")
        return year


class CostForm(forms.Form):
    """What was paid for what came in."""

    transaction = forms.IntegerField(min_value=1, label="Ledger row")
    amount = AmountInput(min_value=0, label="Cost of all of it, in USD")
    note = forms.CharField(max_length=500, required=False, widget=_text())


class KindForm(forms.Form):
    """What a row was."""

    transaction = forms.IntegerField(min_value=1, label="Ledger row")
    treatment = forms.ChoiceField(choices=Treatment.choices, label="It was")
    note = forms.CharField(max_length=500, required=False, widget=_text())


class NoteForm(forms.Form):
    """Something to remember about a row or an asset."""

    transaction = forms.IntegerField(min_value=1, required=False, label="Ledger row (or empty)")
    asset = AssetInput(required=False, label="Asset (or empty)")
    note = forms.CharField(max_length=500, widget=_text())

    def clean(self) -> dict[str, Any]:
        """About one of them."""
        data = super().clean() or {}
        if not data.get("transaction") and not data.get("asset"):
            raise ValidationError("Name a ledger row or an asset.")
        return data


class PriceForm(forms.Form):
    """What one unit was worth on a day."""

    asset = AssetInput()
    day = forms.DateField(widget=_date())
    amount = AmountInput(label="Price of one, in USD")
    note = forms.CharField(max_length=500, required=False, widget=_text())

    def clean_amount(self) -> Any:
        """Above zero: no price is said by saying nothing."""
        if self.cleaned_data["amount"] <= 0:
            raise ValidationError("A price is above zero.")
        return self.cleaned_data["amount"]


class ManualForm(forms.Form):
    """A transaction that no exchange told."""

    kind = forms.ChoiceField(choices=ManualKind.choices)
    account = forms.CharField(max_length=60, widget=_text())
    to_account = forms.CharField(
        max_length=60, required=False, widget=_text(), label="To account (transfers)"
    )
    asset = AssetInput()
    quantity = AmountInput()
    value_usd = AmountInput(
        required=False, min_value=0, label="Value in USD (empty: market value of the day)"
    )
    fee_usd = AmountInput(required=False, label="Fee in USD")
    occurred_at = forms.DateTimeField(
        label="Time (UTC)", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    note = forms.CharField(max_length=300, required=False, widget=_text())

    def clean(self) -> dict[str, Any]:
        """A quantity above zero, and a place to go for a transfer."""
        data = super().clean() or {}
        if data.get("quantity") is not None and data["quantity"] <= 0:
            self.add_error("quantity", "A quantity is above zero.")
        if data.get("kind") == ManualKind.TRANSFER and not data.get("to_account"):
            self.add_error("to_account", "A transfer needs the account where it went.")
        at = data.get("occurred_at")
        if isinstance(at, datetime) and not wire.EARLIEST <= at <= wire.LATEST:
            self.add_error("occurred_at", "The time must be between 2009 and 2100.")
        return data

    def entry(self, identity: str) -> ManualEntry:
        """The row, not saved."""
        data = self.cleaned_data
        return ManualEntry(
            account=data["account"],
            to_account=data["to_account"],
            identity=identity,
            kind=data["kind"],
            asset=data["asset"],
            quantity=data["quantity"],
            value_usd=data["value_usd"],
            fee_usd=data["fee_usd"] or 0,
            occurred_at=data["occurred_at"].astimezone(UTC),
            note=data["note"],
        )


class UploadForm(forms.Form):
    """A file, and the account of its rows that name none."""

    file = forms.FileField(
        label="CSV file", widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"})
    )
    account = forms.CharField(
        max_length=60, initial="Manual", widget=_text(), label="Account of rows that name none"
    )
