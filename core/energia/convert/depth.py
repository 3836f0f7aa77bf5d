"""How deep arrays and objects are nested in each other."""


def is_deeper(value: object, limit: int) -> bool:
    """Tell whether arrays and objects are nested more than *limit* deep in a JSON value."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return bool(level)
