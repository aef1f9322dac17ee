"""Runs docs/notebooks.md: its commands, then each python block in an interpreter of its own.

A block must end well and print what the page says in the `text` block behind it. `--update` writes what is
printed into the page instead.

    python tests/notebooks/run.py [--update] EBBFLOW    # a binary built with the feature `parquet`
"""

import difflib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "notebooks.md"
BLOCK = re.compile(r"^```(sh|python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Tables are as wide as the terminal, which there is none of here.
ENVIRONMENT = {**os.environ, "COLUMNS": "120", "PYTHONUTF8": "1", "NO_COLOR": "1"}


def run_commands(text, ebbflow, place):
    """Runs a `sh` block. What it installs is installed already."""
    for line in filter(None, text.splitlines()):
        words = shlex.split(line, comments=True)
        if words[0] == "pip":
            continue
        arguments = words[words.index("--") + 1 :] if words[:2] == ["cargo", "run"] else words[1:]
        done = subprocess.run([ebbflow, *arguments], cwd=place, env=ENVIRONMENT, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{PAGE.name}: {line}\n{done.stderr}")


def printed_by(code, line, place):
    """What a `python` block prints."""
    done = subprocess.run([sys.executable, "-"], input=code, cwd=place, env=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{PAGE.name}:{line}: the block fails\n{done.stderr}")
    if not done.stdout.strip():
        sys.exit(f"{PAGE.name}:{line}: the block prints nothing")
    return "".join(f"{text.rstrip()}\n" for text in done.stdout.rstrip().splitlines())


def compare(shown, printed, line):
    """Fails where the page shows something else."""
    if shown != printed:
        difference = difflib.unified_diff(shown.splitlines(), printed.splitlines(), "the page", "printed", lineterm="")
        sys.exit(f"{PAGE.name}:{line}: " + "\n".join(difference) + "\nrenew the page with --update")


def main():
    arguments = sys.argv[1:]
    update = "--update" in arguments
    [ebbflow] = [Path(word).resolve() for word in arguments if word != "--update"] or [sys.exit(__doc__)]
    page, blocks, printed = PAGE.read_text(encoding="utf-8"), 0, None
    renewed, copied = [], 0
    with tempfile.TemporaryDirectory() as place:
        os.symlink(ROOT / "configs", Path(place, "configs"))
        for block in BLOCK.finditer(page):
            language, text = block.groups()
            line = page.count("\n", 0, block.start()) + 1
            if language == "sh":
                run_commands(text, ebbflow, place)
            elif language == "python":
                blocks, printed = blocks + 1, printed_by(text, line, place)
            elif printed is not None:
                if not update:
                    compare(text, printed, line)
                renewed += [page[copied : block.start(2)], printed]
                copied, printed = block.end(2), None
    if not blocks:
        sys.exit(f"{PAGE.name} has no python block")
    if update:
        PAGE.write_text("".join([*renewed, page[copied:]]), encoding="utf-8")
    print(f"{blocks} blocks of {PAGE.relative_to(ROOT)} run and print what they should")


main()
