"""What is unusual about views: drift, late and missing runs, counts of rows. It needs no Spark."""
