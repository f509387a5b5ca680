"""Where the modules of the scripts are: beside them, and in benches/peers."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "peers")]
