"""What an operator tells this channel."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from hub.contract import Secret, Settings

Id = Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{24}$(?!\n)")]
Widget = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(:(text|number|list))?$(?!\n)")]
_RARELY = {"x-asked": False}


class JiandaoyunSettings(Settings, frozen=True, kw_only=True):
    """One form of 简道云: the secret of its data push, an API key, and which widget carries what when we write."""

    webhook_secret: Annotated[
        Secret | list[Secret] | None,
        Meta(
            description="Proves pushes: 表单设置 > 扩展功能 > 数据推送 > Secret. Give a list, the new one first, while rotating."
        ),
    ] = None
    api_key: Annotated[
        Secret | None, Meta(description="Reads and writes rows: 开放平台 > 密钥管理 > 创建 API KEY.")
    ] = None
    app_id: Annotated[
        Id | None, Meta(description="The application's id (appId): 24 hex digits of the address.")
    ] = None
    entry_id: Annotated[
        Id | None, Meta(description="The form's id (entryId). Pushes of another form are kept and not read.")
    ] = None
    fields: Annotated[
        dict[str, Widget],
        Meta(
            description='What of an order goes into which widget, by alias: {"number": "order_no", "lines": "items", '
            '"lines[].sku": "sku", "shipment.tracking_number": "tracking_no"}. A type may follow: "amount:text".'
        ),
    ] = field(default_factory=dict)
    marker: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z_][A-Za-z0-9_]*$(?!\n)",
            description="The text widget that says whose row it is: rows that the hub writes have their order's id there.",
        ),
    ] = "orderhub_id"
    data_creator: Annotated[
        str | None,
        Meta(
            description="The member (username) as whom rows are written: a row with our marker that somebody else made "
            "is a copy, and an order of its own."
        ),
    ] = None
    base_url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^?#\s]+[^/?#\s]$(?!\n)",
            description="Where the API is.",
            extra_json_schema=_RARELY,
        ),
    ] = "https://api.jiandaoyun.com/api"
    signature_age: Annotated[
        int | None,
        Meta(
            description="Refuse pushes whose stamp is further away than these seconds; none unless said, for 简道云 "
            "prescribes none.",
            extra_json_schema=_RARELY,
        ),
    ] = None
    start_trigger: Annotated[
        bool, Meta(description="Rows that the hub writes start 智能助手.", extra_json_schema=_RARELY)
    ] = False
    start_workflow: Annotated[
        bool,
        Meta(description="Rows that the hub makes start the form's workflow.", extra_json_schema=_RARELY),
    ] = False
