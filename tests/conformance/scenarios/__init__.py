"""All scenarios, by table."""
from . import containers, files, formats, inputs, lines, state

ALL = []
for _table in (files, state, lines, containers, formats, inputs):
    _group = _table.__name__.rsplit(".", 1)[1]
    for _scenario in _table.SCENARIOS:
        _scenario.group = _group
        ALL.append(_scenario)
_names = [s.name for s in ALL]
assert len(set(_names)) == len(_names), "two scenarios of one name"
