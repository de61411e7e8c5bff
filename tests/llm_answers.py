"""Answers of a language model on loopback: as services send them, good and bad."""

import json
from typing import Any

from tests.loopback_api import Reply

KEY = "sk-fixture-0123456789"
REPORT = {"title": "Nano caps carry the day", "findings": ["One lesson holds.", "The rest is thin."]}
CLAIM = {
    "pattern_key": "pm.uptrend.S1.buy_flag",
    "action_category": "entry",
    "scope": {"timeframe": "1h"},
    "expected_sign": "better",
}
HYPOTHESIS = {"type": "other", "proposal": "Hours do better.", "reasoning": "They did.", "test": CLAIM}


def said(text: str, *, finish: str = "stop", **message: Any) -> Reply:
    """Give a text as the content of the only choice."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    return Reply({"id": "x", "object": "chat.completion", "choices": [choice], "usage": {"total_tokens": 7}})


def items(*notes: dict[str, Any], **beside: Any) -> Reply:
    """Give notes as a good answer does; `beside` stands beside them in the document."""
    return said(json.dumps({"items": list(notes), **beside}))


CALL = {"id": "c", "type": "function", "function": {"name": "set_config", "arguments": '{"size_multiplier": 3}'}}
REFUSED: dict[str, tuple[Reply, str]] = {
    "garbage": (said("\ufffd\x00garbage, and no more"), "no_json"),
    "five megabytes": (said("x" * 5_000_000), "too_long"),
    "longer than asked": (said(json.dumps({"items": [REPORT | {"findings": ["x" * 500] * 40}] * 5})), "too_long"),
    "invalid JSON": (said('{"items": [{"title": "a"'), "no_json"),
    "JSON in a fence": (said('```json\n{"items": []}\n```'), "no_json"),
    "a key given twice": (said('{"items": [], "items": []}'), "no_json"),
    "not a number": (said('{"items": NaN}'), "no_json"),
    "brackets without end": (said("[" * 15_000), "no_json"),
    "a bare list": (said("[]"), "not_the_schema"),
    "no item": (items(), "not_the_schema"),
    "too many items": (items(*[REPORT] * 6), "not_the_schema"),
    "a tool is called": (said("", finish="tool_calls", tool_calls=[CALL]), "tool_call"),
    "a tool is called beside a good answer": (
        said(json.dumps({"items": [REPORT]}), tool_calls=[CALL]),
        "tool_call",
    ),
    "a function is called": (said("x", function_call=CALL["function"]), "tool_call"),
    "a tool call as text": (said(json.dumps({"tool": "set_config", "arguments": {}})), "not_the_schema"),
    "a size beside the notes": (items(REPORT, size_multiplier=3), "not_the_schema"),
    "a size inside a note": (items(REPORT | {"size_multiplier": 3}), "not_the_schema"),
    "a good note and a bad one": (items(REPORT, {"title": 3}), "not_the_schema"),
    "a number where a text is asked": (items({"title": 3.0, "findings": ["x"]}), "not_the_schema"),
    "a control character": (items({"title": "a\u0007", "findings": ["x"]}), "not_the_schema"),
    "text that runs backwards": (items({"title": "\u202eevil", "findings": ["x"]}), "not_the_schema"),
    "a second line": (items({"title": "a\nb", "findings": ["x"]}), "not_the_schema"),
    "a link": (items({"title": "![x](https://evil.example/?q=)", "findings": ["x"]}), "not_the_schema"),
    "a title of a page": (items({"title": "x" * 121, "findings": ["x"]}), "not_the_schema"),
    "the key": (items({"title": "Key", "findings": [f"It is {KEY}."]}), "secret"),
    "the key, shouted": (items({"title": "Key", "findings": [KEY.upper()]}), "secret"),
    "the key in the envelope": (Reply(items(REPORT).body | {"echo": {"Authorization": f"Bearer {KEY}"}}), "secret"),
    "the key in escapes": (
        said('{"items": [{"title": "Key", "findings": ["' + "".join(f"\\u{ord(each):04x}" for each in KEY) + '"]}]}'),
        "secret",
    ),
    "an answer that was cut": (said(json.dumps({"items": [REPORT]}), finish="length"), "cut"),
    "no choice": (Reply({"choices": []}), "no_text"),
    "null": (Reply(None), "no_text"),
    "a content of another type": (Reply({"choices": [{"message": {"content": [1]}}]}), "no_text"),
}
"""What was sent, and the reason it is refused for."""

UNANSWERED: dict[str, tuple[Reply, str]] = {
    "a wrong key, repeated": (Reply({"error": f"Incorrect API key provided: {KEY}"}, 401), "endpoint_refused"),
    "an unknown model": (Reply({"error": "no such model"}, 404), "endpoint_refused"),
    "another place": (Reply({}, 302, {"Location": "http://127.0.0.1:1/"}), "endpoint_refused"),
    "overloaded": (Reply({}, 503), "unavailable"),
    "a page": (Reply(b"<!DOCTYPE html>"), "unavailable"),
    "cut off": (Reply({"a": "b" * 100}, manner="cut"), "unavailable"),
    "hung up": (Reply(manner="reset"), "unavailable"),
}
"""What was sent, and why it is no answer; it may be asked again."""
