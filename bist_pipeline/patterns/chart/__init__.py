"""Chart patterns, one small file each or one per family; a file that is added is found."""
