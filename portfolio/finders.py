"""Serves Plotly's own script from the installed package, or the smaller bundle where it was installed at build time."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.files.storage import FileSystemStorage

NAME = "plotly/plotly.min.js"
BASIC = Path("node_modules/plotly.js-basic-dist-min/plotly-basic.min.js")


class PlotlyFinder(BaseFinder):
    """Finds `plotly/plotly.min.js` and nothing else."""

    def find(self, path: str, find_all: bool = False, **_: Any) -> Any:
        """The script's place on disk, or an empty list."""
        if path != NAME:
            return []
        place = str(script_path())
        return [place] if find_all else place

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Any]]:
        """The one file, for collectstatic."""
        storage = PlotlyStorage()
        yield NAME, storage


class PlotlyStorage(StaticFilesStorage):
    """Opens the one file under its public name."""

    def __init__(self) -> None:
        """Rooted where the script is."""
        FileSystemStorage.__init__(self, location=script_path().parent)
        self.prefix = None

    def path(self, name: Any) -> str:
        """Whatever is asked, the script."""
        return str(script_path())


def script_path() -> Path:
    """The basic bundle (0.3 s to evaluate) where it is installed, else the package's full one (2.0 s)."""
    basic = Path(settings.BASE_DIR) / BASIC
    return basic if basic.exists() else Path(str(files("plotly") / "package_data" / "plotly.min.js"))
