"""Builds the component: `python3 build.py --out <file.wasm>`. `xpressclaw harness build` calls it.

Needs nothing but what requirements.txt names, in the folder that PYTHONPATH says; makes no network
request.
"""

import argparse
import sys
from pathlib import Path

import componentize_py

WORLD = "xpressclaw:harness/harness"
# In src/. It must not have the name of a world: modules of that name are generated.
MODULE = "main"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    project = Path(__file__).resolve().parent
    sys.argv = ["componentize-py", "--quiet", "--world", WORLD, "--wit-path", str(project / "wit")]
    sys.argv += ["componentize", MODULE, "--python-path", str(project / "src"), "--output", str(out)]
    sys.exit(componentize_py.script())


if __name__ == "__main__":
    main()
