"""What a baseline does by itself: learnt, weakened to what still holds, and weighed against what a candidate does."""
