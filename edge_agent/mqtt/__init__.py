"""What the site measures, for a broker of the house: values, and what Home Assistant needs to find them."""
