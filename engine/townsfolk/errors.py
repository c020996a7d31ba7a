"""Every error townsfolk gives: one base class, a stable code and a hint that says what to do. Raises nothing itself.

* :exc:`TownsfolkError`
    * :exc:`UsageError`: the program calls the API wrongly; raised at the call.
    * :exc:`PersonaError`: authored files have mistakes; ``problems`` holds them all.
    * :exc:`ProtocolError`: bytes or messages break the rules of the wire.
    * :exc:`StoreError`: a save cannot be used as asked.
    * :exc:`TransportError`: the host or the bridge cannot be reached.
    * :exc:`ModelError`: a model cannot speak; ``fatal`` says that asking again will not help.

What goes wrong while a game runs arrives as an event with the same codes; see ``events.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = [
    "HINTS",
    "ModelError",
    "PersonaError",
    "ProtocolError",
    "StoreError",
    "TownsfolkError",
    "TransportError",
    "UsageError",
]

HINTS: Final[Mapping[str, str]] = {
    # the program
    "bad_argument": "Check the arguments of the call against the docstring.",
    "closed": "This engine was closed; open a new one.",
    "folder_in_use": "Give a new folder, or an empty one; nothing was overwritten.",
    "missing_extra": "Install the extra that the message names.",
    # authored files
    "persona_invalid": "Run `townsfolk check` on the folder: it lists every mistake with its file and line.",
    "no_characters": "Give a folder that holds NAME/persona.yaml files; `townsfolk new DIR` makes one.",
    # what a player or a game sends
    "unknown_npc": "Use the id of a character: the name of its folder.",
    "empty_text": "Send the player's words; a line of white space says nothing.",
    "text_too_long": "Send at most 4,000 characters in one line.",
    "npc_busy": "Wait for the character's open lines to end, or cancel them.",
    "unknown_line": "Use the id that say() returned; a line that has ended cannot be cancelled.",
    "bad_picture": "Give a PNG or JPEG of at most 1 MiB and 2,048 pixels a side; see docs/pictures.md.",
    "picture_late": "The host has not taken earlier pictures yet; show fewer or smaller ones.",
    "picture_unseen": "Choose a model that sees, or set `picture_model` for one that describes; see docs/pictures.md.",
    "unknown_type": "See docs/protocol.md for the messages of this protocol version.",
    "bad_message": "See docs/protocol.md for the fields of this message.",
    "bad_frame": "Send frames of at most 61,440 bytes: a 4-byte big-endian length and one msgpack map.",
    "proto_unsupported": "Update the older side: the host's and the client's protocol versions differ.",
    "bad_token": "Give the token that the host was started with.",
    # the save
    "save_locked": "Close the other game or host that uses this save, or choose another save.",
    "save_newer": "Update townsfolk: a newer version wrote this save. The file was left as it was.",
    "save_readonly": "Make the save's folder writable. Until then nothing is kept after the game ends.",
    "save_unreadable": "Restore the save from a copy, or choose another. The file was left as it was.",
    "save_slow": "The disk that the save is on does not answer; the next line may work.",
    "save_full": "Free some disk space; writing goes on by itself once there is room.",
    "memory_damaged": "Some memories failed their checksum and were left out; restore the save from a copy.",
    # the host
    "host_lost": "The engine process ended; it is started again by itself. Say the line again.",
    "host_failed": "The engine process cannot start; run `townsfolk doctor`.",
    "bridge_refused": "Start the bridge (`townsfolk serve`) or correct the address.",
    "bridge_lost": "The connection to the bridge ended; it is tried again by itself.",
    # speech
    "no_ear": "Set `ear` to what shall listen (docs/speech.md), or let the player type.",
    "nothing_heard": "Nothing was understood; let the player say it again.",
    # money
    "no_answer": "Nothing like it was answered before; other models of the ladder speak.",
    "over_budget": "The budget is used up; lines come from the models that cost nothing. See docs/cost.md.",
    "no_price": "Add the model's price to a catalogue of your own: see docs/cost.md.",
    "model_ends": "Choose another in time: `townsfolk models` lists them.",
    "bad_catalogue": "Correct the file that TOWNSFOLK_CATALOGUE names; see docs/cost.md.",
    # models
    "missing_key": "Set OPENAI_API_KEY, or use `--model authored`, which needs none.",
    "bad_key": "The server refused the API key; check OPENAI_API_KEY, or TOWNSFOLK_TEXT_KEY for a server of your own.",
    "key_given": "Keys come from the host's environment, such as OPENAI_API_KEY; a game that is shipped holds none.",
    "key_command": "Run the command in TOWNSFOLK_REALTIME_KEY_COMMAND (or _TEXT_) yourself: it must print a key.",
    "secret_expired": "Give the host a new client secret (`townsfolk secret`), or a command that gets one.",
    "quota": "The account has no credit left; check its billing page.",
    "no_such_model": "Check the model's name; `townsfolk doctor` lists what is available.",
    "connect_failed": "The model's server cannot be reached; check the address and the network.",
    "rate_limited": "The server asked to slow down; the next line may work.",
    "timeout": "The model took too long; the next line may work.",
    "interrupted": "The model's connection ended in the middle of the line.",
    "server_error": "The model's server failed; the next line may work.",
    "bad_response": "The model's server sent something that is not the protocol; check its address and kind.",
    "content_filter": "The model's server refused this line.",
    "no_topic": "No authored topic fits; another model may answer.",
    "no_local_model": "Install the extra `local` and give a GGUF file: see docs/models.md.",
    "not_ready": "The local model is still reading up on this character; a later line may work.",
    "worker_lost": "The local model's process ended; it is started again by itself. Say the line again.",
    "empty_reply": "The model said nothing; the next line may work.",
    "internal": "This is a defect in townsfolk: please report it with the message.",
}
"""What to do about each code. The wire's error table is this one."""


class TownsfolkError(Exception):
    """The base of all errors here.

    Attributes:
        code: Stable, for programs.
        message: One sentence, for people.
        hint: What to do about it.
    """

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.hint = hint if hint is not None else HINTS.get(code, "")

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]" + (f" {self.hint}" if self.hint else "")


class UsageError(TownsfolkError):
    """The program calls the API wrongly."""


class PersonaError(TownsfolkError):
    """Authored files have mistakes. ``problems`` holds every one, with its file and line."""

    def __init__(self, code: str, message: str, *, problems: Sequence[Any] = ()) -> None:
        super().__init__(code, message)
        self.problems = tuple(problems)


class ProtocolError(TownsfolkError):
    """Bytes or a message break the rules of the wire."""


class StoreError(TownsfolkError):
    """A save cannot be used as asked."""


class TransportError(TownsfolkError):
    """The host or the bridge cannot be reached."""


class ModelError(TownsfolkError):
    """A model cannot speak.

    Attributes:
        fatal: Asking the same model again will not help (a wrong key, no credit, no such model).
        retry_after_s: The server asked to be left alone for so many seconds.
    """

    def __init__(
        self, code: str, message: str, *, hint: str | None = None, fatal: bool = False, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(code, message, hint=hint)
        self.fatal = fatal
        self.retry_after_s = retry_after_s
