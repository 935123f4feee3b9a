"""What retrieval returns: a frame of spine rows with features, and its splits."""
