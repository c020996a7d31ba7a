"""A replayed conversation is what the SDK would have sent."""

import json

from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import ConversationItemCreateEvent

from townsfolk.models.replay import burst


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), st.text(max_size=60)), max_size=10))
def test_each_line_is_an_item_that_the_sdk_would_send(talk):
    frames = burst(talk, prefix="npc7_t12")
    assert len(frames) == len(talk)
    for n, (frame, (role, text)) in enumerate(zip(frames, talk, strict=True)):
        event = ConversationItemCreateEvent.model_validate(json.loads(frame))
        assert event.item.role == role and event.item.id == f"npc7_t12_{n}"
        assert event.item.content[0].text == text
        assert event.item.content[0].type == ("output_text" if role == "assistant" else "input_text")
