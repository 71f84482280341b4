"""Value links: what an earlier answer produced and a later request used, so that a replay sends this side's own."""
