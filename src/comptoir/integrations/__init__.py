"""Upstream systems, each declared in a folder of its own: nothing outside such a folder names one."""
