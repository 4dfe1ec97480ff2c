"""The forms around a connection's key. What is typed as key or secret is never written back into a page."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.keys import LONGEST
from accounts.models import Connection, User
from exchanges.catalog import Exchange

UNSEEN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none", "data-1p-ignore": ""}


class KeyForm(forms.Form):
    """A key and its secret, with the names that the exchange gives them."""

    key = forms.CharField(max_length=LONGEST, widget=forms.PasswordInput(UNSEEN, render_value=False))
    secret = forms.CharField(max_length=LONGEST, widget=forms.PasswordInput(UNSEEN, render_value=False))

    def __init__(self, exchange: Exchange, *args: Any, **kwargs: Any) -> None:
        """Labels come from the catalog."""
        super().__init__(*args, **kwargs)
        self.fields["key"].label = exchange.key_label
        self.fields["secret"].label = exchange.secret_label


class AddForm(KeyForm):
    """A new connection: a label that its user has not used yet, key and secret."""

    label = forms.CharField(
        max_length=60,
        label="Name",
        help_text="How it is called on your pages.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("label", "key", "secret")

    def __init__(self, exchange: Exchange, user: User, *args: Any, **kwargs: Any) -> None:
        """`user` decides which labels are free."""
        super().__init__(exchange, *args, **kwargs)
        self.user = user

    def clean_label(self) -> str:
        """One label, one connection."""
        label: str = self.cleaned_data["label"]
        if Connection.objects.for_user(self.user).filter(label__iexact=label).exists():
            raise forms.ValidationError("You have a connection with this name already. Choose another one.")
        return label


class RemoveForm(forms.Form):
    """Whether the history stays, and the label typed as a confirmation."""

    history = forms.ChoiceField(
        choices=[
            ("keep", "Keep its history: only the key is deleted; balances, ledger and charts stay."),
            ("delete", "Delete everything: key, balances, ledger, charts and the records behind them."),
        ],
        initial="keep",
        widget=forms.RadioSelect,
        label="What happens to its history?",
    )
    confirmation = forms.CharField(
        max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, found: Connection, *args: Any, **kwargs: Any) -> None:
        """The label to type is this connection's."""
        super().__init__(*args, **kwargs)
        self.expected = found.label
        self.fields["confirmation"].label = f"Type “{found.label}” to confirm"

    def clean_confirmation(self) -> str:
        """The label, as it is written."""
        typed: str = self.cleaned_data["confirmation"]
        if typed != self.expected.strip():
            raise forms.ValidationError("This is not the name of the connection.")
        return typed
