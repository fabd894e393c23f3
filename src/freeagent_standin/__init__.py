"""A stateful stand-in for FreeAgent's API, developer site and sign-in pages.

It shares no code with the product: anyone may point a FreeAgent client at it.
"""
