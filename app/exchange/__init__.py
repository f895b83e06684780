"""Importers and exporters: other programs' files to and from typed records."""
