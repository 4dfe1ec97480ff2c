"""Reports of gains are kept in another shape from now on: they are dropped here, and found again by the worker."""

from django.db import migrations
from django.utils import timezone


def drop(apps, schema):
    """Forget the reports; what they were found from stays."""
    apps.get_model("portfolio", "GainsState").objects.update(
        report=None, wanted_at=timezone.now(), started_at=None
    )
    for name in ("GainDisposal", "GainLot", "GainTotal", "GainHolding", "GainProblem", "GainsReport"):
        apps.get_model("portfolio", name).objects.all()._raw_delete(schema.connection.alias)


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0005_stretches_asked_again")]
    operations = [migrations.RunPython(drop, migrations.RunPython.noop)]
