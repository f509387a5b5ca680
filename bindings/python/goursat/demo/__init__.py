"""What signature kernels see in twenty years of stock markets: ``python -m goursat.demo``."""
