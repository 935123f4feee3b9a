"""Card fraud: payments that may arrive late, and labels that are known weeks later."""
