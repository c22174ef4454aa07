"""Files made small by what a model expects, and made whole again."""

from typing import TYPE_CHECKING

from shakegen import lazy_names

if TYPE_CHECKING:
    from shakegen.compression.container import (
        CompressedFileError as CompressedFileError,
        compress as compress,
        decompress as decompress,
    )
    from shakegen.compression.exact_operations import Inexact as Inexact
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__, {"container": "CompressedFileError compress decompress", "exact_operations": "Inexact"}
    )
