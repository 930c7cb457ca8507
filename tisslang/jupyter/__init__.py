"""TissLang in a notebook."""
