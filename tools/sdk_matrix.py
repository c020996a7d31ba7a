"""Runs the models' tests with the newest 2.x and the newest 3.x of the openai SDK. Changes no environment.

Each version is installed into a folder of its own outside of the repository, which Python finds before its own
packages; the folder is thrown away afterwards. Needs a package index.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TESTS = (
    "tests/models/test_realtime*.py",
    "tests/models/test_voiced*.py",
    "tests/models/test_text.py",
    "tests/models/test_direct.py",
    "tests/models/test_vendors.py",
    "tests/models/test_contract.py",
    "tests/shell/test_secret.py",
    "tests/host/test_pictures.py",
    "tests/simulator",
)
_VERSIONS = """\
import importlib.metadata, json, openai
names = ("websockets", "httpx", "httpx2", "pydantic", "jiter")
found = {"openai": openai.__version__, "from": openai.__file__}
for name in names:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def run(major: int, folder: Path, more: list[str]) -> dict[str, Any]:
    """Installs the newest SDK of a major version into the folder, and runs the tests with it."""
    wanted = f"openai[realtime]>={major},<{major + 1}"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(folder), wanted]
    subprocess.run(pip, check=True, stdout=sys.stderr, timeout=600)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "engine")])}
    told = subprocess.run([sys.executable, "-c", _VERSIONS], env=env, check=True, capture_output=True, text=True)
    versions = json.loads(told.stdout)
    if not Path(versions.pop("from")).is_relative_to(folder):
        raise SystemExit(f"Python does not take the SDK that was installed into {folder}")
    report = folder / "report.xml"
    files = sorted(str(path.relative_to(ROOT)) for pattern in TESTS for path in ROOT.glob(pattern))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", *files, *more]
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=sys.stderr, check=False)
    suite = next(ElementTree.parse(report).iter("testsuite"))
    counts = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    return {
        "wanted": wanted,
        "versions": versions,
        **counts,
        "seconds": round(time.monotonic() - started, 1),
        "holds": done.returncode == 0 and counts["tests"] > counts["skipped"],
    }


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--majors", type=int, nargs="+", default=[2, 3], help="major versions of the SDK (2 3)")
    options.add_argument("more", nargs="*", help="more for pytest")
    args = options.parse_args()
    found = []
    for major in args.majors:
        with tempfile.TemporaryDirectory(prefix=f"openai-{major}-") as folder:
            found.append(run(major, Path(folder).resolve(), args.more))
    holds = all(each["holds"] for each in found)
    print(json.dumps({"holds": holds, "sdks": found}, indent=2))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
