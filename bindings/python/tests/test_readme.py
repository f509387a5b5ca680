"""The repository's README: its program in Python prints what is said of it."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_program_of_the_readme():
    expected = re.search(r"```text\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert expected is not None
    program = [sys.executable, str(ROOT / "examples" / "minimal.py")]
    ran = subprocess.run(program, capture_output=True, text=True, check=True)
    assert ran.stdout == expected[1]
