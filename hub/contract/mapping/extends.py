"""One mapping upon another: an extension's leaves are laid over those of the mapping it extends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from hub.contract.errors import HubError
from hub.contract.mapping.document import Branch, Row, Twig, Word, read
from hub.contract.mapping.place import Faults

Find = Callable[[str], str]
_OWN = ("extends", "remove", "tests")
_HEADS = ("each", "in")
DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Sheet:
    """A mapping file, laid upon what it extends; `texts` are all that went into it, `own` the file alone."""

    tree: Branch
    own: Branch
    texts: tuple[str, ...]
    complete: bool = True


def gather(text: str, file: str, find: Find | None, faults: Faults) -> Sheet | None:
    """The file with everything that it extends, laid upon each other."""
    return _gather(text, file, find, faults, ())


def _gather(text: str, file: str, find: Find | None, faults: Faults, chain: tuple[str, ...]) -> Sheet | None:
    own = read(text, file, faults)
    if own is None:
        return None
    spread = _spread(own, faults)
    parent = own.get("extends")
    if parent is None:
        return Sheet(spread, own, (text,))
    base = _base(parent, own, file, find, faults, chain)
    if base is None:
        return Sheet(spread, own, (text,), complete=False)
    cut = _removed(base.tree, own.get("remove"), faults)
    return Sheet(_laid(cut, _without(spread, _OWN)), own, (text, *base.texts), base.complete)


def _base(
    parent: Twig, own: Branch, file: str, find: Find | None, faults: Faults, chain: tuple[str, ...]
) -> Sheet | None:
    if not isinstance(parent, Word):
        faults.add(parent.spot, "`extends` names one mapping")
        return None
    name, me = parent.text, own.get("map")
    line = (*chain, me.text if isinstance(me, Word) else "")
    if name in line or len(line) > DEEPEST:
        faults.add(parent.spot, f"`extends` runs in a circle: {' > '.join((*line, name))}")
        return None
    text = _found(name, find)
    if text is None:
        faults.add(parent.spot, f"no mapping '{name}' to extend")
        return None
    beside = str(PurePath(file).with_name(f"{name}.yaml")) if file else f"{name}.yaml"
    return _gather(text, beside, find, faults, line)


def _found(name: str, find: Find | None) -> str | None:
    try:
        return find(name) if find is not None else None
    except (LookupError, OSError, HubError):
        return None


def _without(tree: Branch, names: tuple[str, ...]) -> Branch:
    return Branch(
        tree.spot,
        {name: key for name, key in tree.keys.items() if name not in names},
        {name: item for name, item in tree.items.items() if name not in names},
    )


def _laid(base: Branch, over: Branch) -> Branch:
    """Branch upon branch, name by name; anything else replaces; null takes away."""
    keys, items = dict(base.keys), dict(base.items)
    for name, item in over.items.items():
        below = items.get(name)
        if isinstance(item, Branch) and isinstance(below, Branch):
            items[name] = _laid(below, _aimed(item, below))
        elif isinstance(item, Word) and item.null and name in items:
            del keys[name], items[name]
            continue
        else:
            items[name] = item
        keys[name] = over.keys[name]
    return Branch(base.spot, keys, items)


def _aimed(over: Branch, below: Branch) -> Branch:
    """Fields laid over an `each` or `in` belong into its `map`."""
    heads = below.words() & set(_HEADS)
    words = over.words() & {"each", "in", "map", "when", "vars", "group_by", "const", "if", "merge"}
    if not heads or words or "map" not in below.items:
        return over
    key = below.keys["map"]
    return Branch(over.spot, {"map": key}, {"map": over})


def _spread(tree: Branch, faults: Faults) -> Branch:
    """`fields` with its dotted names spread out: `lines.sku: …` stands for `lines: {sku: …}`."""
    fields = tree.get("fields")
    if not isinstance(fields, Branch):
        return tree
    return Branch(tree.spot, tree.keys, {**tree.items, "fields": _undotted(fields, faults)})


def _undotted(branch: Branch, faults: Faults) -> Branch:
    plain = Branch(branch.spot, {}, {})
    for name, item in branch.items.items():
        key = branch.keys[name]
        inner = _undotted(item, faults) if isinstance(item, Branch) else item
        grown = _nested([name] if key.quoted else name.split("."), key, inner)
        _collide(plain, grown, faults)
        plain = _grown(plain, grown)
    return plain


def _nested(names: list[str], key: Word, item: Twig) -> Branch:
    head, *rest = names
    return Branch(key.spot, {head: key}, {head: _nested(rest, key, item) if rest else item})


def _grown(base: Branch, over: Branch) -> Branch:
    """As `_laid`, but a null is kept: it takes away what an extended mapping has, not what stands beside."""
    keys, items = dict(base.keys), dict(base.items)
    for name, item in over.items.items():
        below = items.get(name)
        joined = isinstance(item, Branch) and isinstance(below, Branch)
        items[name] = _grown(below, _aimed(item, below)) if joined else item  # type: ignore[arg-type]
        keys.setdefault(name, over.keys[name])
    return Branch(base.spot, keys, items)


def _collide(base: Branch, over: Branch, faults: Faults) -> None:
    for name, item in over.items.items():
        below = base.items.get(name)
        if isinstance(item, Branch) and isinstance(below, Branch):
            _collide(below, _aimed(item, below), faults)
        elif below is not None:
            faults.add(over.keys[name].spot, f"duplicate key '{over.keys[name].text}'")


def _removed(tree: Branch, remove: Twig | None, faults: Faults) -> Branch:
    """The tree without the fields that `remove:` lists by their dotted names."""
    if remove is None:
        return tree
    names = remove.items if isinstance(remove, Row) else (remove,)
    fields = tree.get("fields")
    for name in names:
        if not isinstance(name, Word) or not name.text:
            faults.add(name.spot, "`remove` lists fields, such as [ship_to.phone, lines.taxes]")
        elif isinstance(fields, Branch):
            cut = _cut(fields, name.text.split("."))
            if cut is None:
                faults.add(name.spot, f"nothing to remove: the extended mapping has no field '{name.text}'")
            fields = fields if cut is None else cut
    return tree if fields is None else Branch(tree.spot, tree.keys, {**tree.items, "fields": fields})


def _cut(branch: Branch, names: list[str]) -> Branch | None:
    inner = branch.get("map")
    if branch.words() & set(_HEADS) and isinstance(inner, Branch):
        cut = _cut(inner, names)
        return None if cut is None else Branch(branch.spot, branch.keys, {**branch.items, "map": cut})
    head, *rest = names
    item = branch.get(head)
    if item is None:
        return None
    if not rest:
        return _without(branch, (head,))
    below = _cut(item, rest) if isinstance(item, Branch) else None
    return None if below is None else Branch(branch.spot, branch.keys, {**branch.items, head: below})
