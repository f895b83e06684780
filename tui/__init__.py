"""Textual screens and widgets: they draw; app does the work."""
