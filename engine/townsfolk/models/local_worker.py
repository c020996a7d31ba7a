"""The process in which a GGUF model runs: a chat completions server on the loopback. Knows no characters.

``python -m townsfolk.models.local_worker --model FILE --threads N`` reads a key from the first line of its input,
prints its address as one line of JSON, serves whoever has the key, and ends when its input does: with its parent.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading


def main() -> int:
    """Serves until the input ends."""
    parser = argparse.ArgumentParser(prog="townsfolk.models.local_worker")
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--context", type=int, default=4096)
    options = parser.parse_args()

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the game; it closes our input
    # Threads that spin while they wait collapse to 0.3 tokens/s as soon as a game wants a core. Read at the import.
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    key = sys.stdin.buffer.readline().decode().strip()
    watch = threading.Thread(target=_end_with_input, daemon=True)
    watch.start()
    try:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = options.model
        params.n_ctx = options.context
        params.n_parallel = 1
        params.n_batch = params.n_ubatch = 128  # between two batches it can stop: a line need not wait for a warm-up
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
        params.cache_ram_mib = 512  # prompts of characters who were visited: 0.3 s to come back to one, not 4
        params.api_keys = [key]
        params.ui = False
        params.endpoint_slots = False
        params.warmup = False  # the first real prompt warms it as well
        params.verbosity = 1  # errors
        server = xllamacpp.Server(params)
    except (ImportError, RuntimeError) as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    print(json.dumps({"url": f"{server.listening_address}/v1"}), flush=True)
    watch.join()
    return 0


def _end_with_input() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)  # nothing here is worth keeping, and a model in the middle of a thought would hold us up


if __name__ == "__main__":
    sys.exit(main())
