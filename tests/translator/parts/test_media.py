"""Images, files, audio and video."""

from typing import Any

import pytest

from diglot.translator import Profile, Report
from diglot.translator.context import Context
from diglot.translator.parts import content, media

MARK = {"mode": "explicit"}
IMAGE = {"type": "input_image", "image_url": "u"}


def part(given: dict[str, Any], **profile: Any) -> tuple[Any, list[tuple[str, str]]]:
    """One chat part, and (path, kind) of what was lost."""
    report = Report()
    one = content.part_to_chat(given, "p", Context(Profile(**profile), report))
    return one, [(loss.path, loss.kind) for loss in report]


@pytest.mark.parametrize(
    ("given", "image", "losses"),
    [
        ({"image_url": "u"}, {"url": "u"}, []),
        ({"image_url": "u", "detail": "auto"}, {"url": "u"}, []),
        ({"image_url": "u", "detail": "low"}, {"url": "u", "detail": "low"}, []),
        ({"image_url": "u", "detail": "original"}, {"url": "u", "detail": "high"}, [("p.detail", "approximated")]),
        ({"image_url": {"url": "u", "detail": "low"}}, {"url": "u", "detail": "low"}, []),
        ({"image_url": {"url": "u"}}, {"url": "u"}, []),
        ({"image_url": "u", "file_id": None}, {"url": "u"}, []),
    ],
)
@pytest.mark.parametrize("kind", ["input_image", "computer_screenshot"])
def test_images(kind: str, given: dict[str, Any], image: dict[str, Any], losses: list[Any]) -> None:
    """An image has a URL and a detail, in either spelling."""
    assert part({"type": kind, **given}) == ({"type": "image_url", "image_url": image}, losses)


def test_the_largest_detail_where_it_is_taken() -> None:
    """Some upstreams know `original`."""
    made, losses = part({**IMAGE, "detail": "original"}, image_detail_original=True)
    assert (made["image_url"]["detail"], losses) == ("original", [])


@pytest.mark.parametrize(
    ("given", "file"),
    [
        ({"file_id": "f"}, {"file_id": "f"}),
        ({"file_data": "QQ==", "filename": "a.txt"}, {"filename": "a.txt", "file_data": "QQ=="}),
        ({"file": {"file_data": "QQ==", "filename": "a.txt"}}, {"filename": "a.txt", "file_data": "QQ=="}),
        ({"file": {"file_id": "f"}}, {"file_id": "f"}),
        ({"file_data": "QQ=="}, {"filename": "file.pdf", "file_data": "QQ=="}),
        (
            {"file_data": "data:text/csv;base64,QQ=="},
            {"filename": "file.csv", "file_data": "data:text/csv;base64,QQ=="},
        ),
        ({"file_data": "data:x/y;base64,QQ=="}, {"filename": "file.pdf", "file_data": "data:x/y;base64,QQ=="}),
        ({"file_id": "f", "detail": "auto"}, {"file_id": "f"}),
    ],
)
def test_files(given: dict[str, Any], file: dict[str, Any]) -> None:
    """A file has an id, or data and a name; a missing name is made for its kind."""
    kind = "file" if "file" in given else "input_file"
    assert part({"type": kind, **given}) == ({"type": "file", "file": file}, [])


def test_files_have_no_detail() -> None:
    """A detail is dropped, and reported."""
    assert part({"type": "input_file", "file_id": "f", "detail": "high"})[1] == [("p.detail", "dropped")]


@pytest.mark.parametrize(
    "given", [{"type": "input_video", "video_url": "u"}, {"type": "video_url", "video_url": {"url": "u"}}]
)
def test_videos(given: dict[str, Any]) -> None:
    """They are a dialect of some servers, which is told."""
    assert part(given) == ({"type": "video_url", "video_url": {"url": "u"}}, [("p", "approximated")])


@pytest.mark.parametrize(
    ("kind", "expected"), [("text", False), ("refusal", False), ("image_url", True), ("file", True)]
)
def test_is_media(kind: str, expected: bool) -> None:
    """What is neither text nor refusal."""
    assert media.is_media({"type": kind}) is expected


def back(given: Any, role: str = "user") -> tuple[Any, list[tuple[str, str]]]:
    """The content of an item for *given*, and (path, kind) of what was lost."""
    report = Report()
    one = content.to_responses(given, role, "c", Context(Profile(), report))
    return one, [(loss.path, loss.kind) for loss in report]


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"type": "image_url", "image_url": {"url": "u"}}, {"image_url": "u", "detail": "auto"}),
        ({"type": "image_url", "image_url": {"url": "u", "detail": None}}, {"image_url": "u", "detail": "auto"}),
        (
            {"type": "image_url", "image_url": {"url": "u", "detail": "original"}},
            {"image_url": "u", "detail": "original"},
        ),
        ({"type": "image_url", "image_url": "u", "detail": "low"}, {"image_url": "u", "detail": "low"}),
        ({"type": "input_image", "image_url": "u"}, {"image_url": "u", "detail": "auto"}),
        ({"type": "input_image", "file_id": "f", "detail": "low"}, {"file_id": "f", "detail": "low"}),
        (
            {"type": "image_url", "image_url": {"url": "u"}, "prompt_cache_breakpoint": MARK},
            {"image_url": "u", "detail": "auto", "prompt_cache_breakpoint": MARK},
        ),
    ],
)
def test_images_have_a_detail(given: dict[str, Any], made: dict[str, Any]) -> None:
    """It is needed there, and `auto` when nothing is said; both spellings are read."""
    assert back([given]) == ([{"type": "input_image", **made}], [])


@pytest.mark.parametrize(
    "file", [{"file_id": "f"}, {"filename": "a.pdf", "file_data": "QQ=="}, {"file_url": "https://x"}]
)
def test_files_stay_what_they_are(file: dict[str, Any]) -> None:
    """By id, as data or by URL, in either spelling."""
    assert back([{"type": "file", "file": file}]) == ([{"type": "input_file", **file}], [])
    assert back([{"type": "input_file", **file}]) == ([{"type": "input_file", **file}], [])


@pytest.mark.parametrize("video", ["u", {"url": "u"}])
def test_videos_are_a_dialect(video: Any) -> None:
    """Some servers take them, which is told."""
    made = [{"type": "input_video", "video_url": "u"}]
    assert back([{"type": "video_url", "video_url": video}]) == (made, [("c[0]", "approximated")])


def test_fields_of_a_video_that_nobody_knows() -> None:
    """Frame rates and the like have no place."""
    part = {"type": "video_url", "video_url": {"url": "u", "fps": 1}}
    assert back([part])[1] == [("c[0].video_url.fps", "dropped"), ("c[0]", "approximated")]
