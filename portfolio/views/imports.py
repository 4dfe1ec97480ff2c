"""The way in for a CSV of one's own: hand in, choose columns, look, import, undo; and the same rows out again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portfolio import imports as stage
from portfolio.csvfile import UnreadableFile, original
from portfolio.imports import COLUMNS, REQUIRED
from portfolio.models import ImportBatch, ImportState, ManualEntry
from portfolio.views.gains import again
from portfolio.views.gains_forms import UploadForm
from portfolio.views.page import Request, now, page
from portfolio.views.table_export import export

SHOWN = 20
LAST = 30


@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: Request) -> HttpResponse:
    """The form for a file, and what was imported."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            body = file.read(stage.MOST_BYTES + 1)
            batch = stage.stage(request.user, file.name, body, form.cleaned_data["account"], now())
            return redirect("import_preview", batch.pk)
        except UnreadableFile as error:
            form.add_error("file", str(error))
    mine = ImportBatch.objects.for_user(request.user).defer("content")
    context = {
        "form": form,
        "batches": mine.order_by("-pk")[:LAST],
        "columns": COLUMNS,
        "required": REQUIRED,
        "rows": ManualEntry.objects.for_user(request.user).active().count(),
    }
    return page(request, "imports.html", context, section="gains", part="history")


@require_safe
def preview(request: Request, pk: int) -> HttpResponse:
    """What importing the file would do; nothing is written."""
    batch = waiting(request, pk)
    context: dict[str, Any] = {"batch": batch, "error": ""}
    try:
        context["mapping"] = mapping(batch)
        found = stage.preview(batch)
        context |= {
            "new": len(found.new),
            "known": found.known,
            "rows": found.new[:SHOWN],
            "errors": found.errors[:SHOWN],
            "refused": len(found.errors),
        }
    except UnreadableFile as error:
        context["error"] = str(error)
    return page(request, "import_preview.html", context, section="gains", part="preview")


@require_POST
def choose(request: Request, pk: int) -> HttpResponseRedirect:
    """Remember which of the file's columns are ours."""
    batch = waiting(request, pk)
    header = set(stage.header_of(batch.content))
    chosen = {column: request.POST.get(column, "") for column in COLUMNS}
    batch.columns = {column: name for column, name in chosen.items() if name in header}
    batch.save(update_fields=["columns"])
    return redirect("import_preview", batch.pk)


@require_POST
def commit(request: Request, pk: int) -> HttpResponseRedirect:
    """Import what is new and can be read."""
    try:
        count = stage.commit(waiting(request, pk), now())
    except UnreadableFile as error:
        messages.error(request, str(error))
        return redirect("import_preview", pk)
    again(request.user)
    messages.success(request, f"{count} row{'' if count == 1 else 's'} imported.")
    return redirect("imports")


@require_POST
def undo(request: Request, pk: int) -> HttpResponseRedirect:
    """Take an import back."""
    done = ImportBatch.objects.for_user(request.user).filter(state=ImportState.DONE)
    stage.undo(get_object_or_404(done, pk=pk), now())
    again(request.user)
    messages.success(request, "The import is undone. Its rows stay as a record and count no more.")
    return redirect("imports")


@require_safe
def table(request: Request, form: str) -> HttpResponseBase:
    """All own rows in the columns of an import: what is imported again from it adds nothing."""
    mine = ManualEntry.objects.for_user(request.user).active().order_by("occurred_at", "pk")
    rows = ({name: original(cell) for name, cell in row.items()} for row in stage.exported(mine.iterator()))
    return export("own-transactions", form, COLUMNS, rows)


def waiting(request: Request, pk: int) -> ImportBatch:
    """The user's own file that waits for a decision, else 404."""
    return get_object_or_404(ImportBatch.objects.for_user(request.user), pk=pk, state=ImportState.PREVIEW)


def mapping(batch: ImportBatch) -> list[dict[str, Any]]:
    """Each of our columns with the file's to choose from."""
    header = stage.header_of(batch.content)
    return [
        {
            "name": column,
            "is_required": column in REQUIRED,
            "chosen": batch.columns.get(column, ""),
            "choices": header,
        }
        for column in COLUMNS
    ]
