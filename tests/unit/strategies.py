"""Hypothesis strategies for the engine's records and for hostile bodies."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import strategies as st

from tests.unit.bodies import CURRENT, ENCODINGS, ENVELOPES, VARIANTS, text_of

jitters = st.floats(0, 1).map(lambda share: lambda low, high: low + (high - low) * share)
"""Jitter at one and the same share of its range, the ends included."""

hostile_texts = st.sampled_from(
    [
        "evil.example/x#", "cn-hangzhou@evil.example", "..", "../../etc", "cn-hangzhou\n", "cn-hangzhou\x00", "", " ",
        "\uff43n-hangzhou", "\u0441n-hangzhou", "\uff11\uff12\uff13\uff14\uff15", "a" * 1_100, "\ud800", "\u202e",
        "127.0.0.1", "[::1]", "localhost", "http://x", "%2e%2e", "a.b", "A-BUCKET", "-a-", "1698272328540001",
        "cn-hangzhou", "a-public-bucket", "NON_COMPLIANT", "ResourceCompliance", "ResourceChange", "ACS::OSS::Bucket",
    ]
)  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | hostile_texts
    | st.text(max_size=40)
    | st.sampled_from([1_630_907_917_476, 10**20, 1698272328540001])
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile_texts | st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _paths(document: Any, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(document, dict):
        return [prefix]
    return [prefix, *(path for key, value in document.items() for path in _paths(value, (*prefix, key)))]


@st.composite
def mutated_events(draw: st.DrawFn) -> Any:
    """A real event form in which some fields were replaced, removed or added."""
    document = json.loads(json.dumps(VARIANTS[draw(st.sampled_from(sorted(VARIANTS)))]))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(_paths(document)))
        if not path:
            continue
        target = document
        for key in path[:-1]:
            target = target[key] if isinstance(target, dict) and key in target else {}
        if draw(st.booleans()):
            target[path[-1]] = draw(json_values)
        else:
            target.pop(path[-1], None)
    return document


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text that was cut, or in which something was overwritten or repeated."""
    text = draw(texts)
    at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 20))
    match draw(st.integers(0, 3)):
        case 0:
            return text
        case 1:
            return text[:at]
        case 2:
            return text[:at] + draw(st.text(max_size=5) | hostile_texts) + text[at + length :]
        case _:
            return text[:at] + text[at : at + length] * draw(st.integers(2, 50)) + text[at:]


def _wrapped(document: Any, envelope: str, encoding: str) -> str:
    try:
        return ENCODINGS[encoding](text_of(document), ENVELOPES[envelope])
    except UnicodeEncodeError:
        return ENCODINGS[encoding](json.dumps(document), ENVELOPES[envelope])


wrapped_events = st.builds(
    _wrapped, mutated_events() | json_values, st.sampled_from(sorted(ENVELOPES)), st.sampled_from(sorted(ENCODINGS))
)

bodies = (
    damaged(wrapped_events)
    | st.text(max_size=200)
    | st.binary(max_size=100).map(lambda raw: base64.b64encode(raw).decode("ascii"))
    | st.just(text_of(CURRENT))
    | st.text(alphabet='<>&;![]{}":,=/ \n#xENTITYDOCTYPEMessageNotification', max_size=200)
)
"""Queue bodies, from good ones to noise, most of them nearly good."""
