"""Two environments compared, and releases or revisions halved until the first bad one is found."""
