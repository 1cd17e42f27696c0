"""What the desk teaches the classifier, and the archive judged again."""
