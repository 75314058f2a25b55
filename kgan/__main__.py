"""`python -m kgan` is the command `kgan`."""

import sys

from kgan.cli.main import main

sys.exit(main())
