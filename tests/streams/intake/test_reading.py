"""Records of files, whatever wraps them."""

import base64
import gzip
import io
import json

import pytest

from streams.intake.reading import UnreadableFileError, read_file, read_stream

RECORDS = [{"a": 1}, {"b": {"c": [1, 2]}}, {"d": "\u00e9"}]
LINES = "\n".join(json.dumps(each) for each in RECORDS)


def values(data):
    return [read.value for read in read_stream(io.BytesIO(data))]


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        "\n\n" + LINES.replace("\n", "\r\n\r\n") + "\n",
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        "\n".join(json.dumps([each]) for each in RECORDS),
        json.dumps({"path": "/", "headers": {}, "body": json.dumps(RECORDS)}),
        json.dumps({"path": "/", "headers": {}, "body": LINES}),
        json.dumps({"path": "/", "body_b64": base64.b64encode(gzip.compress(LINES.encode())).decode()}),
    ],
)
def test_every_wrapping_gives_the_same_records(text):
    """Lines, blank lines, an array, batches a line and recorded requests hold the records that they hold."""
    assert values(text.encode()) == RECORDS


def test_one_value_over_many_lines_is_one_record():
    """A record that is printed over many lines is read whole."""
    assert values(json.dumps(RECORDS[1], indent=1).encode()) == [RECORDS[1]]


def test_a_file_may_be_packed_and_an_input_too(tmp_path):
    """What gzip packed is told by its first bytes, not by its name."""
    packed = tmp_path / "records"
    packed.write_bytes(gzip.compress(LINES.encode()))
    assert [read.value for read in read_file(str(packed))] == RECORDS


def test_a_broken_file_says_which_and_why(tmp_path):
    """A packed file that ends too early, and one that is not there, are named."""
    (tmp_path / "cut.gz").write_bytes(gzip.compress(LINES.encode() * 1000)[:-20])
    for name in ("cut.gz", "missing"):
        with pytest.raises(UnreadableFileError, match=name):
            list(read_file(str(tmp_path / name)))


def test_a_line_that_is_no_json_leaves_the_others_alone():
    """It is refused by itself, with its number and what is wrong at which byte."""
    found = list(read_stream(io.BytesIO(b'{"a":1}\n{"a":NaN}\n\n{"b":2}\n{"cut \\ud83d"}\n')))
    assert [(read.line, read.refused) for read in found] == [(1, ""), (2, "not_json"), (4, ""), (5, "not_json")]
    assert "byte 5" in found[1].detail


@pytest.mark.parametrize(
    "line",
    [
        {"a": 1, "written_ms": 7},
        {"record": {"a": 1}, "written_ms": 7},
        {"event": {"a": 1}, "written_ms": 7},
        {"raw": '{"a": 1}', "written_ms": 7},
    ],
)
def test_a_record_says_when_it_was_written(line):
    """In itself or beside it, and the key is no part of the record."""
    [read] = read_stream(io.BytesIO(json.dumps(line).encode()))
    assert (read.value, read.written_ms) == ({"a": 1}, 7)


def test_bytes_that_are_no_text_stay_bytes():
    """Protobuf, whose first byte is a line feed, is handed on whole."""
    value = b"\n\x12\x0a\x04\x00{}\n[]"
    assert values(value) == [value]


def test_a_recorded_request_of_protobuf_has_it_in_base64():
    """Its content type says so, and its bytes are handed on whole."""
    body = base64.b64encode(b"\n\x00").decode()
    request = {"path": "/v1/traces", "content-type": "application/x-protobuf", "body": body}
    assert values(json.dumps(request).encode()) == [b"\n\x00"]


def test_nothing_gives_no_records():
    """An empty input is no record and no error."""
    assert values(b"") == values(b" \n\n") == []
