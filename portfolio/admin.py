"""Admin pages of what the syncs wrote: to look at, never to change."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_site import ReadOnly
from portfolio.models import Host, Posting, Quarantine, Raw, Run, StreamRun, Transaction


class StreamRuns(admin.TabularInline[StreamRun, Run]):
    """What one run did on each stream."""

    model = StreamRun
    extra = 0
    can_delete = False
    fields = ("stream", "state", "pages", "sent", "new", "changed", "quarantined", "error")
    readonly_fields = fields


class Postings(admin.TabularInline[Posting, Transaction]):
    """The amounts of one transaction."""

    model = Posting
    extra = 0
    can_delete = False
    fields = ("asset", "amount", "role", "counts")
    readonly_fields = fields


@admin.register(Run)
class RunAdmin(ReadOnly):
    """How each sync went."""

    list_display = ("connection", "trigger", "state", "started_at", "finished_at", "requests", "error")
    list_filter = ("state", "trigger")
    list_select_related = ("connection",)
    search_fields = ("connection__label", "connection__user__email")
    ordering = ("-pk",)
    inlines = (StreamRuns,)


@admin.register(Host)
class HostAdmin(ReadOnly):
    """Which hosts do not answer, and when they are tried next."""

    list_display = ("name", "points", "openings", "rest_until", "failed_at", "error")
    ordering = ("name",)


@admin.register(Transaction)
class TransactionAdmin(ReadOnly):
    """The ledger, newest first."""

    list_display = ("external_id", "connection", "stream", "kind", "status", "occurred_at", "assets")
    list_filter = ("kind", "status")
    list_select_related = ("connection",)
    search_fields = ("=external_id", "connection__label", "connection__user__email")
    ordering = ("-pk",)
    raw_id_fields = ("raw", "connection")
    inlines = (Postings,)


@admin.register(Raw)
class RawAdmin(ReadOnly):
    """What the exchanges said, word for word."""

    list_display = ("source_id", "connection", "stream", "received_at", "seen_at")
    list_select_related = ("connection",)
    search_fields = ("=source_id", "connection__label", "connection__user__email")
    ordering = ("-pk",)


@admin.register(Quarantine)
class QuarantineAdmin(ReadOnly):
    """What could not be read, and why."""

    list_display = ("source_id", "connection", "stream", "reason", "received_at")
    list_select_related = ("connection",)
    search_fields = ("=source_id", "reason", "connection__label", "connection__user__email")
    ordering = ("-pk",)
