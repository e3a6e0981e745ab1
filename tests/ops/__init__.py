# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cases of tests/checkops.py, a module for each kind of operator."""
