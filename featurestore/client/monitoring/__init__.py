"""The checks of views, for `FeatureStore`."""
