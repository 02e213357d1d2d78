"""简道云 (JianDaoYun, abroad Jodoo): a form whose rows are orders; pushed, swept, drafted a mapping for, and written to."""

from adapters.jiandaoyun import api, door, draft, poll, reads, writes
from adapters.jiandaoyun.settings import JiandaoyunSettings
from hub.contract import Auth, Channel, Limits, Since, Write, body, header, mapping, rfc3339

_FORM = ("api_key", "app_id", "entry_id")

channel = Channel(
    name="jiandaoyun",
    title="简道云 JianDaoYun",
    kind="form",
    settings=JiandaoyunSettings,
    proof=door.proof,
    open=door.opened,
    topic=body("op"),
    dedupe=header("x-jdy-deliverid"),
    account=body("data.entryId"),
    freshness="updated_at",
    reads={
        "data_create": mapping("jiandaoyun.order"),
        "data_update": mapping("jiandaoyun.order"),
        "data_recover": mapping("jiandaoyun.order"),
        "data_remove": reads.removed,
        poll.RECORD: mapping("jiandaoyun.order"),
        "form_update": reads.nothing,
        door.OWN: reads.nothing,
    },
    poll=poll.sweep,
    fetch=poll.reread,
    since=Since(cursor=rfc3339, ascending=False),
    find_account=poll.find_account,
    draft=draft.draft,
    auth=Auth(sign=api.sign),
    limits=Limits(per_second=20.0, burst=5, judge=api.judge),
    writes={
        "order.create": Write(
            do=writes.create, search=writes.search, applies=writes.is_foreign, needs=(*_FORM, "fields")
        ),
        "order.update": Write(do=writes.update, applies=writes.is_foreign, needs=(*_FORM, "fields")),
        "shipment.update": Write(
            do=writes.ship,
            on=("shipment.shipped", "shipment.delivered", "shipment.updated"),
            applies=writes.is_shipment,
            needs=(*_FORM, "fields"),
        ),
    },
    needs=_FORM,
    quality={
        "fixtures": "exempt: made after real pushes of 2021 and 2026, with invented people and fields",
        "proof": "exempt: 简道云 publishes the recipe as code and no vector; its documentation's sample is not one",
        "limits": "done",
    },
)
