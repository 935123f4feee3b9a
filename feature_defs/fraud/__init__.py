"""Card fraud, where rows come late and labels later."""
