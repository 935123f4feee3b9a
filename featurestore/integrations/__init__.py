"""Files for other programs that run the feature store's jobs: cron, systemd, Airflow, Dagster."""
