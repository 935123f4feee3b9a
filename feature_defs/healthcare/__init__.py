"""Early diagnosis from laboratory values and earlier diagnoses."""
