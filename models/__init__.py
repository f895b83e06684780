"""Chat and embedding models behind two small protocols, their catalog and their download."""
