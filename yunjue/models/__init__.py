"""Language models: one shape for all, and the gateway every question passes."""
