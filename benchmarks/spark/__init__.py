"""Training sets on Spark, compared with other ways on Spark, on one machine and on two cores."""
