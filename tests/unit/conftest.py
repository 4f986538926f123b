# SPDX-License-Identifier: MIT
from hypothesis import settings

# A loaded machine makes no test wrong, so no deadlines; and nothing is left behind.
settings.register_profile("kit", deadline=None, database=None)
settings.load_profile("kit")
