"""Programs that measure quality, speed, scale and robustness on real data. Each prints a Markdown table."""
