"""Admin pages of users and connections: keys can be set, paused and resealed here, never seen."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from accounts.admin_site import FACTORS, Discreet, ReadOnly, counted_only
from accounts.confirmed import ask_to_confirm, confirmed_recently
from accounts.forms import ConnectionForm
from accounts.keys import KEY_FIELDS, reseal_key, seal_onto
from accounts.models import Connection, State, User
from accounts.sealing import SealError

admin.site.unregister(Authenticator)
admin.site.unregister(UserSession)

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class PersonAdmin(Discreet, UserAdmin[User]):
    """Users; rights are given by superusers only."""

    add_form = AdminUserCreationForm
    ordering = ("email",)
    list_display = (
        "email",
        "is_active",
        "is_staff",
        "is_owner",
        "second_factor",
        "date_joined",
        "last_login",
    )
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email",)
    readonly_fields = ("last_login", "date_joined", "is_owner")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Rights", {"fields": ("is_active", *RIGHTS)}),
        ("Dates", {"fields": ("is_owner", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    @admin.display(boolean=True)
    def second_factor(self, user: User) -> bool:
        """Whether an app or a security key is asked for at log-in."""
        return any(factor.type in FACTORS for factor in user.authenticator_set.all())  # type: ignore[attr-defined]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With the factors, in one query."""
        return super().get_queryset(request).prefetch_related("authenticator_set")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Staff who are no superusers cannot give themselves rights."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else (*fields, *RIGHTS)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name the users, not all that hangs on them."""
        return counted_only(self, objs)


@admin.register(Authenticator)
class FactorAdmin(ReadOnly):
    """Second factors: when a phone is lost, they can be removed here; their secrets are not shown."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("user", "type", "created_at", "last_used_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only: whoever removes a factor can take over the account with its password."""
        return bool(request.user.is_superuser)


@admin.register(Connection)
class ConnectionAdmin(Discreet):
    """Keys: set or replaced here, never shown."""

    form = ConnectionForm
    list_display = (
        "label",
        "user",
        "exchange",
        "state",
        "synced_at",
        "next_sync_at",
        "fingerprint",
        "key_version",
    )
    list_filter = ("state", "exchange", "key_version")
    list_select_related = ("user",)
    search_fields = ("label", "user__email")
    readonly_fields = (
        "state", "reason", "advice", "synced_at", "next_sync_at", "fingerprint", "key_version", "key_set_at",
        "failures", "created_at",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("user", "exchange", "label")}),
        ("Key", {"fields": ("new_key", "new_secret", "fingerprint", "key_version", "key_set_at")}),
        (
            "State",
            {"fields": ("state", "reason", "advice", "synced_at", "next_sync_at", "failures", "created_at")},
        ),
    )
    actions = ("sync_now", "pause", "resume", "rotate")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        """Those that have keys: what a user enters himself belongs to an account by its name, which must stay."""
        return Connection.objects.at_exchanges()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A key is bound to its user and exchange: these stay."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if obj is None else (*fields, "user", "exchange")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Connections are removed by their users, who choose what becomes of the history."""
        return False

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Only for a session that was confirmed recently: a key can be replaced here."""
        if self.has_change_permission(request) and not confirmed_recently(request):
            return ask_to_confirm(request)
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        """Seal a new key and let the next sync prove it; touch nothing that a running sync writes."""
        fields = {"label"}
        if form.cleaned_data["new_key"]:
            seal_onto(obj, form.cleaned_data["new_key"], form.cleaned_data["new_secret"])
            obj.state, obj.next_sync_at, obj.failures = State.ACTIVE, timezone.now(), 0
            obj.reason_code = obj.reason = obj.advice = ""
            fields |= {*KEY_FIELDS, "state", "next_sync_at", "failures", "reason_code", "reason", "advice"}
        obj.save(update_fields=fields if change else None)

    @admin.action(description="Sync now", permissions=["change"])
    def sync_now(self, request: HttpRequest, chosen: QuerySet[Connection]) -> None:
        """Make them due: the dispatcher takes them within seconds."""
        count = chosen.filter(state=State.ACTIVE).update(next_sync_at=timezone.now())
        self.message_user(
            request, f"{count} connections are due now; {chosen.count() - count} are not active."
        )

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Connection]) -> None:
        """Stop reading until resumed."""
        for connection in chosen.exclude(state=State.CLOSED):
            connection.set_state(State.PAUSED)
        self.message_user(request, "Paused.")

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Connection]) -> None:
        """Read again, from now on; only where there is a key."""
        for connection in chosen.filter(state__in=[State.PAUSED, State.NEEDS_ATTENTION]).exclude(
            sealed_secret=""
        ):
            connection.set_state(State.ACTIVE)
        chosen.filter(state=State.ACTIVE).update(next_sync_at=timezone.now())
        self.message_user(request, "Resumed where there is a key.")

    @admin.action(description="Rotate: seal again under the newest vault key", permissions=["change"])
    def rotate(self, request: HttpRequest, chosen: QuerySet[Connection]) -> None:
        """The exchange's key stays the same; only its seal is renewed."""
        failed = []
        for connection in chosen.exclude(sealed_secret=""):
            try:
                reseal_key(connection)
            except SealError as error:
                failed.append(f"{connection}: {error}")
        for line in failed:
            self.message_user(request, line, messages.ERROR)
        self.message_user(request, f"Sealed again: {chosen.exclude(sealed_secret='').count() - len(failed)}.")
