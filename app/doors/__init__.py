"""Doors for other programs of this computer: MCP and HTTP on the loopback. What comes in by them only informs."""
