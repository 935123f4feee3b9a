"""Why an answer has its value: the winning row, or the excluded rows with the reason."""
