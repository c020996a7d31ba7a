"""Pictures are known by their bytes alone: real ones have their size, hostile ones are refused, nothing is decoded."""

from __future__ import annotations

import struct
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import chunk, png, saved

from townsfolk.errors import UsageError
from townsfolk.pictures import CHUNK, MAX_PICTURE, MAX_SIDE, Sight, chunks, look, tokens_of


@pytest.fixture(scope="module")
def jpeg(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return saved(tmp_path_factory.mktemp("pictures"), "a.jpg", 200, 120)


def refused(data: bytes, name: str = "the picture") -> str:
    with pytest.raises(UsageError) as raised:
        look(data, name=name)
    assert raised.value.code == "bad_picture" and "PNG or JPEG" in raised.value.hint
    return raised.value.message


@pytest.mark.parametrize(("name", "mime"), [("a.png", "image/png"), ("a.jpg", "image/jpeg")])
def test_what_an_encoder_writes_has_its_size(tmp_path: Path, name: str, mime: str) -> None:
    picture = look(saved(tmp_path, name, 97, 31), "A sign.", name=name)
    assert (picture.mime, picture.width, picture.height, picture.about) == (mime, 97, 31, "A sign.")


def test_each_picture_has_a_digest_of_its_own() -> None:
    assert look(png()).digest == look(png()).digest != look(png(65)).digest
    assert len(look(png()).digest) == 16


def progressive(jpeg: bytes) -> bytes:
    """The same picture, said to be progressive, in two scans with filling between them."""
    at, start = jpeg.index(b"\xff\xc0"), jpeg.index(b"\xff\xda")
    length = int.from_bytes(jpeg[start + 2 : start + 4], "big")
    again = jpeg[start : start + 2 + length] + b"\x12\x34\xff\x00\xff\xd3\x56"
    return jpeg[:at] + b"\xff\xc2" + jpeg[at + 2 : -2] + b"\xff\xff" + again + b"\xff\xd9"


def test_a_progressive_jpeg_and_one_with_filling_and_comments_is_taken(jpeg: bytes) -> None:
    more = progressive(jpeg)
    commented = more[:2] + b"\xff\xfe\x00\x06\xff\xd9hi" + more[2:]  # an end mark inside of a comment is no end
    assert (look(commented).width, look(commented).height) == (200, 120)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\0" * 100, "no picture"),
        (b"GIF89a" + b"\0" * 40, "a GIF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "an SVG"),
        (b"\n <?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'aaaa'>]>", "an SVG"),
        (b"BM" + b"\0" * 60, "a BMP"),
        (b"%PDF-1.7", "no picture"),
        (png(60_000, 60_000, pixels=10), "60,000 x 60,000"),
        (png(MAX_SIDE + 1, 1), "over the limit"),
        (png(0, 5, pixels=10), "0 x 5"),
        (png(2**31, 1, pixels=10), "over the limit"),
        (png(tail=b"PK\x03\x04"), "goes on behind its end"),
        (png(tail=b"\0"), "goes on behind its end"),
        (png(extra=chunk(b"acTL", struct.pack(">II", 9, 0))), "animated"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), "no PNG inside"),
        (b"\x89PNG\r\n\x1a\n" + png()[8:33] + chunk(b"IEND", b""), "no pixels"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(12)), "no PNG inside"),
        (b"\x89PNG\r\n\x1a\n" + b"\xff\xff\xff\xffIHDR", "ends too soon"),
        (png()[:50] + b"\x55" + png()[51:], "damaged"),
        (b"\xff\xd8\xff\xd9", "no pixels"),
        (b"\xff\xd8\xff", "ends too soon"),
        (b"\xff\xd8\xff\xe0\xff\xff", "ends too soon"),
        (b"\xff\xd8\xff\xe0\x00\x00", "ends too soon"),
        (b"\xff\xd8\xff\xd8\xff\xd9", "damaged"),
    ],
)
def test_what_is_no_sound_picture_is_refused(data: bytes, why: str) -> None:
    assert why in refused(data)


def test_a_jpegs_size_is_what_its_frame_says(jpeg: bytes) -> None:
    at = jpeg.index(b"\xff\xc0") + 5
    huge = jpeg[:at] + struct.pack(">HH", 65_535, 65_535) + jpeg[at + 4 :]
    assert "65,535 x 65,535" in refused(huge)
    later = jpeg[:at] + struct.pack(">HH", 0, 200) + jpeg[at + 4 :]  # a height that only the pixels would tell
    assert "x 0 pixels" in refused(later)
    twice = jpeg[: at - 5] + jpeg[at - 5 : at + 14] + jpeg[at - 5 :]
    assert "every model" in refused(twice)
    assert "every model" in refused(jpeg.replace(b"\xff\xc0", b"\xff\xc9", 1))  # arithmetic coding


def test_a_jpeg_with_something_behind_it_is_refused(jpeg: bytes) -> None:
    assert "goes on" in refused(jpeg + b"<script>alert(1)</script>")
    assert "goes on" in refused(jpeg + jpeg)


def test_every_cut_of_a_picture_is_refused(jpeg: bytes) -> None:
    for whole in (jpeg, png()):
        for end in range(len(whole)):
            refused(whole[:end])


def test_too_many_bytes_are_refused_before_they_are_looked_at() -> None:
    assert "1,048,577" in refused(b"\x89PNG" + bytes(MAX_PICTURE - 3))


@pytest.mark.parametrize("name", ["map.png", "MAP.JPG", "a.jpeg"])
def test_a_name_that_lies_is_refused(jpeg: bytes, name: str) -> None:
    other = png() if "j" in name.lower() else jpeg
    assert "not what its name says" in refused(other, name)
    assert look(other, name="map.dat").data == other  # a name that says nothing cannot lie


def test_a_bomb_costs_nothing() -> None:
    bomb = png(2048, 2048, pixels=500_000_000 // 8)  # unpacks to 62 MB
    assert len(bomb) < MAX_PICTURE
    tracemalloc.start()
    look(bomb)
    assert tracemalloc.get_traced_memory()[1] < 300_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    "slow",
    [
        png(extra=chunk(b"tEXt", b"") * 80_000),
        b"\xff\xd8" + b"\xff\xe0\x00\x02" * 200_000 + b"\xff\xd9",
        b"\xff\xd8" + b"\xff" * 1_000_000,
        b"\xff\xd8" + b"\xff\xda\x00\x02" * 200_000 + b"\xff\xd9",
        b"\xff\xd8\xff\xda\x00\x02" + b"\xff\x00" * 500_000 + b"\xff\xd9",
        b"\xff\xd8\xff\xda\x00\x02" + b"\xff\xd3" * 500_000,
    ],
)
def test_no_file_takes_many_steps_to_refuse(slow: bytes) -> None:
    """A frame of the game waits for it: the steps that Python takes are few, whatever is in the file."""
    steps = 0

    def step(*_: Any) -> Any:
        nonlocal steps
        steps += 1
        return step

    sys.settrace(step)
    try:
        refused(slow)
    finally:
        sys.settrace(None)
    assert steps < 100_000


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_bytes_do_more_than_be_refused(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([png(), png(20, 3, extra=chunk(b"tEXt", b"a\0b"))])))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    start = data.draw(st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]))
    for tried in (bytes(whole), start + data.draw(st.binary(max_size=200))):
        try:
            picture = look(tried)
        except UsageError as error:
            assert error.code == "bad_picture"
        else:
            assert 0 < picture.width <= MAX_SIDE and 0 < picture.height <= MAX_SIDE


@pytest.mark.parametrize(
    ("size", "detail", "tokens"),
    [  # OpenAI's own examples
        ((4096, 8192), "low", 85),
        ((1024, 1024), "high", 765),
        ((2048, 4096), "high", 1105),
        ((512, 512), "high", 255),
        ((1, 1), "high", 255),
        ((1920, 1080), "high", 1105),
    ],
)
def test_tokens_are_as_openai_counts_them(size: tuple[int, int], detail: str, tokens: int) -> None:
    assert tokens_of(*size, detail) == tokens  # type: ignore[arg-type]


def test_the_pieces_are_the_picture() -> None:
    data = bytes(range(256)) * 400
    pieces = chunks(data)
    assert b"".join(piece for _, piece in pieces) == data
    assert [at for at, _ in pieces] == [0, CHUNK, 2 * CHUNK, 3 * CHUNK, 4 * CHUNK]


def test_a_picture_stays_in_view_for_some_lines_and_seconds() -> None:
    view = Sight("low", lines=2, seconds=60.0).view(look(png()), now=100.0)
    assert view.holds(100.0) and view.holds(159.9) and not view.holds(160.0) and view.tokens == 85
    view.lines = 0
    assert not view.holds(100.0)
    assert Sight(None).view(look(png()), 0.0).tokens == 0
