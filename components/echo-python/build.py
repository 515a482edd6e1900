"""Builds the component: `python build.py --wit <folder of the contract> --out <file.wasm>`.

Needs nothing but what requirements.txt names; makes no network request. Writes one line about the
size to stderr.
"""

import argparse
import sys
from pathlib import Path

import componentize_py

# Every package that the world names, the named before the naming.
PACKAGES = (
    "deps/io.wit deps/clocks.wit deps/random.wit deps/filesystem.wit deps/sockets.wit deps/cli.wit "
    "deps/http.wit base llm xclaw tools machine harness"
).split()
WORLD = "xpressclaw:harness/harness"
# In src/. It must not have the name of a world: modules of that name are generated.
MODULE = "echo"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wit", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    sources = Path(__file__).resolve().parent / "src"
    command = ["componentize-py", "--quiet", "--world", WORLD]
    for package in PACKAGES:
        command += ["--wit-path", str(arguments.wit / package)]
    command += ["componentize", MODULE, "--python-path", str(sources), "--output", str(arguments.out)]
    sys.argv = command
    code = componentize_py.script()
    if code:
        sys.exit(code)
    size = arguments.out.stat().st_size / 2**20
    print(f"echo-python: component {size:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
