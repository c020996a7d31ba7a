"""Talk at Tarn Halt, with Fenn first; `ottoline: Good evening` turns to the stationmistress. Ctrl-D leaves."""

import sys

from townsfolk import ActionRequested, Engine, LineDelta, LineFailed

npc = "fenn"
with Engine.open("characters", save="saves/game.db") as engine:
    for said in sys.stdin:
        npc, said = said.split(": ", 1) if said.startswith(("fenn: ", "ottoline: ")) else (npc, said)
        for event in engine.until(engine.say(npc, said)):  # a game with frames calls engine.poll() in each
            if isinstance(event, LineDelta | LineFailed):
                print(event.text or event.hint, end="", flush=True)
            elif isinstance(event, ActionRequested):  # give {item: tea} makes the fact has_tea true, and gates open
                engine.set({f"has_{event.args['item']}": True})
        print()
