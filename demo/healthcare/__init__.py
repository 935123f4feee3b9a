"""Early diagnosis: which patients will be found to have diabetes within two years of a visit."""
