"""The changes to moto. Each module has a function `install` that replaces methods of moto's classes."""
