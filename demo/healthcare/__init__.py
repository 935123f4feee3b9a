"""Early diagnosis: whether diabetes is diagnosed within two years of a visit."""
