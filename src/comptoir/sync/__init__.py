"""Reads books: what was asked for is fetched, stored raw, mapped, checked and told. Front door for API, portal and app."""
