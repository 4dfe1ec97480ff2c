"""The admin's form for a connection: key and secret go in and never come out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.keys import usable
from accounts.models import Connection
from exchanges.catalog import EXCHANGES


def _secret(label: str) -> forms.CharField:
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, required=False, widget=widget)


class ConnectionForm(forms.ModelForm[Connection]):
    """What an administrator may set; both fields of the key stay empty where nothing is to change."""

    new_key = _secret("New key")
    new_secret = _secret("New secret")

    class Meta:
        model = Connection
        fields = ["user", "exchange", "label"]

    def clean_exchange(self) -> str:
        """An account that its owner keeps has no key, so it is not made here."""
        chosen: str = self.cleaned_data["exchange"]
        if chosen not in EXCHANGES:
            raise ValidationError("Choose an exchange. Own entries are made on the page Corrections.")
        return chosen

    def clean(self) -> dict[str, Any]:
        """Both or neither, and usable text."""
        data: dict[str, Any] = super().clean() or {}
        key, secret = data.get("new_key", ""), data.get("new_secret", "")
        if bool(key) != bool(secret):
            raise ValidationError("Enter the key and its secret together, or neither.")
        for name, text in (("key", key), ("secret", secret)):
            try:
                usable(text or "unchanged", name)
            except ValueError as error:
                self.add_error(f"new_{name}", str(error))
        return data

    def clean_label(self) -> str:
        """A user's labels differ; asked here because the user of a stored connection is no field of the form."""
        label: str = self.cleaned_data["label"]
        others = Connection.objects.filter(user_id=self.instance.user_id, label__iexact=label)
        if self.instance.pk and others.exclude(pk=self.instance.pk).exists():
            raise ValidationError("This user has a connection with this label already. Choose another label.")
        return label
