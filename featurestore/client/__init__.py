"""What people hold in their hands: `FeatureStore`, spines in, frames out."""
