"""``python -m nanoslab``."""

import sys

from nanoslab.cli.main import main

sys.exit(main())
