"""The assistant: what memory means. No SQL, no Typer, no Textual, no llama_cpp."""
