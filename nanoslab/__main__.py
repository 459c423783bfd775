"""``python -m nanoslab``: the same as the command, so without the working folder on the import path."""

import sys
from pathlib import Path

# -m puts it there, and a file in it that is named like a library would be run instead of the library
if not sys.flags.safe_path and Path(sys.path[0]).resolve() != Path(__file__).resolve().parents[1]:
    del sys.path[0]

from nanoslab.cli.main import main

sys.exit(main())
