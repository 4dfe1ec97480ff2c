"""The three exchanges as local servers, for the demo and the tests. Independent of the connectors."""

from exchanges.sandbox.keys import keys

__all__ = ["keys"]
