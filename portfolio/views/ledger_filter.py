"""What of the ledger is wanted: connection, asset, kind, role, status, span, text; from an address, checked."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from accounts.models import Connection
from exchanges.records import Role
from portfolio.models import BalanceSnapshot, Posting, Transaction
from portfolio.models.ledger import KINDS, STATUSES, TransactionQuerySet
from portfolio.views.page import Request

FIELDS = ("connection", "asset", "kind", "role", "status", "since", "until", "text")
LONGEST = 120


class LedgerFilter(django_filters.FilterSet):
    """Narrows transactions; a value that cannot be read narrows nothing and is named beside its field."""

    connection = django_filters.ChoiceFilter(label="Connection", empty_label="All", method="as_it_is")
    asset = django_filters.CharFilter(
        label="Asset",
        method="moves",
        max_length=32,
        widget=forms.TextInput(attrs={"list": "assets", "autocomplete": "off"}),
    )
    kind = django_filters.ChoiceFilter(label="Kind", choices=KINDS, empty_label="All")
    role = django_filters.ChoiceFilter(
        label="Amounts", choices=[(Role.FEE.value, "with a fee")], empty_label="All", method="plays"
    )
    status = django_filters.ChoiceFilter(label="Status", choices=STATUSES, empty_label="All")
    since = django_filters.DateFilter(
        label="From", method="from_day", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = django_filters.DateFilter(
        label="Until", method="to_day", widget=forms.DateInput(attrs={"type": "date"})
    )
    text = django_filters.CharFilter(
        label="Text", method="says", max_length=LONGEST, widget=forms.TextInput(attrs={"type": "search"})
    )

    class Meta:
        model = Transaction
        fields: tuple[str, ...] = ()

    def __init__(self, request: Request) -> None:
        """The filter that the address describes, over what its user owns."""
        self.connections = list(Connection.objects.for_user(request.user).order_by("label", "pk"))
        super().__init__(request.GET, queryset=Transaction.objects.for_user(request.user), request=request)
        self.filters["connection"].extra["choices"] = [(c.public_id, c.label) for c in self.connections]

    @property
    def assets(self) -> QuerySet[BalanceSnapshot, str]:
        """Names to propose: what was ever held."""
        mine = BalanceSnapshot.objects.filter(connection__in=self.connections, newest=True)
        return mine.order_by("asset").values_list("asset", flat=True).distinct()

    def queries(self) -> list[TransactionQuerySet]:
        """One query a connection that is wanted."""
        self.form.is_valid()
        wanted = self.form.cleaned_data.get("connection", "")
        narrowed = self.filter_queryset(self.queryset)
        return [narrowed.of(c) for c in self.connections if wanted in ("", c.public_id)]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is filtered at all."""
        return any(self.data.get(field) for field in FIELDS)

    def query(self, **more: str) -> str:
        """This filter and `more` as the query of an address."""
        query = QueryDict(mutable=True)
        for field in FIELDS:
            if value := self.data.get(field, ""):
                query[field] = value[:LONGEST]
        query.update(more)
        return query.urlencode()

    def as_it_is(self, queryset: TransactionQuerySet, name: str, value: str) -> TransactionQuerySet:
        """Connections are chosen in `queries`."""
        return queryset

    def moves(self, queryset: TransactionQuerySet, name: str, value: str) -> TransactionQuerySet:
        """Rows with a posting of the asset."""
        return queryset.filter(assets__contains=f" {value.strip().upper()} ")

    def plays(self, queryset: TransactionQuerySet, name: str, value: str) -> TransactionQuerySet:
        """Rows with an amount in that role, of the asset where one is named; asked row by row from the newest on."""
        amounts = Posting.objects.filter(transaction=OuterRef("pk"), role=value)
        asset = self.form.cleaned_data.get("asset", "").strip().upper()
        return queryset.filter(Exists(amounts.filter(asset=asset) if asset else amounts))

    def from_day(self, queryset: TransactionQuerySet, name: str, value: date) -> TransactionQuerySet:
        """From the day's first moment in UTC."""
        return queryset.filter(occurred_at__gte=datetime.combine(value, time(), UTC))

    def to_day(self, queryset: TransactionQuerySet, name: str, value: date) -> TransactionQuerySet:
        """To the day's last moment in UTC."""
        return queryset.filter(occurred_at__lte=datetime.combine(value, time.max, UTC))

    def says(self, queryset: TransactionQuerySet, name: str, value: str) -> TransactionQuerySet:
        """Rows whose description, id or hash holds the text."""
        return queryset.filter(
            Q(description__icontains=value) | Q(external_id__icontains=value) | Q(network_id__icontains=value)
        )
