"""Whether the secrets at hand fit the data: asked at every start of a server, worker or command."""

from __future__ import annotations
