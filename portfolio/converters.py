"""What parts of addresses may look like. An asset's name is an exchange's word: anything goes but nothing breaks."""

from __future__ import annotations


class AssetName:
    """The name of an asset, slashes and line ends included."""

    regex = r"[\s\S]{1,32}"

    def to_python(self, value: str) -> str:
        """As it is written; NUL is in no name."""
        if "\0" in value:
            raise ValueError
        return value

    def to_url(self, value: str) -> str:
        """As it is written."""
        return value
