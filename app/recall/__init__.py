"""Finding the right memory: query analysis, channels, fusion, packing, abstention. No model is called."""
