"""Events of OpenLineage: what each run read and wrote, for catalogs of other tools."""
