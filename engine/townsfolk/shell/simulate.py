"""Running the realtime simulator for a person: any realtime client can talk with the cast's authored lines."""

from __future__ import annotations

import asyncio
from pathlib import Path

from townsfolk.cast import load_cast
from townsfolk.errors import TransportError
from townsfolk.host.brain import authored_brain
from townsfolk.host.lineup import find_embedder
from townsfolk.models.authored import Authored
from townsfolk.simulator import Simulator

__all__ = ["simulate"]


async def simulate(characters: str, port: int) -> None:
    """Serves until interrupted.

    Raises:
        PersonaError: The characters have mistakes.
        TransportError: The port cannot be listened on.
    """
    cast = await asyncio.to_thread(load_cast, Path(characters))
    model = Authored(embedder=await asyncio.to_thread(find_embedder), deflect=True)
    facts = {id: fact.start for id, fact in cast.world.facts.items()}
    simulator = Simulator(authored_brain(cast.personas, facts, model), port=port)
    try:
        await simulator.start()
    except (OSError, OverflowError) as error:
        raise TransportError("bridge_refused", f"cannot listen on port {port}: {error}") from None
    print(f"{simulator.url}  speaks for {', '.join(cast.personas)}; any key will do. Ctrl-C ends it.", flush=True)
    try:
        await simulator.serve()
    finally:
        await simulator.close()
        await model.close()
