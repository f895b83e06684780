"""The guard: secrets, hostile text, and who is believed. Code decides here; no model is asked.

Its parts are imported by name: showing one line owes nothing to the patterns of secrets.
"""
