# SPDX-License-Identifier: LGPL-2.1-or-later
"""The formats of jsonsink, each read by its own reader, for test_formats.py."""
