"""Problems and players of the benchmark of bandits."""
