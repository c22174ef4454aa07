"""Files compressed with a model's predictions, and made whole again."""

from shakegen.compression.container import CompressedFileError, compress, decompress
from shakegen.compression.exact_operations import Inexact

__all__ = ["CompressedFileError", "Inexact", "compress", "decompress"]
