"""Typer commands: parse, call app, print. No logic, no SQL."""
