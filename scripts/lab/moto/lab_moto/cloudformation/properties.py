"""The properties of a template, and which of them the lab has read."""


class Properties(dict):
    """The properties of a resource, or a part of them. Reading a property records its path."""

    def __init__(self, values, read, path=""):
        super().__init__(values)
        self._read = read
        self._path = path

    def _part(self, name, value):
        path = f"{self._path}{name}"
        if isinstance(value, dict):
            return Properties(value, self._read, f"{path}.")
        if isinstance(value, list):
            return [self._part(f"{name}[]", item) if isinstance(item, (dict, list)) else item for item in value]
        return value

    def __getitem__(self, name):
        self._read.add(f"{self._path}{name}")
        return self._part(name, super().__getitem__(name))

    def get(self, name, default=None):
        return self[name] if name in self else default

    def plain(self, name):
        """A property with everything in it, which a call accepts in the same form."""
        value = super().get(name)
        for path in paths(value, f"{self._path}{name}"):
            self._read.add(path)
        return value


def paths(value, prefix):
    """The path of a property and of every property in it, such as `Tags` and `Tags[].Key`."""
    if isinstance(value, dict):
        inner = {path for name, part in value.items() for path in paths(part, f"{prefix}.{name}")}
    elif isinstance(value, list):
        inner = {path for item in value for path in paths(item, f"{prefix}[]")} - {f"{prefix}[]"}
    else:
        inner = set()
    return {prefix} | inner
