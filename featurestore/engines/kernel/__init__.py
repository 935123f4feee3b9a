"""The point-in-time kernel: pure functions on Arrow tables, written once for every engine."""

from featurestore.engines.kernel.answer import answer_view

__all__ = ["answer_view"]
