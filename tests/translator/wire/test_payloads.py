import json
from typing import Any

import pytest

from diglot.translator.wire import payloads

LONG = "iVBORw0KGgo/" * 8_000  # 96 KB
SHORT = "AAAA" * 1_000


def image(payload: str = LONG, kind: str = "image/png") -> dict[str, str]:
    return {"type": "input_image", "image_url": f"data:{kind};base64,{payload}"}


def detach(value: Any) -> payloads.DetachedPayloads | None:
    return payloads.detach(json.dumps(value).encode())


def whole(pieces: list[payloads.Buffer] | None) -> bytes:
    assert pieces is not None
    return b"".join(pieces)


def test_a_payload_is_cut_out_and_put_back() -> None:
    """What is in front of it stays; what is made of the rest gets it back, wherever it went."""
    data = json.dumps({"input": [image()]}).encode()
    found = payloads.detach(data)
    assert found is not None
    assert found.data is data
    skeleton = json.loads(found.skeleton)
    url = skeleton["input"][0]["image_url"]
    assert url.startswith("data:image/png;base64,")
    assert len(found.skeleton) < 200
    assert whole(found.reattach(found.skeleton)) == data
    made = {"messages": [{"image_url": {"url": url}}]}
    assert json.loads(whole(found.reattach(json.dumps(made).encode()))) == {
        "messages": [{"image_url": {"url": image()["image_url"]}}]
    }


def test_several_payloads_may_change_places() -> None:
    """Every mark knows its payload."""
    found = detach([image("A" * 90_000), image("B" * 90_000)])
    assert found is not None
    first, second = json.loads(found.skeleton)
    assert json.loads(whole(found.reattach(json.dumps([second, first]).encode()))) == [
        image("B" * 90_000),
        image("A" * 90_000),
    ]


def test_marks_are_made_of_the_body() -> None:
    """The same for the same body; others when anything else in it is another: nobody can write them into it."""
    one, again, other = detach([image()]), detach([image()]), detach([image(), 1])
    assert one is not None
    assert again is not None
    assert other is not None
    assert one.skeleton == again.skeleton
    assert one.is_in(json.loads(one.skeleton))
    assert not one.is_in(json.loads(other.skeleton))


def test_a_mark_that_a_body_holds_is_none_of_its_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a body to guess its mark, it would get another one."""
    digests = iter([b"", b"guessed", b"guessed", b"other"])

    class Known:
        def __init__(self, data: bytes, **settings: Any) -> None:
            self.digest = lambda: next(digests)
            self.hexdigest = lambda: next(digests).decode()

    monkeypatch.setattr(payloads, "blake2b", Known)
    found = detach([image(), "guessed"])
    assert found is not None
    assert b"other0000" in found.skeleton
    assert whole(found.reattach(found.skeleton)) == found.data


@pytest.mark.parametrize(
    "make",
    [
        lambda skeleton: b"{}",  # it is lost
        lambda skeleton: skeleton + skeleton,  # it is used twice
        lambda skeleton: skeleton.replace(b'"}', b' and more"}'),  # something follows
        lambda skeleton: json.dumps(skeleton.decode()).encode(),  # it is JSON inside of JSON
        lambda skeleton: skeleton + skeleton.replace(b'"}', b' and more"}'),
    ],
)
def test_other_uses_are_none_of_ours(make: Any) -> None:
    """A payload is put back where it ends one string, and only there."""
    found = detach(image())
    assert found is not None
    assert found.reattach(make(found.skeleton)) is None


@pytest.mark.parametrize(
    "value",
    [
        {"image_url": {"url": "data:;base64," + LONG, "detail": "auto"}},
        {"file_data": "data:application/pdf;base64," + LONG},
        {"file_data": LONG},
        {"input_audio": {"data": LONG, "format": "wav"}},
        {"video_url": "data:video/mp4;base64," + LONG},
    ],
)
def test_where_payloads_are(value: Any) -> None:
    """Images, files, audio and video, as data URLs or alone."""
    found = detach({"input": [{"content": [value]}]})
    assert found is not None
    assert whole(found.reattach(found.skeleton)) == found.data


@pytest.mark.parametrize(
    "value",
    [
        image(SHORT),
        {"text": LONG},
        {"text": f'"image_url":"data:image/png;base64,{LONG}"'},
        {"image_url": "https://example.com/" + "a" * 70_000},
        {"image_url": "data:image/png;base64," + "\n".join(["A" * 76] * 1_000)},
        {"image_url": "data:image/png;base64,\u00e9" + LONG},
        {"image_url": "data:image/png;base64," + LONG + "\\"},
        [LONG, LONG],
    ],
    ids=lambda value: str(value)[:40],
)
def test_everything_else_stays(value: Any) -> None:
    """Short ones, texts, other URLs, and what is no base64 from the start."""
    assert detach(value) is None


def test_long_numbers_stay() -> None:
    """They are in no string."""
    assert payloads.detach(b'{"n":%b,"m":"x"}' % (b"1" * 90_000)) is None


def test_a_string_without_an_end_is_no_json() -> None:
    """Whoever reads all of it will say so."""
    assert payloads.detach(json.dumps([image(), image()]).encode()[:-1_000]) is None


def test_long_strings_are_passed_over_at_once() -> None:
    """The time does not grow with the square of their length."""
    assert payloads.detach(json.dumps({"text": "A" * 50_000_000}).encode()) is None
